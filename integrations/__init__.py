"""Edges: what a tenant's other systems are told, and what developers try out before they go live."""

"""The members a tenant tells us of, and asks for."""

"""Webhooks as a tenant's programs set them up."""

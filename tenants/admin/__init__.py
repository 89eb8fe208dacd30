"""The platform's pages of tenants, domains and keys, and a tenant's page of its own keys."""

from tenants.admin import keys, tenants

__all__ = ["keys", "tenants"]

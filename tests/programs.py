"""A tenant's programs, which call the API over HTTP with a key."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.test import Client

from tenants import keys
from tenants.models import Tenant

YEAR_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class Program:
    """Something that calls the API at one host. Without a key it is a stranger."""

    def __init__(self, key: str | None, *, host: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Host": host} | ({"Authorization": f"Bearer {key}"} if key else {})

    def post(self, body: Any, address: str = "/api/v1/events", *, content_type: str = "application/json") -> Any:
        return self.client.post(address, body, content_type=content_type, headers=self.headers)

    def get(self, address: str = "/api/v1/events", **query: Any) -> Any:
        return self.client.get(address, query, headers=self.headers)

    def put(self, body: Any, address: str) -> Any:
        return self.client.put(address, body, content_type="application/json", headers=self.headers)

    def delete(self, address: str) -> Any:
        return self.client.delete(address, headers=self.headers)


def program_of(tenant: Tenant, *scopes: str, at_host_of: Tenant | None = None) -> Program:
    """Return a program with a new key of `tenant`, at the tenant's own host unless told otherwise."""
    _row, key = keys.issue(tenant=tenant, environment="live", name="test", scopes=scopes, at=YEAR_BEGAN)
    return Program(key, host=host_of(at_host_of or tenant))


def host_of(tenant: Tenant) -> str:
    return f"{tenant.slug}.{settings.BASE_DOMAIN}"

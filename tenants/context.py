"""
Which tenant the database connection of this thread belongs to: the one thing that keeps tenants apart.

A schema is switched to here, and nowhere else, and only when it is another one: each switch costs a statement.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection as django_connection
from django.utils import timezone, translation
from django_tenants.postgresql_backend.base import FakeTenant

from core import trail
from tenants.memory import Memory
from tenants.models import Tenant

# What django-tenants adds to it, Django's types do not know.
connection = cast("Any", django_connection)

PUBLIC = FakeTenant("public")

# A tenant's row changes when somebody edits it in the platform's admin.
_rows: Memory[Tenant | None] = Memory(ttl_seconds=30, size_max=5_000)


class NoTenant(RuntimeError):
    """A programming error: this needs a tenant, and the connection is in the public schema, or in one of nobody's."""


def current() -> Tenant:
    """
    Return the tenant of the connection.

    :raises NoTenant: outside of one.
    """
    tenant = connection.tenant
    if isinstance(tenant, Tenant):
        return tenant
    return _get_row(connection.schema_name)


def zone() -> ZoneInfo:
    """Return the current tenant's time zone: it decides where a day begins."""
    return ZoneInfo(current().time_zone)


def serving() -> list[Tenant]:
    """Return all tenants that take requests and whose events are scored, sandboxes included."""
    return list(Tenant.objects.serving().order_by("id"))


@contextmanager
def in_tenant(schema_name: str) -> Iterator[Tenant]:
    """
    Have the connection in a tenant's schema for as long as the block lasts.

    :raises NoTenant: when no tenant has that schema.
    """
    tenant = _get_row(schema_name)
    with _in_schema_of(tenant):
        yield tenant


@contextmanager
def in_public() -> Iterator[None]:
    """Have the connection in the public schema for as long as the block lasts."""
    with _in_schema_of(PUBLIC):
        yield


def enter(tenant: Tenant) -> None:
    """Go over to a tenant for the rest of a request: its schema, its time zone, its language."""
    _set(tenant)
    timezone.activate(ZoneInfo(tenant.time_zone))
    translation.activate(tenant.language)


def leave() -> None:
    """Go back to the public schema, and to what is everybody's."""
    _set(PUBLIC)
    timezone.deactivate()
    translation.activate(settings.LANGUAGE_CODE)


def forget() -> None:
    """Forget the rows of tenants: one has changed."""
    _rows.forget()


@contextmanager
def _in_schema_of(tenant: Any) -> Iterator[None]:
    previous = connection.tenant
    _set(tenant)
    try:
        yield
    finally:
        _set(previous)


def _set(tenant: Any) -> None:
    trail.schema.set("" if tenant is PUBLIC else tenant.schema_name)
    if connection.schema_name == tenant.schema_name and connection.include_public_schema:
        # The same schema, perhaps a newer row: the search path stands, and need not be set again.
        connection.tenant = tenant
    else:
        connection.set_tenant(tenant)


def _get_row(schema_name: str) -> Tenant:
    tenant = _rows.recall(schema_name, lambda: Tenant.objects.filter(schema_name=schema_name).first())
    if tenant is None:
        raise NoTenant(f"No tenant has the schema {schema_name!r}.")
    return tenant

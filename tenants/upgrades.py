"""Bringing the schemas up to the code: public first, then the template, then every tenant."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from core.db import execute, fetch, in_transaction
from tenants import context, roles
from tenants.models import Tenant
from tenants.spaces import TEMPLATE

# Of the advisory locks; the tenants' own is 7001, in members.people.
LOCK_CLASS = 7002


def upgrade(*, at: datetime) -> list[str]:
    """
    Apply what is unapplied, in every schema, and return the schemas where something was. Two at once do it once.

    Where nothing is unapplied this costs two or three statements for each schema.
    """
    with _alone():
        upgraded = _migrate("public")
        upgraded += ensure_template(at=at)
        with context.in_public():
            schema_names = list(
                Tenant.objects.exclude(schema_name=TEMPLATE).order_by("id").values_list("schema_name", flat=True)
            )
        for schema_name in schema_names:
            upgraded += _migrate(schema_name)
            _sync_roles(schema_name)
    return upgraded


def ensure_template(*, at: datetime) -> list[str]:
    """Have the schema that new tenants are copied from, up to date, and return its name if anything was done to it."""
    with context.in_public():
        Tenant.objects.get_or_create(
            schema_name=TEMPLATE,
            defaults={"slug": TEMPLATE, "name": "Template", "status": Tenant.Status.TEMPLATE, "created_at": at},
        )
        execute(f"CREATE SCHEMA IF NOT EXISTS {connection.ops.quote_name(TEMPLATE)}")
    upgraded = _migrate(TEMPLATE)
    _sync_roles(TEMPLATE)
    return upgraded


def list_unapplied(*, schema_name: str) -> list[str]:
    """Return the migrations of the code that a schema has not seen."""
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    return sorted(known - _list_applied(schema_name))


def _list_applied(schema_name: str) -> set[str]:
    table = f"{connection.ops.quote_name(schema_name)}.django_migrations"
    if fetch("SELECT to_regclass(%s) AS found", [table])[0].found is None:
        return set()
    return {row.name for row in fetch(f"SELECT app || '.' || name AS name FROM {table}")}  # noqa: S608 (quoted)


def _migrate(schema_name: str) -> list[str]:
    if not list_unapplied(schema_name=schema_name):
        return []
    context.leave()
    which = {"shared": True} if schema_name == "public" else {"tenant": True, "schema_name": schema_name}
    call_command("migrate_schemas", **which, interactive=False, verbosity=0)
    return [schema_name]


def _sync_roles(schema_name: str) -> None:
    with context.in_tenant(schema_name):
        roles.sync_roles()


@in_transaction
def is_at_rest() -> bool:
    """Tell whether nobody is upgrading schemas: then nobody begins to until the transaction ends."""
    (row,) = fetch("SELECT pg_try_advisory_xact_lock_shared(%s, 1) AS is_at_rest", [LOCK_CLASS])
    return bool(row.is_at_rest)


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock on a connection of its own, because migrating closes the usual one."""
    guard = connection.copy()
    try:
        with guard.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, 1)", [LOCK_CLASS])
        yield
    finally:
        guard.close()

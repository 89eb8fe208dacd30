"""A space is what a tenant or a sandbox consists of: its row, its schema, copied from the template, and its domain."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from core.db import execute, fetch, in_transaction
from tenants import context, hosts, schemas
from tenants.context import connection
from tenants.models import Domain, Tenant

TEMPLATE: Final = "template"
# Of the advisory locks. Shared by those who read a sandbox, and taken before the tenant's own by whoever makes it anew.
LOCK_CLASS: Final = 7007
# Who works in a space, and is logged in there: of a sandbox that is made anew they stay.
PEOPLE: Final = ("staff_staff", "django_session")


def schema_for(slug: str) -> str:
    """Return the name of a slug's schema: `t_needle_groove` for needle-groove. Two slugs never share one."""
    return "t_" + slug.replace("-", "_")


@in_transaction
def make(  # noqa: PLR0913 (what a tenant is)
    *, name: str, slug: str, time_zone: str, currency: str, language: str, live: Tenant | None, at: datetime
) -> Tenant:
    """Make a tenant's space, or its sandbox's when `live` is given. The values have been checked."""
    with context.in_public():
        tenant: Tenant = Tenant.objects.create(
            schema_name=schema_for(slug),
            name=name,
            slug=slug,
            time_zone=time_zone,
            currency=currency,
            language=language,
            environment=Tenant.Environment.LIVE if live is None else Tenant.Environment.SANDBOX,
            live=live,
            created_at=at,
        )
        Domain.objects.create(domain=hosts.name_for(slug), tenant=tenant)
        schemas.copy(source=TEMPLATE, target=tenant.schema_name)
    # It may have been asked for before it was there.
    context.forget()
    hosts.forget()
    return tenant


@contextmanager
def reading() -> Iterator[None]:
    """Let nobody make the current space anew, if it is a sandbox, while somebody reads it statement by statement."""
    tenant = connection.tenant
    if not isinstance(tenant, Tenant) or tenant.environment != Tenant.Environment.SANDBOX:
        yield
        return
    params = {"class": LOCK_CLASS, "schema": tenant.schema_name}
    execute("SELECT pg_advisory_lock_shared(%(class)s, hashtext(%(schema)s))", params)
    try:
        yield
    finally:
        execute("SELECT pg_advisory_unlock_shared(%(class)s, hashtext(%(schema)s))", params)


@in_transaction
def wait_for_readers(*, sandbox: Tenant) -> None:
    """Wait until nobody reads a sandbox, and let nobody begin to until the transaction ends."""
    params = {"class": LOCK_CLASS, "schema": sandbox.schema_name}
    execute("SELECT pg_advisory_xact_lock(%(class)s, hashtext(%(schema)s))", params)


@in_transaction
def lock(*, sandbox: Tenant) -> None:
    """Wait until nobody is at any table of a sandbox, and let nobody come near them until the transaction ends."""
    tables = fetch(TABLES, {"schema": sandbox.schema_name})
    execute(f"LOCK TABLE {', '.join(row.name for row in tables)} IN ACCESS EXCLUSIVE MODE")


@in_transaction
def remake(*, sandbox: Tenant, kept: Sequence[str]) -> None:
    """
    Make a sandbox's schema anew, with its people and the rows of the tables `kept`. The caller has locked it.

    Numbers go on after the old ones: whoever remembers the number of a row finds nothing, and never another row.

    :raises Tenant.DoesNotExist: for what is no sandbox: nothing of a live tenant is ever touched here.
    """
    with context.in_public():
        row = Tenant.objects.get(pk=sandbox.pk, environment=Tenant.Environment.SANDBOX)
        new, old = row.schema_name, f"{row.schema_name}_old"
        quote = connection.ops.quote_name
        execute(f"ALTER SCHEMA {quote(new)} RENAME TO {quote(old)}")
        schemas.copy(source=TEMPLATE, target=new)
        names = {"old": old, "new": new, "kept": [*PEOPLE, *kept]}
        statements = [each.statement for sql in (ROWS, SEQUENCES) for each in fetch(sql, names)]
        groups = GROUPS.format(old=quote(old), new=quote(new))
        # Nothing is bound, so percent signs in the statements stand for themselves.
        execute(";\n".join([*statements, groups, f"DROP SCHEMA {quote(old)} CASCADE"]))


TABLES: Final = """
SELECT format('%%I.%%I', relnamespace::regnamespace::text, relname) AS name FROM pg_class
WHERE relnamespace = %(schema)s::regnamespace AND relkind = 'r' ORDER BY relname
"""

# In the order of `kept`. What the code of tomorrow has more of has a default (CONTRIBUTING.md, A migration).
ROWS: Final = """
SELECT format('INSERT INTO %%I.%%I (%%s) OVERRIDING SYSTEM VALUE SELECT %%s FROM %%I.%%I', %(new)s, kept.name,
    string_agg(quote_ident(column_name), ', '), string_agg(quote_ident(column_name), ', '), %(old)s, kept.name)
    AS statement
FROM unnest(%(kept)s::text[]) WITH ORDINALITY AS kept (name, number)
JOIN information_schema.columns had ON had.table_schema = %(old)s AND had.table_name = kept.name
JOIN information_schema.columns has USING (table_name, column_name)
WHERE has.table_schema = %(new)s GROUP BY kept.name, kept.number ORDER BY kept.number
"""

# A sequence that was never drawn from has no number yet.
SEQUENCES: Final = """
SELECT format('SELECT setval(''%%I.%%I'', GREATEST(a.last_value, b.last_value), true) FROM %%I.%%I a, %%I.%%I b '
    'WHERE a.is_called', %(new)s, had.relname, %(old)s, had.relname, %(new)s, had.relname) AS statement
FROM pg_class had JOIN pg_class has USING (relname)
WHERE had.relnamespace = %(old)s::regnamespace AND has.relnamespace = %(new)s::regnamespace AND had.relkind = 'S'
"""

# By their names: groups may have other numbers in the template.
GROUPS: Final = """
INSERT INTO {new}.staff_staff_groups (staff_id, group_id)
SELECT theirs.staff_id, now.id FROM {old}.staff_staff_groups theirs
JOIN {old}.auth_group before ON before.id = theirs.group_id JOIN {new}.auth_group now ON now.name = before.name
"""

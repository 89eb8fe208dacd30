"""
Copying one schema to another, with all its rows, within a transaction.

Constraints, indexes and triggers keep their names, because failures are told by them.
Django-tenants has a copier for every kind of database object; it takes three times as long, and defines functions in
`public` that other sessions may be using. This one knows the kinds that migrations make here, and refuses the rest.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from core.db import execute, fetch, in_transaction
from tenants.context import connection

# pg_class.relkind: tables, their indexes, the sequences of identity columns, and the tables of long values.
KNOWN_KINDS = "riSt"


class CannotCopy(RuntimeError):
    """The schema holds an object of a kind that this module does not copy."""


@in_transaction
def copy(*, source: str, target: str) -> None:
    """
    Make the schema `target` a copy of `source`, which must be at rest.

    :raises CannotCopy: when `source` holds views, sequences of their own, partitions or types.
    """
    with _within(source):
        _check_kinds(source)
        statements = [row.statement for sql in PARTS for row in fetch(sql, {"source": source})]
    with _within(target):
        execute(f"CREATE SCHEMA {connection.ops.quote_name(target)}")
        # Nothing is bound, so percent signs in the statements stand for themselves.
        execute(";\n".join(statements))


@contextmanager
def _within(schema_name: str) -> Iterator[None]:
    """Have no schema but this on the search path, so that PostgreSQL writes and reads its names unqualified."""
    previous, included_public = connection.tenant, connection.include_public_schema
    connection.set_schema(schema_name, include_public=False)
    try:
        yield
    finally:
        connection.set_tenant(previous, include_public=included_public)


def _check_kinds(source: str) -> None:
    found = fetch(
        """
        SELECT class.relname AS name FROM pg_class AS class
        WHERE class.relnamespace = %(source)s::regnamespace
          AND (strpos(%(known)s, class.relkind::text) = 0 OR (class.relkind = 'S' AND NOT EXISTS (
              SELECT FROM pg_depend WHERE objid = class.oid AND deptype = 'i')))
        UNION ALL
        SELECT type.typname FROM pg_type AS type
        WHERE type.typnamespace = %(source)s::regnamespace AND type.typtype IN ('e', 'd', 'r')
        """,
        {"source": source, "known": KNOWN_KINDS},
    )
    if found:
        raise CannotCopy(f"The schema {source} holds what is not copied: {', '.join(row.name for row in found)}.")


TABLES = """
    SELECT format('CREATE TABLE %%1$I (LIKE %%2$I.%%1$I INCLUDING ALL EXCLUDING INDEXES)', relname, %(source)s)
        || coalesce(' WITH (' || array_to_string(reloptions, ', ') || ')', '') AS statement
    FROM pg_class WHERE relnamespace = %(source)s::regnamespace AND relkind = 'r' ORDER BY relname
"""

# pg_get_functiondef qualifies the function's own name, whatever the search path.
FUNCTIONS = """
    SELECT regexp_replace(
        pg_get_functiondef(oid), '^(CREATE OR REPLACE \\w+ )' || %(source)s || '\\.', '\\1'
    ) AS statement
    FROM pg_proc WHERE pronamespace = %(source)s::regnamespace ORDER BY oid
"""

ROWS = """
    SELECT format(
        'INSERT INTO %%1$I (%%2$s) OVERRIDING SYSTEM VALUE SELECT %%2$s FROM %%3$I.%%1$I',
        class.relname, string_agg(quote_ident(attribute.attname), ', ' ORDER BY attribute.attnum), %(source)s
    ) AS statement
    FROM pg_class AS class
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
    WHERE class.relnamespace = %(source)s::regnamespace AND class.relkind = 'r'
      AND attribute.attnum > 0 AND NOT attribute.attisdropped AND attribute.attgenerated = ''
    GROUP BY class.relname ORDER BY class.relname
"""

# Where the numbers of identity columns go on from. LIKE has made the sequences; a sequence never drawn from stays so.
SEQUENCES = """
    SELECT format(
        'SELECT setval(pg_get_serial_sequence(%%L, %%L), last_value) FROM %%I.%%I WHERE is_called',
        quote_ident(owner.relname), attribute.attname, %(source)s, sequence.relname
    ) AS statement
    FROM pg_class AS sequence
    JOIN pg_depend AS depend ON depend.objid = sequence.oid AND depend.deptype = 'i'
    JOIN pg_class AS owner ON owner.oid = depend.refobjid
    JOIN pg_attribute AS attribute ON attribute.attrelid = owner.oid AND attribute.attnum = depend.refobjsubid
    WHERE sequence.relnamespace = %(source)s::regnamespace AND sequence.relkind = 'S'
"""

# Checks have come with the tables. Keys before foreign keys, which need them.
KEYS = """
    SELECT format(
        'ALTER TABLE %%I ADD CONSTRAINT %%I %%s', class.relname, con.conname, pg_get_constraintdef(con.oid)
    ) AS statement
    FROM pg_constraint AS con JOIN pg_class AS class ON class.oid = con.conrelid
    WHERE con.connamespace = %(source)s::regnamespace AND con.contype IN ('p', 'u', 'x') ORDER BY con.oid
"""

# With `pretty`, PostgreSQL leaves out the schema of what is on the search path.
INDEXES = """
    SELECT pg_get_indexdef(index.indexrelid, 0, true) AS statement
    FROM pg_index AS index JOIN pg_class AS class ON class.oid = index.indrelid
    WHERE class.relnamespace = %(source)s::regnamespace AND class.relkind = 'r' AND NOT EXISTS (
        SELECT FROM pg_constraint AS con WHERE con.conindid = index.indexrelid AND con.contype IN ('p', 'u', 'x'))
    ORDER BY index.indexrelid
"""

FOREIGN_KEYS = """
    SELECT format(
        'ALTER TABLE %%I ADD CONSTRAINT %%I %%s', class.relname, con.conname, pg_get_constraintdef(con.oid)
    ) AS statement
    FROM pg_constraint AS con JOIN pg_class AS class ON class.oid = con.conrelid
    WHERE con.connamespace = %(source)s::regnamespace AND con.contype = 'f' ORDER BY con.oid
"""

TRIGGERS = """
    SELECT pg_get_triggerdef(trigger.oid, true) AS statement
    FROM pg_trigger AS trigger JOIN pg_class AS class ON class.oid = trigger.tgrelid
    WHERE class.relnamespace = %(source)s::regnamespace AND NOT trigger.tgisinternal ORDER BY trigger.oid
"""

# Rows before indexes, keys and triggers: filling a bare table is cheap, and no trigger should see it.
PARTS = (TABLES, FUNCTIONS, ROWS, SEQUENCES, KEYS, INDEXES, FOREIGN_KEYS, TRIGGERS)

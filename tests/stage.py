"""
The stage that every test finds: a database with two tenants, made once for each run.

A test that races commits, so its traces are not rolled back. They are swept away row by row, and what stood there at
first is put back: ten times as fast as a fresh copy of the database, of which each schema has hundreds of files.
"""

import os
from datetime import UTC, datetime
from typing import Final

import psutil
from django.conf import settings
from django.db import connection, connections

from config import env
from tenants import context, provisioning, upgrades
from tenants.provisioning import Created

MADE_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
# Two runs at once do not meet.
DATABASE: Final = f"test_{os.getpid()}"
# Where the first rows are kept.
KEPT: Final = "kept"

Stage = dict[str, Created]


def build() -> Stage:
    """Make the database and both tenants, and return what provisioning says once only: their keys and passwords."""
    _drop_leftovers()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = DATABASE
    upgrades.upgrade(at=MADE_AT)
    stage = {
        "acme": provisioning.create(
            name="Acme", slug="acme", time_zone="Europe/Moscow", currency="RUB", language="ru", at=MADE_AT
        ),
        "bolt": provisioning.create(
            name="Bolt", slug="bolt", time_zone="America/New_York", currency="USD", language="en", at=MADE_AT
        ),
    }
    _keep_rows()
    return stage


def strike() -> None:
    """Take the stage down."""
    connections.close_all()
    _drop(DATABASE)


def sweep() -> None:
    """Put everything back to what it was when the stage had been built."""
    connections.close_all()
    context.leave()
    with connection.cursor() as cursor:
        # A thread that a test has left behind may hold locks.
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        cursor.execute(f"SELECT statement FROM {KEPT}.restoring ORDER BY number")
        restoring = [statement for (statement,) in cursor.fetchall()]
        cursor.execute(
            "SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace "
            f"WHERE nspname !~ '^pg_' AND nspname NOT IN (SELECT name FROM {KEPT}.schemas)"
        )
        dropping = [statement for (statement,) in cursor.fetchall()]
        # As if we were a replica: no trigger refuses to delete what is append-only, no foreign key asks for an order.
        cursor.execute(
            "; ".join(
                ["SET session_replication_role = replica", *restoring, *dropping, "RESET session_replication_role"]
            )
        )
    connection.close()


TABLES: Final = """
    SELECT format('%I.%I', class.relnamespace::regnamespace::text, class.relname) AS full_name,
           string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns
    FROM pg_class AS class JOIN pg_attribute ON attrelid = class.oid
    WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
      AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
    GROUP BY class.oid, class.relnamespace, class.relname ORDER BY full_name
"""


def _keep_rows() -> None:
    context.leave()
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = cursor.fetchall()
        cursor.execute(f"CREATE SCHEMA {KEPT}")
        cursor.execute(f"CREATE TABLE {KEPT}.restoring (number int GENERATED ALWAYS AS IDENTITY, statement text)")
        deleting = [f"DELETE FROM {table}" for table, _ in tables]
        inserting = []
        cursor.execute(
            " UNION ALL ".join(f"SELECT {n} WHERE EXISTS (SELECT FROM {t})" for n, (t, _) in enumerate(tables))
        )
        for (number,) in cursor.fetchall():
            table, columns = tables[number]
            cursor.execute(f"CREATE TABLE {KEPT}.t{number} AS TABLE {table}")
            inserting.append(
                f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {KEPT}.t{number}"
            )
        cursor.executemany(
            f"INSERT INTO {KEPT}.restoring (statement) VALUES (%s)", [[each] for each in deleting + inserting]
        )
        cursor.execute(f"CREATE TABLE {KEPT}.schemas AS SELECT nspname AS name FROM pg_namespace")
    connection.close()


def _drop_leftovers() -> None:
    """Drop what killed runs have left. On a server of others' the numbers would not tell who is alive."""
    if env.find("DATABASE_URL"):
        return
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname ~ '^test_[0-9]+'")
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        if not psutil.pid_exists(int(name.split("_")[1])):
            _drop(name)


def _drop(name: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

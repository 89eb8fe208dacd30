"""Bringing schemas up to the code."""

from datetime import UTC, datetime

import pytest
from django.db.migrations.recorder import MigrationRecorder

from core.db import execute
from tenants import context, upgrades

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 17, 12, 0, tzinfo=UTC)


def test_nothing_is_done_where_nothing_is_unapplied(django_assert_max_num_queries):
    # Public, the template, and two tenants with their sandboxes.
    with django_assert_max_num_queries(6 * 8):
        assert upgrades.upgrade(at=NOON) == []


@pytest.mark.parametrize("schema_name", ["public", "template", "t_acme", "t_bolt_sandbox"])
def test_every_schema_is_up_to_date_after_a_start(schema_name):
    assert upgrades.list_unapplied(schema_name=schema_name) == []


def test_what_a_schema_has_not_seen_is_told():
    with context.in_tenant("t_acme"):
        MigrationRecorder.Migration.objects.filter(app="staff", name="0002_the_log_only_grows").delete()

    assert upgrades.list_unapplied(schema_name="t_acme") == ["staff.0002_the_log_only_grows"]
    assert upgrades.list_unapplied(schema_name="t_bolt") == []


def test_a_schema_without_any_table_has_seen_nothing():
    execute("CREATE SCHEMA bare")

    assert "staff.0002_the_log_only_grows" in upgrades.list_unapplied(schema_name="bare")

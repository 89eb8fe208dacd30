"""The log of what was done, which only grows."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError

from core.db import execute, savepoint
from tenants import audit, context
from tenants.audit import Gap
from tenants.staff.models import AuditEntry

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 17, 12, 0, 0, 123456, tzinfo=UTC)


def record(action: str = "campaign.changed", **changed) -> AuditEntry:
    values = {
        "actor_kind": "staff",
        "actor": "maria",
        "target": "campaign:7 Spring",
        "changes": {"name": ["Весна", "Spring"], "points": [1, 2], "rate": 0.1, "big": 1e300, "none": None},
    }
    audit.record(action=action, **{**values, **changed}, at=NOON)
    return AuditEntry.objects.order_by("-id")[0]


def tamper(sql: str, **params) -> None:
    """Do what the trigger forbids, as somebody with the database's own key could."""
    execute("SET LOCAL session_replication_role = replica")
    execute(sql, params)
    execute("SET LOCAL session_replication_role = origin")


def test_an_entry_says_who_did_what(acme):
    entry = record()

    assert (entry.at, entry.actor_kind, entry.actor, entry.action, entry.target) == (
        NOON,
        "staff",
        "maria",
        "campaign.changed",
        "campaign:7 Spring",
    )
    assert entry.changes["name"] == ["Весна", "Spring"]


def test_entries_form_a_chain(acme):
    first, second = record("a.b"), record("c.d")

    assert (first.previous_hash, second.previous_hash) == (audit.FIRST_HASH, first.hash)
    assert audit.head() == second.hash
    assert audit.verify() == []


def test_what_is_too_long_is_cut(acme):
    record(actor="x" * 200, target="y" * 300)

    assert audit.verify() == []


@pytest.mark.parametrize(
    "sql", ["UPDATE staff_auditentry SET actor = 'nobody'", "DELETE FROM staff_auditentry", "TRUNCATE staff_auditentry"]
)
def test_the_database_refuses_to_change_the_log(acme, sql):
    entry = record()

    with pytest.raises(IntegrityError, match="append-only"), savepoint():
        execute(sql)

    assert AuditEntry.objects.get().hash == entry.hash


def test_an_entry_that_was_changed_shows(acme):
    record("a.b")
    second = record("c.d")
    record("e.f")

    tamper("UPDATE staff_auditentry SET actor = 'nobody' WHERE id = %(id)s", id=second.id)

    assert audit.verify() == [Gap(entry_id=second.id, what="changed")]


def test_an_entry_that_was_taken_out_shows(acme):
    record("a.b")
    second = record("c.d")
    third = record("e.f")

    tamper("DELETE FROM staff_auditentry WHERE id = %(id)s", id=second.id)

    assert audit.verify() == [Gap(entry_id=third.id, what="missing")]


def test_an_entry_is_undone_with_what_it_tells_of(acme):
    with pytest.raises(ZeroDivisionError), savepoint():
        record(target=str(1 / len(record("a.b").changes["none"] or "")))

    assert not AuditEntry.objects.exists()


def test_each_tenant_has_a_log_of_its_own(acme, bolt):
    record()

    with context.in_tenant(bolt.schema_name):
        assert not AuditEntry.objects.exists()
        assert record().previous_hash == audit.FIRST_HASH
    with context.in_public():
        assert not AuditEntry.objects.exists()

"""What was reported never changes: the database itself says so."""

import pytest
from django.db import IntegrityError, connection
from django.db.models import ProtectedError

from core.db import savepoint
from events import inbox
from events.models import Event
from events.tests.bodies import NOON, order, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid():
    (taken,) = inbox.record(reports=[report(order("1001"))], at=NOON)
    return Event.objects.get(id=taken.id)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("source", "sarafan"),
        ("key", "other"),
        ("kind", "check_in"),
        ("fingerprint", "f"),
        ("identities", []),
        ("business_key", None),
        ("occurred_at", NOON),
        ("received_at", NOON),
        ("data", {}),
        ("is_history", True),
        ("depth", 1),
    ],
)
def test_a_column_of_the_fact_cannot_be_updated(paid, column, value):
    with pytest.raises(IntegrityError, match="append-only"), savepoint():
        Event.objects.filter(id=paid.id).update(**{column: value})


def test_an_event_cannot_be_deleted(paid):
    with pytest.raises((IntegrityError, ProtectedError)), savepoint():
        paid.delete()
    with pytest.raises(IntegrityError, match="append-only"), savepoint(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_event")


def test_the_table_cannot_be_emptied(paid):
    with connection.cursor() as cursor:
        # What the insert has left to be checked at the commit would refuse it first.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="append-only"), savepoint():
            cursor.execute("TRUNCATE events_event CASCADE")


def test_its_processing_moves_on(paid):
    moved = Event.objects.filter(id=paid.id).update(
        status="failed", error="No luck.", attempts=8, next_at=None, handled_at=NOON, trace=[{}]
    )

    assert moved == 1


def test_a_failed_event_says_why(paid):
    with pytest.raises(IntegrityError, match="event_failed_says_why"), savepoint():
        Event.objects.filter(id=paid.id).update(status="failed")

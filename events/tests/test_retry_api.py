"""A program tries again what has failed."""

import pytest

from events import inbox
from events.models import Event
from events.tests.bodies import NOON, joined, report
from tenants import audit, context
from tenants.staff.models import AuditEntry
from tests.programs import program_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(acme):
    (taken,) = inbox.record(reports=[report(joined())], at=NOON)
    Event.objects.filter(id=taken.id).update(status="failed", error="No luck.", attempts=8)
    return Event.objects.get(id=taken.id)


def address_of(event):
    return f"/api/v1/events/{event.pk}/retry"


def test_a_failed_event_waits_again_and_the_audit_log_knows_who_asked(acme, failed):
    answer = program_of(acme, "events:write").post(None, address_of(failed))

    assert (answer.status_code, answer.json()["status"], answer.json()["error"]) == (202, "waiting", None)
    failed.refresh_from_db()
    assert (failed.status, failed.attempts) == ("waiting", 0)
    entry = AuditEntry.objects.get(action="event.retried")
    assert (entry.actor_kind, entry.target) == ("key", f"event:{failed.pk} {failed}")
    assert audit.verify() == []


@pytest.mark.parametrize("status", ["waiting", "handled"])
def test_what_has_not_failed_is_not_tried_again(acme, failed, status):
    Event.objects.filter(id=failed.id).update(status=status)

    answer = program_of(acme, "events:write").post(None, address_of(failed))

    assert (answer.status_code, answer.json()["code"]) == (409, "not_failed")
    assert Event.objects.get(id=failed.id).status == status
    assert not AuditEntry.objects.filter(action="event.retried").exists()


def test_whoever_may_only_read_events_tries_nothing_again(acme, failed):
    assert program_of(acme, "events:read").post(None, address_of(failed)).status_code == 403
    assert Event.objects.get(id=failed.id).status == "failed"


def test_another_tenant_tries_nothing_of_ours_again(bolt, failed):
    answer = program_of(bolt, "events:write").post(None, address_of(failed))

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_event")
    with context.in_tenant("t_acme"):
        assert Event.objects.get(id=failed.id).status == "failed"

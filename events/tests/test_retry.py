import pytest

from events import doorbell, inbox
from events.models import Event
from events.retry import NotFailed, retry
from events.tests.bodies import NOON, joined, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed():
    (taken,) = inbox.record(reports=[report(joined())], at=NOON)
    Event.objects.filter(id=taken.id).update(status="failed", error="No luck.", attempts=8)
    return Event.objects.get(id=taken.id)


def test_a_failed_event_waits_again(failed):
    retry(event=failed, at=NOON)

    failed.refresh_from_db()
    assert (failed.status, failed.error, failed.attempts, failed.next_at) == ("waiting", "", 0, NOON)


def test_the_second_click_is_told(failed):
    retry(event=failed, at=NOON)

    with pytest.raises(NotFailed):
        retry(event=failed, at=NOON)


@pytest.mark.parametrize("status", ["waiting", "handled"])
def test_only_what_has_failed_is_tried_again(failed, status):
    Event.objects.filter(id=failed.id).update(status=status)

    with pytest.raises(NotFailed):
        retry(event=failed, at=NOON)

    assert Event.objects.get(id=failed.id).status == status


def test_the_worker_is_woken_once_it_is_committed(failed, django_capture_on_commit_callbacks, monkeypatch):
    rung = []
    monkeypatch.setattr(doorbell, "ring", rung.append)

    with django_capture_on_commit_callbacks(execute=True):
        retry(event=failed, at=NOON)

    assert rung == ["t_acme"]

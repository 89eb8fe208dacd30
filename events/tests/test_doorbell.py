import time

import pytest
from celery import current_app
from django.conf import settings

from events import doorbell


@pytest.fixture
def sent(monkeypatch, servers):
    """Return what the broker is given."""
    found = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **options: found.append((name, options["kwargs"])))
    doorbell.breaker.reset()
    doorbell.answer("t_acme")
    doorbell.answer("t_bolt")
    return found


def test_ringing_wakes_the_tenants_worker(sent):
    doorbell.ring("t_acme")

    assert sent == [("events.handle_waiting", {"schema_name": "t_acme"})]


def test_many_rings_are_one_and_each_tenant_has_its_own(sent):
    for _ in range(50):
        doorbell.ring("t_acme")
    doorbell.ring("t_bolt")

    assert [options["schema_name"] for _name, options in sent] == ["t_acme", "t_bolt"]


def test_once_it_is_answered_the_next_ring_is_heard(sent):
    doorbell.ring("t_acme")
    doorbell.answer("t_acme")
    doorbell.ring("t_acme")

    assert len(sent) == 2


def test_it_falls_silent_by_itself(sent):
    doorbell.ring("t_acme")
    time.sleep(doorbell.QUIET_MS / 1000 + 0.05)
    doorbell.ring("t_acme")

    assert len(sent) == 2


def test_a_broker_that_is_away_holds_nobody_up(sent, monkeypatch, caplog):
    monkeypatch.setitem(settings.CACHES["default"], "LOCATION", "unix:///nowhere/valkey.sock")

    for _ in range(100):
        doorbell.ring("t_acme")
    doorbell.answer("t_acme")

    assert sent == []
    assert [record.getMessage() for record in caplog.records] == [
        "The worker could not be woken; the sweep will find what waits.",
        "The doorbell could not be answered; it falls silent by itself.",
    ]


def test_the_task_that_is_rung_for_exists(servers):
    current_app.loader.import_default_modules()

    assert doorbell.TASK in current_app.tasks

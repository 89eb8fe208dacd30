from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from config import health
from events.models import Event


@pytest.fixture
def stranger():
    """Somebody who asks at a host that no tenant owns."""
    return Client(HTTP_HOST="nobody.example")


def wait_in(tenant, *, since):
    connection.set_tenant(tenant)
    Event.objects.create(
        source="api", key="1", kind="check_in", fingerprint="0" * 64, occurred_at=since, received_at=since
    )


def test_health_needs_neither_tenant_nor_database(stranger):
    answer = stranger.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_readiness_needs_no_tenant(db, stranger):
    answer = stranger.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "database": True,
        "broker": True,
        "migrations": True,
        "limits": True,
        "oldest_waiting_seconds": 0,
    }


def test_readiness_tells_how_long_the_oldest_event_waits_in_any_tenant(acme, bolt):
    now = datetime.now(UTC)
    wait_in(acme, since=now - timedelta(seconds=10))
    wait_in(bolt, since=now - timedelta(seconds=100))

    assert 100 <= health.check()["oldest_waiting_seconds"] <= 110


def test_asking_does_not_move_the_connection_to_another_schema(acme):
    health.check()

    assert connection.schema_name == acme.schema_name


def test_readiness_asks_all_tenants_at_once(db, django_assert_max_num_queries):
    health.check()

    # The two schemas' migrations (each: is there a table, what is in it), the tenants, their events, and the path.
    with django_assert_max_num_queries(8):
        health.check()


def test_a_broker_that_is_down_is_not_ready(db, stranger, monkeypatch):
    monkeypatch.setattr(health.app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(health.app.conf, "broker_url", "redis://127.0.0.1:1/0")

    answer = stranger.get("/readyz")

    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["broker"], answer.json()["database"]) == ("unready", False, True)


def test_without_valkey_requests_are_not_counted_and_it_is_ready_all_the_same(db, stranger, settings):
    settings.CACHES = {**settings.CACHES, "default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere.sock"}}

    answer = stranger.get("/readyz")

    assert (answer.status_code, answer.json()["limits"]) == (200, False)


def test_a_migration_that_is_not_applied_is_not_ready(db, stranger):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM template.django_migrations WHERE app = 'rewards'")

    answer = stranger.get("/readyz")

    assert (answer.status_code, answer.json()["migrations"]) == (503, False)

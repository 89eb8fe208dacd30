"""Several who write to one webhook's deliveries at once: each takes them in the same order, so that none deadlocks."""

import threading
import time
from contextlib import contextmanager

import pytest
from django.db import connection, connections

from core.db import execute, fetch, transaction
from events.models import Event
from integrations.models import Delivery, Endpoint
from integrations.webhooks import claims, endpoints, keeping, resending
from integrations.webhooks.outcomes import Outcome
from tenants import context
from tests import webhooks
from tests.cast import NOON, Shop
from tests.webhooks import MARTA, STRAIGHT, happen

pytestmark = pytest.mark.django_db(transaction=True)

FAILED, ARRIVED = Outcome(error="answered", status=500), Outcome(status=200)
GONE = Outcome(error="answered", status=410)


@pytest.fixture
def failing(acme) -> Endpoint:
    endpoint, _secret = webhooks.add("https://shop.example.com/hooks")
    Endpoint.objects.update(failing_since=NOON)
    happen(1)
    return endpoint


@contextmanager
def settling(endpoint: Endpoint, outcome: Outcome):
    """Have another connection settle an attempt: within the block it has written that down, and not noted the rest."""
    claimed = claims.claim(endpoint_id=endpoint.pk, one_by_one=False, at=NOON)
    assert claimed
    is_written, told = threading.Event(), []

    def linger(execute, sql, params, many, context):
        found = execute(sql, params, many, context)
        if "claimed_until = NULL" in sql:
            is_written.set()
            # So long that whoever comes meanwhile waits for something of this.
            time.sleep(0.5)
        return found

    def run() -> None:
        try:
            with context.in_tenant("t_acme"), connection.execute_wrapper(linger):
                told.append(claims.settle(claimed=claimed, outcome=outcome, rng=STRAIGHT, at=NOON))
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert is_written.wait(timeout=10)
    yield told
    thread.join(timeout=10)


@pytest.mark.parametrize("outcome", [FAILED, ARRIVED], ids=["failed", "arrived"])
def test_what_is_sent_again_by_hand_while_it_is_settled_goes_out_again(failing, outcome):
    delivery = Delivery.objects.get()

    with settling(failing, outcome) as told, transaction():
        resending.resend(delivery=delivery, by=MARTA, at=NOON)

    delivery.refresh_from_db()
    assert told == [True]
    assert (delivery.status, delivery.attempts, delivery.next_at) == ("waiting", 0, NOON)


@pytest.mark.parametrize("outcome", [FAILED, ARRIVED], ids=["failed", "arrived"])
def test_a_webhook_that_is_deleted_while_an_attempt_is_settled_is_gone(failing, outcome):
    with settling(failing, outcome) as told, transaction():
        endpoints.delete(endpoint=failing, by=MARTA, at=NOON)

    assert told == [True]
    assert (Endpoint.objects.count(), Delivery.objects.count()) == (0, 0)


def test_while_a_webhook_is_disabled_another_that_would_be_told_of_it_can_be_deleted(failing):
    other, _secret = webhooks.add("https://till.example.com/hooks", kinds=["webhook.disabled"])
    claimed = claims.claim(endpoint_id=failing.pk, one_by_one=False, at=NOON)

    thread = threading.Thread(target=_settle, args=(claimed, GONE))
    with transaction():
        execute("SELECT FROM integrations_endpoint WHERE id = %(id)s FOR UPDATE", {"id": other.pk})
        thread.start()
        _await_somebody_waiting()
        endpoints.delete(endpoint=other, by=MARTA, at=NOON)
    thread.join(timeout=10)

    failing.refresh_from_db()
    assert (failing.status, failing.status_note, Endpoint.objects.count()) == ("disabled", "gone", 1)
    assert list(Event.objects.filter(kind="webhook.disabled").values_list("data__webhook_id", flat=True)) == [
        failing.pk
    ]
    assert not Delivery.objects.filter(kind="webhook.disabled").exists()


def _settle(claimed: claims.Claimed, outcome: Outcome) -> None:
    try:
        with context.in_tenant("t_acme"):
            claims.settle(claimed=claimed, outcome=outcome, rng=STRAIGHT, at=NOON)
    finally:
        connections.close_all()


def test_who_is_erased_is_taken_out_of_the_deliveries_in_the_order_of_the_log(acme):
    shop = Shop()
    shop.joins("anna")
    anna_id = shop.id_of("anna")
    webhooks.add("https://shop.example.com/hooks")
    happen(*range(20), member_id=anna_id)
    first, *others = Delivery.objects.order_by("event").values_list("pk", flat=True)
    # In the file it stands behind the others then.
    execute("UPDATE integrations_delivery SET body = 'Anna', next_at = next_at + interval '1s'")
    execute("UPDATE integrations_delivery SET kind = kind || '' WHERE id = %(id)s", {"id": first})

    thread = threading.Thread(target=_forget, args=(anna_id,))
    with transaction():
        execute("SELECT FROM integrations_delivery WHERE id = %(id)s FOR UPDATE", {"id": first})
        thread.start()
        _await_somebody_waiting()
        free = fetch("SELECT id FROM integrations_delivery WHERE id <> %(id)s FOR UPDATE SKIP LOCKED", {"id": first})
    thread.join(timeout=10)

    assert sorted(row.id for row in free) == sorted(others)
    assert set(Delivery.objects.values_list("body", flat=True)) == {""}


def _forget(member_id: int) -> None:
    try:
        with context.in_tenant("t_acme"), transaction():
            # As PostgreSQL does where most of a table is wanted.
            execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
            keeping.forget(member_id=member_id)
    finally:
        connections.close_all()


def _await_somebody_waiting() -> None:
    ends = time.monotonic() + 10
    while not fetch("SELECT FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"):
        assert time.monotonic() < ends
        time.sleep(0.02)

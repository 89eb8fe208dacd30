"""What is sent at the same time, with real commits."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django_tenants.utils import tenant_context

from core.db import execute, fetch, transaction
from events import inbox
from events.models import Event
from events.tests.bodies import NOON, joined, order, report
from events.tests.test_inbox import told
from tenants.models import Tenant

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*requests: Sequence[dict[str, Any]], acme: Tenant) -> list[list[str]]:
    """Record all requests at the same moment, each on a connection of its own, and return what became of them."""
    barrier = Barrier(len(requests))

    def send(bodies: Sequence[dict[str, Any]]) -> list[str]:
        reports = [report(body) for body in bodies]
        with tenant_context(acme):
            barrier.wait(timeout=20)
            try:
                return told(inbox.record(reports=reports, at=NOON))
            finally:
                connection.close()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def test_one_event_sent_by_twenty_at_once_is_one_event(acme):
    outcomes = at_once(*[[joined()]] * 20, acme=acme)

    assert Counter(told for (told,) in outcomes) == {"new": 1, "repeat": 19}
    assert Event.objects.count() == 1


def test_one_order_under_twenty_keys_at_once_is_one_event(acme):
    outcomes = at_once(*([order("1001", key=f"k{n}")] for n in range(20)), acme=acme)

    assert Counter(told for (told,) in outcomes) == {"new": 1, "order_already_reported": 19}
    assert Event.objects.count() == 1


def test_one_key_with_twenty_bodies_at_once_is_one_event(acme):
    outcomes = at_once(*([joined(data={"code": f"C{n}"})] for n in range(20)), acme=acme)

    assert Counter(told for (told,) in outcomes) == {"new": 1, "key_reused": 19}


@pytest.mark.parametrize("body_of", [joined, order])
def test_the_same_batch_in_opposite_orders_waits_for_nobody(acme, body_of):
    forth = [body_of(f"{n:03}") for n in range(200)]

    outcomes = at_once(*[forth, forth[::-1]] * 4, acme=acme)

    assert Counter(told for each in outcomes for told in each) == {"new": 200, "repeat": 1400}
    assert Event.objects.count() == 200


def test_the_same_orders_under_other_keys_in_opposite_orders_wait_for_nobody(acme):
    forth = [order(f"{n:03}", key=f"a{n}") for n in range(200)]
    back = [order(f"{n:03}", key=f"b{n}") for n in reversed(range(200))]

    outcomes = at_once(*[forth, back] * 2, acme=acme)

    counted = Counter(told for each in outcomes for told in each)
    assert counted["new"] == 200
    assert set(counted) == {"new", "repeat", "order_already_reported"}
    assert Event.objects.count() == 200


def test_keys_that_cross_between_orders_end_as_one_event_each(acme):
    forth = [order(f"{n:03}", key=f"k{n:03}") for n in range(100)]
    crossed = [order(f"{n + 100:03}", key=f"k{99 - n:03}") for n in range(100)]

    outcomes = at_once(forth, crossed, acme=acme)

    assert Counter(told for each in outcomes for told in each) == {"new": 100, "key_reused": 100}


def test_a_deadlock_is_tried_again(acme, monkeypatch):
    # The other one has `b` and wants `a`; the request has `a` by then and wants `b`. PostgreSQL ends the try of whoever
    # looks first: that is the request, and not before the other one waits, however busy the machine is.
    monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "options", "-c deadlock_timeout=4s")
    with ThreadPoolExecutor(1) as pool:
        with transaction():
            execute("SET LOCAL deadlock_timeout = '60s'")
            store_elsewhere("b")
            request = pool.submit(at_once, [joined("a"), joined("b"), joined("c")], acme=acme)
            wait_until_blocked()
            store_elsewhere("a")
        outcomes = request.result(timeout=20)

    assert outcomes == [["key_reused", "key_reused", "new"]]


def store_elsewhere(key: str) -> None:
    Event.objects.create(key=key, source="api", kind="member.joined", occurred_at=NOON, received_at=NOON)


def wait_until_blocked() -> None:
    for _ in range(200):
        if fetch("SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"):
            return
        time.sleep(0.02)
    raise AssertionError("Nobody waits.")

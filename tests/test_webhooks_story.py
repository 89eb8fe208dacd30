"""
A receiver that is down for two hours, then slow, then gone, then sends us on to our own machine.

Every fact arrives, once or more; the numbers of an object grow; nobody else waits; nothing is sent where it must not.
The figures of "nobody else waits" are those of `python -m benchmarks webhooks`.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest

from events.models import Event
from integrations.models import Delivery, Endpoint
from integrations.webhooks import endpoints, keeping, lanes
from tests import webhooks
from tests.cast import NOON, Shop, make_campaign
from tests.stand_ins.receivers import StandIn
from tests.webhooks import happen, ids_of, send_due, told

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass
class Outside:
    """A receiver that has a bad time, one that has not, and one of our own network that nobody may reach."""

    bad: StandIn
    good: StandIn
    inside: StandIn
    rng: Random = field(default_factory=lambda: Random(7))  # noqa: S311


@pytest.fixture
def outside(acme, monkeypatch):
    monkeypatch.setattr(lanes, "SLOW_MS", 50)
    with StandIn() as bad, StandIn() as good, StandIn() as inside:
        yield Outside(bad, good, inside)


def test_a_bad_time_costs_nobody_a_fact(outside):
    bad, _ = webhooks.add(outside.bad.url)
    webhooks.add(outside.good.url)

    at = _down_for_two_hours(outside)
    _slow_for_three(outside, at=at)
    happened = set(Event.objects.filter(source="sarafan", kind__in=bad.kinds).values_list("pk", flat=True))
    assert {each["sequence"] for each in told(outside.bad.receiver)} == happened
    assert outside.bad.receiver.at_once_max == 1
    _gone_and_resumed(outside, bad, at=at + 4 * HOUR)
    _sent_on_to_ourselves(outside, at=at + 5 * HOUR)

    assert not Delivery.objects.exclude(status="delivered").exists()
    assert outside.inside.receiver.came == []
    # Two more have happened since, and that the other was disabled.
    assert len(outside.good.receiver.came) == len(ids_of(outside.good.receiver)) == len(happened) + 3
    assert _numbers_grow(outside.good.receiver)
    assert _repeats_are_equal(outside.bad.receiver)


def _down_for_two_hours(outside: Outside):
    """People buy meanwhile. Return when it is over."""
    shop = Shop(at=NOON)
    make_campaign(at=NOON)
    shop.joins("anna")
    outside.bad.receiver.mode = "down"
    for number in range(8):
        shop.at = NOON + number * 15 * MINUTE
        shop.joins(f"friend-{number}", invited_by="anna")
        shop.pays(f"friend-{number}", "500", order=f"of-{number}")
        send_due(at=shop.at, rng=outside.rng)
    assert not Delivery.objects.filter(endpoint__url=outside.bad.url, status="delivered").exists()
    return NOON + 2 * HOUR


def _slow_for_three(outside: Outside, *, at) -> None:
    outside.bad.receiver.mode, outside.bad.receiver.delay_seconds = "fine", 0.06
    _pass(outside, at, hours=3)
    outside.bad.receiver.delay_seconds = 0


def _gone_and_resumed(outside: Outside, bad: Endpoint, *, at) -> None:
    outside.bad.receiver.mode = "gone"
    happen(9_001, at=at)
    send_due(at=at, rng=outside.rng)
    bad.refresh_from_db()
    assert (bad.status, bad.status_note) == ("disabled", "gone")
    outside.bad.receiver.mode = "fine"
    webhooks.act(endpoints.resume, bad, at=at)
    _pass(outside, at, hours=1)
    assert 9_001 in {each["object"]["id"] for each in told(outside.bad.receiver)}


def _sent_on_to_ourselves(outside: Outside, *, at) -> None:
    outside.bad.receiver.mode, outside.bad.receiver.leads_to = "redirects", outside.inside.url
    happen(9_002, at=at)
    send_due(at=at, rng=outside.rng)
    assert Delivery.objects.get(status="waiting").error == "redirected"
    outside.bad.receiver.mode = "fine"
    _pass(outside, at, hours=1)


def _pass(outside: Outside, at, *, hours: int) -> None:
    """Let hours pass, minute by minute."""
    for minute in range(hours * 60):
        send_due(at=at + minute * MINUTE, rng=outside.rng)


def _repeats_are_equal(receiver) -> bool:
    bodies = defaultdict(set)
    for came in receiver.came:
        bodies[came.message_id].add(came.body)
    return {len(each) for each in bodies.values()} == {1}


def _numbers_grow(receiver) -> bool:
    seen = defaultdict(list)
    for each in told(receiver):
        seen[each["object"]["type"], each["object"]["id"]].append(each["sequence"])
    return all(numbers == sorted(numbers) for numbers in seen.values())


def test_what_is_older_than_thirty_days_is_forgotten_whatever_became_of_it(acme):
    webhooks.add("https://shop.example.com/hooks")
    happen(1, 2, 3)
    happen(4, at=NOON + HOUR)

    counts = [keeping.purge(limit=2, at=NOON + keeping.KEPT + MINUTE) for _ in range(3)]

    assert counts == [2, 1, 0]
    assert Delivery.objects.get().event.key == "reward:4:granted"

"""
A receiver that is down for two hours, then slow, then gone, then sends us on to our own machine.

Every fact arrives, once or more; the numbers of an object grow; nobody else waits; nothing is sent where it must not.
The figures of "nobody else waits" are those of `python -m benchmarks webhooks`.
"""

import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest
from celery import current_app
from django.db import connection, connections

from core.db import transaction
from events import facts
from events.facts import Fact
from events.models import Event
from integrations import tasks
from integrations.models import Delivery, Endpoint
from integrations.webhooks import claims, endpoints, keeping, lanes, outcomes, resending
from integrations.webhooks.endpoints import Wanted
from tenants import context
from tests import webhooks
from tests.cast import NOON, Shop, make_campaign
from tests.checkout import ROOT
from tests.races import at_once
from tests.stand_ins.receivers import StandIn
from tests.webhooks import STRAIGHT, happen, send_due, told

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def ids_of(receiver) -> set[str]:
    return {came.message_id for came in receiver.came}


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
    assert len(outside.good.receiver.came) == len(ids_of(outside.good.receiver)) == len(happened) + 2
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


# With real threads and commits


@pytest.mark.django_db(transaction=True)
def test_however_many_deliver_at_once_each_fact_goes_out_once_and_no_more_than_four_together(acme):
    with StandIn() as stand_in:
        stand_in.receiver.delay_seconds = 0.05
        endpoint, _ = webhooks.add(stand_in.url)
        happen(40)
        assert _deliver_all(endpoint.pk) == 1  # It has proved quick.
        happen(*range(40))

        counts = at_once(*[lambda: _deliver_all(endpoint.pk) for _ in range(8)])
        rest = _deliver_all(endpoint.pk)

        assert sum(counts) + rest == 40
        assert len(stand_in.receiver.came) == len(ids_of(stand_in.receiver)) == 41
        assert 2 <= stand_in.receiver.at_once_max <= claims.AT_ONCE
    assert not Delivery.objects.exclude(status="delivered").exists()


def _deliver_all(endpoint_id: int) -> int:
    count = 0
    while lanes.deliver_one(endpoint_id=endpoint_id, rng=STRAIGHT, at=NOON):
        count += 1
    return count


# A process of its own, which is killed.
SENDER = """
import sys, django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from integrations.webhooks import lanes
from tenants import context
from tests.checkout import ROOT
from tests.cast import NOON
from tests.webhooks import STRAIGHT
with context.in_tenant("t_acme"):
    lanes.deliver_one(endpoint_id=int(sys.argv[2]), rng=STRAIGHT, at=NOON)
"""


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_process_was_sending_is_sent_again_with_the_same_id(acme):
    with StandIn() as stand_in:
        stand_in.receiver.mode = "held up"
        endpoint, secret = webhooks.add(stand_in.url)
        happen(1)
        database = connection.settings_dict["NAME"]
        with subprocess.Popen([sys.executable, "-c", SENDER, database, str(endpoint.pk)], cwd=ROOT) as sender:  # noqa: S603
            assert stand_in.receiver.arrived.wait(timeout=60)
            sender.kill()
        stand_in.receiver.mode = "fine"
        sent_at_once = send_due(at=NOON)

        send_due(at=NOON + claims.LEASE)

        first, again = stand_in.receiver.came
        assert (sent_at_once, sender.returncode) == (0, -signal.SIGKILL)
        assert (first.message_id, first.body) == (again.message_id, again.body)
        assert webhooks.read(again, secret, at=NOON + claims.LEASE)["object"]["id"] == 1
    assert webhooks.statuses(endpoint) == [("reward.granted", "delivered", 1)]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_something_is_sent(acme):
    with StandIn() as stand_in:
        stand_in.receiver.mode = "held up"
        endpoint, _ = webhooks.add(stand_in.url)
        happen(1)

        def look_meanwhile() -> tuple[bool, str]:
            stand_in.receiver.arrived.wait(timeout=10)
            # Whoever deletes a webhook, or scores, does not wait for its receiver.
            with transaction():
                found = Endpoint.objects.select_for_update(nowait=True).get(pk=endpoint.pk)
                delivery = Delivery.objects.select_for_update(nowait=True).get()
            stand_in.receiver.may_answer.set()
            return delivery.claimed_until is not None, found.status

        attempt, meanwhile = at_once(
            lambda: lanes.deliver_one(endpoint_id=endpoint.pk, rng=STRAIGHT, at=NOON), look_meanwhile
        )

    assert (meanwhile, attempt.is_delivered) == ((True, "active"), True)


@pytest.mark.django_db(transaction=True)
def test_a_webhook_that_is_deleted_while_facts_are_recorded_leaves_neither_in_the_way(acme):
    endpoint, _ = webhooks.add("https://shop.example.com/hooks")
    recorded, may_commit = threading.Event(), threading.Event()

    @transaction
    def record():
        facts.record(facts=[Fact("reward.granted", "r:1", {"reward_id": 1, "kind": "points", "what": ""})], at=NOON)
        recorded.set()
        may_commit.wait(timeout=10)

    def delete() -> None:
        recorded.wait(timeout=10)
        threading.Timer(0.3, may_commit.set).start()
        webhooks.act(endpoints.delete, endpoint)

    at_once(record, delete)

    assert (Endpoint.objects.count(), Delivery.objects.count()) == (0, 0)
    assert Event.objects.filter(key="r:1").exists()


@pytest.mark.django_db(transaction=True)
def test_the_tasks_open_as_many_lanes_as_a_webhook_may_have_and_use_them(acme, monkeypatch):
    sent = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **told: sent.append((name, told["kwargs"])))
    with StandIn() as stand_in:
        now = tasks.now()
        endpoint, _ = webhooks.add(stand_in.url, at=now)
        happen(0, at=now)
        send_due(at=now)
        happen(*range(1, 10), at=now)
        sent.clear()

        tasks.deliver(schema_name="t_acme")
        opened = list(sent)
        for _name, told_of in opened:
            tasks.deliver_on(**told_of)

        on_one = {"schema_name": "t_acme", "endpoint_id": endpoint.pk}
        assert opened == [("integrations.tasks.deliver_on", on_one)] * 4
        assert len(ids_of(stand_in.receiver)) == 10


@pytest.mark.django_db(transaction=True)
def test_forty_silent_webhooks_of_a_tenant_hold_up_nobody_elses(acme, bolt, monkeypatch):
    with StandIn() as silent, StandIn() as good, ThreadPoolExecutor(lanes.THREADS) as worker:
        silent.receiver.mode = "held up"
        _send_with(worker, monkeypatch)
        with context.in_tenant("t_bolt"), transaction():
            made, _secret = endpoints.add(wanted=Wanted(url=silent.url), by=webhooks.MARTA, at=tasks.now())
            # More than a tenant may add, as two tenants with twenty each.
            copies = [Endpoint(url=made.url, kinds=made.kinds, secret=made.secret, created_at=NOON) for _ in range(39)]
            Endpoint.objects.bulk_create(copies)
            told_of = Fact("reward.granted", "reward:1:granted", {"reward_id": 1, "kind": "points", "what": ""})
            facts.record(facts=[told_of], at=tasks.now())
        webhooks.add(good.url, at=tasks.now())
        tasks.deliver(schema_name="t_bolt")
        _wait_until(lambda: len(silent.receiver.came) >= lanes.QUARTER)
        began = time.monotonic()

        happen(1, at=tasks.now())
        tasks.deliver(schema_name="t_acme")
        _wait_until(lambda: good.receiver.came)

        took_seconds = time.monotonic() - began
        came_meanwhile = len(silent.receiver.came)
        silent.receiver.may_answer.set()
    assert (came_meanwhile, silent.receiver.at_once_max) == (lanes.QUARTER, lanes.QUARTER)
    assert took_seconds < 3


def _send_with(worker: ThreadPoolExecutor, monkeypatch) -> None:
    """Let what is sent to Celery be done by threads, as its worker for webhooks does it."""

    def do(told):
        try:
            tasks.deliver_on(**told)
        finally:
            connections.close_all()

    monkeypatch.setattr(current_app, "send_task", lambda _name, **told: worker.submit(do, told["kwargs"]))


def _wait_until(is_so) -> None:
    ends = time.monotonic() + 8
    while not is_so() and time.monotonic() < ends:
        time.sleep(0.02)
    assert is_so()


@pytest.mark.django_db(transaction=True)
def test_the_sweep_finds_what_no_bell_was_rung_for(acme, monkeypatch):
    sent = []
    webhooks.add("https://shop.example.com/hooks", at=tasks.now())
    monkeypatch.setattr(current_app, "send_task", lambda name, **told: sent.append((name, told["kwargs"])))
    tasks.sweep()
    before = list(sent)
    happen(1, at=tasks.now())
    sent.clear()
    time.sleep(0.25)

    tasks.sweep()

    assert (before, sent) == ([], [("integrations.tasks.deliver", {"schema_name": "t_acme"})])


@pytest.mark.django_db(transaction=True)
def test_a_long_log_is_gone_through_by_a_task_and_by_the_sweep_where_the_task_was_lost(acme, monkeypatch):
    sent = []
    monkeypatch.setattr(resending, "PIECE", 2)
    monkeypatch.setattr(current_app, "send_task", lambda name, **told: sent.append((name, told["kwargs"])))
    now = tasks.now()
    happen(*range(9), at=now)
    endpoint, _ = webhooks.add("https://shop.example.com/hooks", at=now)
    begun = webhooks.act(resending.resend_since, endpoint, since=now, which="undelivered", at=now)
    monkeypatch.setattr(tasks, "TURN_SECONDS", 0.0)

    def the_rest():
        after_id = resending.find_course(Endpoint.objects.get()).after_id
        return (resending.TASK, {"schema_name": "t_acme", "endpoint_id": endpoint.pk, "after_id": after_id})

    first = the_rest()
    sent_by_the_request = sent.count(first)

    tasks.resend(**first[1])
    after_a_turn = Delivery.objects.count()
    sent_by_the_turn = sent.count(the_rest())
    # Nobody came for the rest; and whoever comes for what is done already leaves nothing to anybody.
    late = resending.find_course(Endpoint.objects.get()).as_json() | {"moved_at": (now - HOUR).isoformat()}
    Endpoint.objects.update(resending=late)
    sent.clear()
    tasks.resend(**first[1])
    sent_by_who_is_late = [each for each in sent if each[0] == resending.TASK]
    tasks.sweep()
    sent_by_the_sweep = sent.count(the_rest())
    monkeypatch.setattr(tasks, "TURN_SECONDS", 5.0)
    tasks.resend(**the_rest()[1])

    assert (begun.count, sent_by_the_request, after_a_turn, sent_by_the_turn) == (2, 1, 4, 1)
    assert (sent_by_who_is_late, sent_by_the_sweep) == ([], 1)
    course = resending.find_course(Endpoint.objects.get())
    assert (course.count, course.is_done, Delivery.objects.count()) == (9, True, 9)


def test_what_is_older_than_thirty_days_is_forgotten_whatever_became_of_it(acme):
    webhooks.add("https://shop.example.com/hooks")
    happen(1, 2, 3)
    happen(4, at=NOON + HOUR)

    counts = [keeping.purge(limit=2, at=NOON + keeping.KEPT + MINUTE) for _ in range(3)]

    assert counts == [2, 1, 0]
    assert Delivery.objects.get().event.key == "reward:4:granted"


def test_one_that_takes_long_waits_for_the_sweep_after_its_turn(acme, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(lanes, "SLOW_MS", 50)
    monkeypatch.setattr(current_app, "send_task", lambda name, **told: sent.append(name))
    with StandIn() as stand_in:
        stand_in.receiver.delay_seconds = 0.1
        now = tasks.now()
        endpoint, _ = webhooks.add(stand_in.url, at=now)
        happen(1, 2, at=now)

        tasks.deliver_on(schema_name="t_acme", endpoint_id=endpoint.pk)

        assert (len(stand_in.receiver.came), sent) == (1, [])
        assert lanes.is_any_due(at=now)


def test_a_task_that_is_late_for_its_turn_leaves_the_rest_to_the_next(acme, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(current_app, "send_task", lambda name, **told: sent.append(name))
    with StandIn() as stand_in:
        now = tasks.now()
        endpoint, _ = webhooks.add(stand_in.url, at=now)
        happen(1, 2, at=now)

        tasks.deliver_on(schema_name="t_acme", endpoint_id=endpoint.pk)

        assert (len(stand_in.receiver.came), sent) == (1, ["integrations.tasks.deliver_on"])


def test_a_lease_is_longer_than_an_attempt_can_take():
    # As much again, for the database to be waited for before and after.
    assert claims.LEASE.total_seconds() > outcomes.SECONDS_MAX * 2

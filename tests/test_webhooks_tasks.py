"""The tasks that deliver webhooks: how many there are, how long each goes on, and who comes for what is left."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from celery import current_app
from django.db import connections

from core.db import transaction
from events import facts
from events.facts import Fact
from integrations import tasks
from integrations.models import Delivery, Endpoint
from integrations.webhooks import endpoints, lanes, resending
from integrations.webhooks.endpoints import Wanted
from tenants import context
from tests import webhooks
from tests.cast import NOON
from tests.stand_ins.receivers import StandIn
from tests.webhooks import happen, ids_of, send_due

HOUR = timedelta(hours=1)


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

"""Requests with an Idempotency-Key under fire: real servers, whose processes are killed at any moment."""

import http.client
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psutil
import pytest
from django.conf import settings

from core.db import execute, fetch, transaction
from events import handling
from events.models import Event
from members.models import Member
from rewards import ledger
from rewards.models import Adjustment, Posting, Reward
from tenants import keys
from tenants.staff.models import Answer
from tests.cast import NOON, Shop, make_campaign
from tests.serving import Server, Told, served, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = 20
SECONDS_MAX = 120
KILLED_TIMES = 4
# What a client sends again: the first request is still at work, or the server was away.
AGAIN = {409: "idempotency_key_in_use", 503: "service_unavailable"}

type_of_caller = Callable[..., Told]


@pytest.fixture
def server(acme) -> Iterator[Server]:
    with served(processes=2) as server:
        yield server


@pytest.fixture
def call(acme, server) -> type_of_caller:
    """Return what sends a request to acme's API with a key that may do everything, once."""
    _row, key = keys.issue(tenant=acme, environment="live", name="test", scopes=keys.ALL_SCOPES, at=NOON)

    def ask(path: str, body: Any, *, idempotency_key: str) -> Told:
        told: Told = server.ask(
            "POST",
            f"/api/v1/{path}",
            body=body,
            host=f"acme.{settings.BASE_DOMAIN}",
            Authorization=f"Bearer {key}",
            Idempotency_Key=idempotency_key,
        )
        return told

    return ask


def insist(call: type_of_caller, *what: Any, **key: str) -> Told:
    """Send a request until it is answered, as a client does that wants it done."""
    ends = time.monotonic() + SECONDS_MAX
    while time.monotonic() < ends:
        with suppress(OSError, http.client.HTTPException):
            told = call(*what, **key)
            if told.status not in AGAIN or told.json()["code"] != AGAIN[told.status]:
                return told
        time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 (no secret)
    pytest.fail("It was never answered.")


def all_insist(call: type_of_caller, path: str, body: Any) -> list[Told]:
    """Let twenty clients insist at once on the same, with one key."""
    barrier = threading.Barrier(TIMES)

    def client(_number: int) -> Told:
        barrier.wait(timeout=30)
        return insist(call, path, body, idempotency_key="once")

    with ThreadPoolExecutor(TIMES) as pool:
        return list(pool.map(client, range(TIMES)))


def kill_at_random(server: Server, over: threading.Event) -> int:
    """Kill all processes of the server a moment after they have come up, a few times; return how many that were."""
    killed = 0
    for _time in range(KILLED_TIMES):
        while not over.is_set() and not server.answers():
            time.sleep(0.02)
        # As long as a few requests take.
        time.sleep(random.uniform(0.0, 0.1))  # noqa: S311 (no secret)
        for process in server.workers():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
                killed += 1
    return killed


def under_fire(server: Server, act: Callable[[], list[Told]]) -> list[Told]:
    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(kill_at_random, server, over)
        try:
            told = act()
        finally:
            over.set()
        assert killing.result() > 0
    return told


def kinds_of(told: list[Told]) -> set[tuple[int, str]]:
    return {(each.status, each.body) for each in told}


def test_twenty_at_once_are_one_and_are_answered_alike(call):
    told = all_insist(call, "members", {"external_id": "anna"})

    assert [*kinds_of(told)] == [(201, told[0].body)]
    assert told[0].json()["created"] is True
    assert sum("Idempotent-Replayed" in each.headers for each in told) == TIMES - 1
    assert (Member.objects.count(), Answer.objects.count()) == (1, 1)


def test_twenty_at_once_move_money_once_while_processes_are_killed(call, server):
    Shop().joins("anna")
    body = {"member": "anna", "asset": "points", "amount": 50, "reason": "Sorry", "key": "desk-1"}

    told = under_fire(server, lambda: all_insist(call, "adjustments", body))

    assert [*kinds_of(told)] == [(201, told[0].body)]
    assert (Adjustment.objects.count(), Posting.objects.count(), Answer.objects.count()) == (1, 1, 1)
    assert ledger.verify() == []


def test_twenty_at_once_report_an_event_once_and_it_is_rewarded_once_while_processes_are_killed(call, server):
    make_campaign(rule={"trigger": "check_in", "recipient": "actor", "order_number": "any"})
    body = {"key": "visit-1", "kind": "check_in", "member": {"external_id": "anna"}}

    told = under_fire(server, lambda: all_insist(call, "events", body))
    for _round in range(3):
        handling.handle_batch(schema="t_acme", at=NOON, limit=7)

    assert [*kinds_of(told)] == [(202, told[0].body)]
    assert "replayed" not in told[0].json()
    assert {each.headers["Location"] for each in told} == {f"/api/v1/events/{told[0].json()['id']}"}
    assert (Event.objects.filter(source="api").count(), Reward.objects.count(), Answer.objects.count()) == (1, 1, 1)
    assert ledger.verify() == []


def waits_to_answer() -> bool:
    return bool(fetch("SELECT FROM pg_locks WHERE relation = 't_acme.staff_answer'::regclass AND NOT granted"))


def test_a_process_killed_between_its_work_and_its_answer_leaves_neither(call, server):
    Shop().joins("anna")
    body = {"member": "anna", "asset": "points", "amount": 50, "reason": "Sorry", "key": "desk-1"}
    lost: list[Any] = []

    def send() -> None:
        try:
            lost.append(call("adjustments", body, idempotency_key="once"))
        except (OSError, http.client.HTTPException) as error:
            lost.append(error)

    sending = threading.Thread(target=send)
    with transaction():
        # First answers can be read, and none can be written: the work is done by then.
        execute("LOCK TABLE staff_answer IN SHARE ROW EXCLUSIVE MODE")
        sending.start()
        wait_until(waits_to_answer)
        second = call("adjustments", body, idempotency_key="once")
        for process in server.workers():
            os.kill(process.pid, signal.SIGKILL)
    # Only now does PostgreSQL find that nobody is there to commit it.
    wait_until(lambda: not waits_to_answer())
    sending.join(timeout=30)
    assert (second.status, second.json()["code"]) == (409, "idempotency_key_in_use")
    assert isinstance(lost[0], OSError | http.client.HTTPException)
    assert (Adjustment.objects.count(), Posting.objects.count(), Answer.objects.count()) == (0, 0, 0)

    told = insist(call, "adjustments", body, idempotency_key="once")

    assert (told.status, "Idempotent-Replayed" in told.headers) == (201, False)
    assert (Adjustment.objects.count(), Posting.objects.count(), Answer.objects.count()) == (1, 1, 1)
    assert ledger.verify() == []

"""Everybody at once at the edge of each kind of limit, and a worker killed in between: never one over."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from antifraud.limits import counters
from antifraud.models import FraudPolicy
from campaigns.models import Limit
from core.db import execute, fetch, transaction
from events import claims, handling
from events.models import Event
from rewards import ledger
from rewards.models import Asset, Reward
from tests.cast import Shop, make_campaign
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parent.parent
ORDERS = 50
EACH_ORDER = {"recipient": "actor", "order_number": "any"}
TO_INVITER = {"recipient": "inviter", "order_number": "any"}
# Per whom or what → whose orders they are, and whom they are rewarded for.
WHO: dict[str, tuple[Callable[[int], dict[str, str]], dict[str, str]]] = {
    "member": (lambda _nth: {"external_id": "anna"}, EACH_ORDER),
    "inviter": (lambda nth: {"external_id": f"friend-{nth}"}, TO_INVITER),
    "device": (lambda nth: {"external_id": f"somebody-{nth}", "device": "tablet-1"}, EACH_ORDER),
    "card": (lambda nth: {"external_id": f"somebody-{nth}", "card": "tok_1"}, EACH_ORDER),
    "campaign": (lambda nth: {"external_id": f"somebody-{nth}"}, EACH_ORDER),
}
TEN = {"max_count": 10}
KINDS: list[dict[str, Any]] = [
    {"per": "member", "period": "month", **TEN},
    {"per": "inviter", "period": "ever", **TEN},
    {"per": "device", "period": "day", **TEN},
    {"per": "card", "period": "week", **TEN},
    {"per": "campaign", "period": "hour", **TEN},
    {"per": "device", "period": "rolling", "days": 7, **TEN},
    {"per": "member", "period": "rolling", "days": 30, "max_points": 1_050},
    {"per": "inviter", "period": "month", "max_cost_minor": 105_000},
]


@pytest.fixture
def shop(acme) -> Iterator[Shop]:
    Asset.objects.filter(code="points").update(minor_per_unit=100)
    # Fifty friends in a moment are suspicious; here only limits say no.
    FraudPolicy.objects.update(flag_from=30_000, refuse_from=31_000)
    shop = Shop()
    shop.joins("anna")
    yield shop
    assert ledger.verify() == []
    assert counters.verify(zone="Europe/Moscow") == []


def everybody(shop: Shop, per: str) -> None:
    """Let whoever is to be invited have joined."""
    if per == "inviter":
        code = shop.code_of("anna")
        for nth in range(ORDERS):
            shop.report("member.joined", f"friend-{nth}", code=code)
        shop.handle()


def order(shop: Shop, who: dict[str, str], number: int) -> Callable[[], Any]:
    data: dict[str, Any] = {"order_id": f"o{number}", "amount_minor": 50_000, "currency": "RUB"}
    return lambda: shop.report("order.paid", who, key=f"o{number}", **data)


def worker(shop: Shop) -> Callable[[], None]:
    def act() -> None:
        ends = time.monotonic() + 60
        while Event.objects.filter(kind="order.paid", status="handled").count() < ORDERS and time.monotonic() < ends:
            with suppress(claims.Busy):
                handling.handle_batch(schema="t_acme", at=shop.at, limit=7)

    return act


def all_at_once(shop: Shop, per: str) -> None:
    who, _rule = WHO[per]
    orders = [order(shop, who(number), number) for number in range(ORDERS)]
    at_once(*orders, *[worker(shop)] * 3)


@pytest.mark.parametrize("bound", KINDS, ids=lambda bound: f"{bound['per']} {bound['period']}")
def test_fifty_orders_at_once_and_room_for_ten(shop, bound):
    everybody(shop, bound["per"])
    make_campaign(rule=WHO[bound["per"]][1], limits=[bound])

    all_at_once(shop, bound["per"])

    assert Reward.objects.count() == 10


@pytest.mark.parametrize("bound", [KINDS[2], KINDS[6]], ids=["device", "member, so many days"])
def test_fifty_orders_at_once_and_two_campaigns_with_room_for_ten_together(shop, bound):
    for name in ("Spring", "Summer"):
        make_campaign(rule=EACH_ORDER, name=name)
    Limit.objects.create(campaign=None, **bound)

    all_at_once(shop, bound["per"])

    assert Reward.objects.count() == 10


def test_fifty_orders_at_once_and_money_for_nine_and_a_half(shop):
    make_campaign(rule=EACH_ORDER, budget_minor=95_000, when_short="cap")

    all_at_once(shop, "campaign")

    assert sorted(Reward.objects.values_list("given", "cost_minor")) == [(50, 5_000)] + [(100, 10_000)] * 9


# A worker is killed

HANDLE = """
import django
django.setup()
from datetime import datetime
from events import handling
from tenants import context
with context.in_tenant("t_acme"):
    while handling.handle_batch(schema="t_acme", at=datetime.fromisoformat({at!r}), limit=7):
        pass
"""


@contextmanager
def process_of(at: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker of its own against the test's database."""
    name, host = connection.settings_dict["NAME"], connection.settings_dict["HOST"]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings_test",
        "DATABASE_URL": f"postgresql://postgres@/{name}?host={host}",
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-c", HANDLE.format(at=at.isoformat())]
    process = subprocess.Popen(command, env=environment, cwd=ROOT)  # noqa: S603 (this checkout's own code)
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


def wait_until(is_so: Callable[[], bool], *, seconds: int = 60) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "It has not happened."
        time.sleep(0.02)


def waits_to_write() -> bool:
    return bool(fetch("SELECT FROM pg_locks WHERE relation = 't_acme.antifraud_counter'::regclass AND NOT granted"))


@pytest.mark.parametrize("bound", [KINDS[0], KINDS[2], KINDS[5]], ids=["member", "device", "device, so many days"])
def test_a_worker_killed_between_its_rewards_and_its_counters_leaves_neither(shop, bound):
    make_campaign(rule=EACH_ORDER, limits=[bound])
    who, _rule = WHO[bound["per"]]
    for number in range(ORDERS):
        order(shop, who(number), number)()

    with process_of(shop.at) as killed:
        with transaction():
            # Counters can be read, and not be written.
            execute("LOCK TABLE antifraud_counter IN SHARE ROW EXCLUSIVE MODE")
            wait_until(waits_to_write)
            os.kill(killed.pid, signal.SIGKILL)
            killed.wait(timeout=10)
        wait_until(lambda: not waits_to_write())
    assert Reward.objects.count() == 0
    assert Event.objects.filter(kind="order.paid", status="handled").count() == 0

    at_once(*[worker(shop)] * 3)

    assert Reward.objects.count() == 10

"""A batch takes the same few statements, whatever its size and whatever is in it."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from antifraud.models import StopRule, Trip
from campaigns.models import Limit
from events import handling, inbox
from events.models import Event
from events.reports import Sender, read
from rewards.models import Asset, Level, Reward
from rewards.tests.gifts import gift
from tests.cast import make_campaign

pytestmark = pytest.mark.django_db

STATEMENTS_MAX = 16
# Where the batch has gifts, promises to keep, or the tenant a ladder of levels.
MORE_MAX = 12
SENDER = Sender(schema="t_acme", region="RU", may_backfill=False)


def report(shop, bodies: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
    """Report (kind, who, data) in one request."""
    reports = [
        read(
            body={
                "key": f"bulk-{next(shop.numbers)}",
                "kind": kind,
                "member": {"external_id": who, "device": "of-zoe" if who.startswith("zoe") else f"of-{who}"},
                "data": data,
                "occurred_at": shop.at.isoformat(),
            },
            sender=SENDER,
            at=shop.at,
        )
        for kind, who, data in bodies
    ]
    inbox.record(reports=reports, at=shop.at)


def order(number: str) -> dict[str, Any]:
    return {"order_id": number, "amount_minor": 50_000, "currency": "RUB"}


def mixed(shop, name: str, size: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Return a batch in which everything happens that can: half of them cheats, some refunds, some too early."""
    acts: list[tuple[str, str, dict[str, Any]]] = []
    for number in range(size // 5):
        friend, code = f"{name}-{number}", shop.code_of("anna" if number % 2 else "zoe")
        acts += [
            ("member.joined", friend if number % 2 else f"zoe-{friend}", {"code": code}),
            ("order.paid", friend if number % 2 else f"zoe-{friend}", order(f"{name}-{number}")),
            ("order.refunded", "anna", {"order_id": f"before-{number}", "refund_id": name, "amount_minor": 5_000}),
            ("order.cancelled", "anna", {"order_id": f"nobody-knows-{name}-{number}"}),
            ("check_in", "anna", {}),
        ]
    return acts


def handle(shop) -> list[str]:
    """Handle one batch and return its statements; a test's savepoints stand for BEGIN and COMMIT."""
    with CaptureQueriesContext(connection) as queries:
        handling.handle_batch(schema="t_acme", at=shop.at)
    return [
        query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN"))
    ]


@pytest.fixture
def busy_shop(shop):
    """Return a shop in which every statement is needed: ladders, limits, holds, stop rules, orders to be refunded."""
    make_campaign(
        name="Friends",
        rule={"recipient": "both", "amount_kind": "tiers", "amount_points": None},
        tiers=((1, 100), (3, 200)),
        limits=[
            {"per": "member", "period": "month", "max_count": 30},
            {"per": "campaign", "period": "day", "max_points": 9000},
            {"per": "inviter", "period": "rolling", "days": 30, "max_count": 10**6},
            {"per": "device", "period": "rolling", "days": 7, "max_cost_minor": 10**9},
        ],
        when_short="cap",
    )
    make_campaign(
        name="Orders", rule={"recipient": "actor", "order_number": "any", "hold_days": 14}, budget_points=10_000
    )
    make_campaign(name="Visits", rule={"trigger": "check_in", "recipient": "actor", "order_number": "any"})
    for per in ("member", "card", "campaign"):
        Limit.objects.create(campaign=None, per=per, period="hour", max_count=10**6)
    # All are watched, and none fires: a trip takes a few statements more.
    StopRule.objects.update(threshold=10**9)
    StopRule.objects.create(metric="rewards", scope="channel", threshold=100_000, action="flag")
    report(shop, [("member.joined", "zoe", {}), *(("order.paid", "anna", order(f"before-{n}")) for n in range(40))])
    shop.handle()
    return shop


def test_ten_events_and_two_hundred_take_the_same_statements(busy_shop):
    counts = {}
    for size in (10, 200):
        report(busy_shop, mixed(busy_shop, f"of{size}", size))
        counts[size] = len(handle(busy_shop))

    assert counts[10] == counts[200] <= STATEMENTS_MAX
    outcomes = set(Event.objects.filter(key__startswith="bulk").values_list("status", "error"))
    assert outcomes == {("handled", ""), ("waiting", "unknown_order")}


def test_gifts_promises_and_levels_add_the_same_few(busy_shop):
    gift("privilege", code="vip")
    extras = [{"kind": "privilege", "what": "vip", "amount": 1}]
    rule = {"recipient": "actor", "order_number": "any", "extras": extras}
    make_campaign(name="Gifts", rule=rule)
    make_campaign(name="Promises", rule={**rule, "extras": [], "awaits": "check_in"})
    Level.objects.create(code="gold", name="Gold", threshold=10**9, multiplier_bps=20_000)
    Asset.objects.filter(code="points").update(balance_max=10**9)
    busy_shop.tells("check_in", "zoe")
    counts = {}
    for size in (10, 200):
        report(busy_shop, mixed(busy_shop, f"of{size}", size))
        counts[size] = len(handle(busy_shop))

    assert counts[10] == counts[200] <= STATEMENTS_MAX + MORE_MAX
    # Of forty friends twenty buy on one device, which waits for a moderator; of the first two nobody need.
    assert Reward.objects.filter(kind="privilege", status="granted").count() == 22


def test_an_order_whose_returns_came_before_it_takes_the_same_statements(busy_shop):
    counts = {}
    for size in (1, 100):
        number = f"late-{size}"
        data = {"order_id": number, "amount_minor": 1}
        returns = [("order.refunded", "anna", {**data, "refund_id": str(nth)}) for nth in range(size)]
        report(busy_shop, returns)
        handle(busy_shop)
        report(busy_shop, [("order.paid", "anna", order(number))])
        counts[size] = len(handle(busy_shop))
        assert Event.objects.filter(kind="order.refunded", status="waiting", next_at=None).count() == size
        busy_shop.handle()

    assert counts[1] == counts[100] <= STATEMENTS_MAX
    assert not Event.objects.exclude(status="handled").exists()


def test_as_many_trips_as_there_are_take_as_many_statements_as_one(busy_shop):
    StopRule.objects.create(metric="signups", scope="inviter", threshold=1, window_minutes=60, action="flag")
    counts = {}
    for inviters in (1, 20):
        acts = [
            ("member.joined", f"friend-{inviters}-{number}-{nth}", {"code": busy_shop.code_of(name)})
            for number in range(inviters)
            for name in [f"of-{inviters}-{number}"]
            if busy_shop.joins(name)
            for nth in range(2)
        ]
        report(busy_shop, acts)
        counts[inviters] = len(handle(busy_shop))

    assert Trip.objects.count() == 21
    assert counts[1] == counts[20] <= STATEMENTS_MAX + 2


def test_events_that_earn_nothing_take_fewer(shop):
    make_campaign()
    report(shop, [("check_in", "anna", {})] * 1)
    handle(shop)
    report(shop, [("check_in", "anna", {}), ("check_in", "boris", {})])

    assert len(handle(shop)) <= 10


def test_looking_for_what_waits_takes_one_statement(shop):
    assert len(handle(shop)) == 1

"""Whether events are handled one by one or two hundred at once makes no difference to anybody."""

from collections import Counter as Counted
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antifraud.models import Case, Counter, StopRule, Trip
from events import handling
from events.models import Event, Order
from referrals.models import Referral
from rewards.models import Account, Entitlement, Reward
from rewards.tests.gifts import gift
from rewards.tests.units import make_asset
from tests.cast import NOON, Shop, codes_of, make_campaign

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DEVICES = {"clara": "phone-1", "denis": "phone-1", "anna": "phone-2", "elena": "phone-2"}
NAMES = ["anna", "boris", "clara", "denis", "elena"]

names = st.sampled_from(NAMES)
numbers = st.integers(0, 4)
acts = st.one_of(
    st.tuples(st.just("joins"), names, st.sampled_from([*NAMES, ""])),
    st.tuples(st.just("pays"), names, numbers),
    st.tuples(st.just("pays"), names, numbers),
    st.tuples(st.just("refunds"), names, numbers),
    st.tuples(st.just("cancels"), names, numbers),
    st.tuples(st.just("checks_in"), names, numbers),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(acts, max_size=14))
def test_the_size_of_batches_makes_no_difference(campaigns, caplog, history):
    assert play(history, batch=1) == play(history, batch=200)
    assert caplog.messages == []


def play(history: list[tuple[str, str, Any]], *, batch: int) -> dict[str, Any]:
    """Let it happen, handle it in batches of that size, and return what anybody could see of it. Nothing stays."""
    before = transaction.savepoint()
    shop = Shop()
    reported = [event for number, act in enumerate(history) if (event := _report(shop, number, *act))]
    # What came before its order waits for it, and is due when the clock goes on.
    for _look in range(3):
        while handling.handle_batch(schema="t_acme", at=shop.at, limit=batch):
            pass
        shop.at += timedelta(minutes=2)
    seen = _seen(shop, reported)
    transaction.savepoint_rollback(before)
    return seen


@pytest.fixture
def campaigns(acme):
    shop = Shop()
    for name in NAMES:
        shop.tells("custom.made", {"external_id": name, **({"device": DEVICES[name]} if name in DEVICES else {})})
    ago: dict[str, Any] = {"at": NOON - 5 * HOUR}
    limits: list[dict[str, Any]] = [
        {"per": "member", "period": "day", "max_count": 3},
        {"per": "campaign", "period": "ever", "max_points": 550},
    ]
    make_campaign(name="Friends", rule={"recipient": "both"}, limits=limits, when_short="cap", **ago)
    welcome = {"trigger": "member.joined", "order_number": "any", "amount_kind": "tiers", "amount_points": None}
    make_campaign(name="Ladder", rule=welcome, tiers=((1, 10), (2, 20), (3, 30)), **ago)
    percent = {"amount_kind": "percent", "rate_bps": 1_000, "amount_points": None, "hold_days": 14}
    make_campaign(name="Orders", rule={"recipient": "actor", "order_number": "any", **percent}, budget_points=90, **ago)
    visit = {"trigger": "check_in", "recipient": "actor", "order_number": "any"}
    visits = make_campaign(name="Visits", rule=visit, exclusive_group="visits", **ago)
    make_campaign(name="Visits too", rule=visit, exclusive_group="visits", **ago)
    _more(ago)
    StopRule.objects.create(campaign=visits, metric="rewards", threshold=2, window_minutes=60)


def _more(ago: dict[str, Any]) -> None:
    """Let several things be given at once, be promised, and depend on what is left of an order."""
    make_asset("stars", balance_max=5)
    gift("privilege", code="vip")
    each: dict[str, Any] = {"recipient": "actor", "order_number": "any"}
    several = [{"kind": "points", "what": "stars", "amount": 2}, {"kind": "privilege", "what": "vip", "amount": 1}]
    make_campaign(name="Several", rule={**each, "trigger": "check_in", "amount_points": 5, "extras": several}, **ago)
    make_campaign(name="Promise", rule={**each, "awaits": "check_in", "amount_points": 40}, **ago)
    enough = [{"field": "amount_minor", "operator": "at_least", "value": 15_000}]
    make_campaign(name="Enough", rule={**each, "conditions": enough, "amount_points": 7}, **ago)


def _report(shop: Shop, number: int, verb: str, name: str, what: Any) -> Event | None:
    told: dict[str, Any] = {"key": f"act-{number}", "occurred_at": NOON - number % 4 * HOUR}
    order = f"order-{what}"
    told_by: dict[str, Any] = {"code": shop.code_of(what)} if verb == "joins" and what else {}
    match verb:
        case "joins":
            return shop.report("member.joined", name, **told, **told_by)
        case "pays":
            if Event.objects.filter(business_key=f"order.paid:{order}").exists():
                return None
            return shop.report("order.paid", name, **told, order_id=order, amount_minor=30_000, currency="RUB")
        case "refunds":
            return shop.report(
                "order.refunded", name, **told, order_id=order, refund_id=str(number), amount_minor=11_000
            )
        case "cancels":
            return shop.report("order.cancelled", name, **told, order_id=order)
    return shop.report("check_in", name, **told)


def _seen(shop: Shop, reported: list[Event]) -> dict[str, Any]:
    known = {shop.id_of(name): name for name in NAMES}
    campaigns = dict(Reward.objects.values_list("campaign_id", "campaign__name"))
    rewards = Reward.objects.values_list(
        "campaign__name",
        "member_id",
        "side",
        "event__key",
        "part",
        "due",
        "given",
        "reversed",
        "lost",
        "status",
        "awaits",
    )
    counters = Counter.objects.filter(scope="campaign").values_list("scope_id", "period", "count", "points")
    for event in reported:
        event.refresh_from_db()
    return {
        "events": [(event.key, event.status, event.error, codes_of(event)) for event in reported],
        "rewards": sorted((row[0], known[row[1]], *row[2:]) for row in rewards),
        "balances": {
            (known[row[0]], row[1]): row[2]
            for row in Account.objects.exclude(member=None).values_list("member_id", "asset__code", "balance")
        },
        "entitlements": sorted(
            (known[row[0]], row[1]) for row in Entitlement.objects.values_list("member_id", "status")
        ),
        "orders": sorted(Order.objects.values_list("number", "refunded_minor", "cancelled_at")),
        "referrals": sorted(
            (known[row[0]], known[row[1]], row[2])
            for row in Referral.objects.values_list("inviter_id", "invitee_id", "qualified_at")
        ),
        "counters": sorted(
            (campaigns[row[0]], *row[1:]) for row in counters if row[0] in campaigns and row[1] != "minute"
        ),
        "limits": sorted(Counter.objects.filter(scope="limit").values_list("period", "count", "points")),
        "trips": list(Trip.objects.values_list("figure", flat=True)),
        "cases": Counted(Case.objects.values_list("status", flat=True)),
    }

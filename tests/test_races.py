"""Whole stories with everybody at work at once: real threads, connections and commits."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from antifraud.limits import counters
from antifraud.models import Case, FraudPolicy, StopRule
from antifraud.moderation import deciding
from antifraud.signals import SIGNALS
from campaigns.models import Campaign
from core.db import transaction
from core.errors import Conflict
from events import claims, handling, retry
from events.models import Event
from rewards import ledger, maturing
from rewards.models import Entitlement, Level, Posting, Reward
from rewards.tests.gifts import gift
from tests.cast import NOON, Shop, edit, make_campaign
from tests.people import staff_of
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

EACH_ORDER = {"recipient": "actor", "order_number": "any"}


@pytest.fixture
def shop(acme) -> Iterator[Shop]:
    shop = Shop()
    shop.joins("anna")
    yield shop
    assert ledger.verify() == []
    assert counters.verify(zone="Europe/Moscow") == []


def work(shop: Shop, *, until: Callable[[], bool]) -> Callable[[], int]:
    """Return the act of a worker: it handles whatever it can get, until what is asked for is true."""

    def act() -> int:
        handled = 0
        while not until():
            with suppress(claims.Busy):
                handled += handling.handle_batch(schema="t_acme", at=shop.at, limit=7)
        return handled

    return act


def all_handled(count: int) -> Callable[[], bool]:
    return lambda: Event.objects.filter(source="api", status="handled").count() >= count


def order(shop: Shop, number: int) -> Callable[[], Any]:
    data: dict[str, Any] = {"order_id": f"o{number}", "amount_minor": 50_000, "currency": "RUB"}
    return lambda: shop.report("order.paid", "anna", key=f"o{number}", **data)


def test_fifty_orders_at_once_and_a_limit_of_ten(shop):
    make_campaign(rule=EACH_ORDER, limits=[{"per": "campaign", "period": "day", "max_count": 10}], budget_points=5_000)
    workers = [work(shop, until=all_handled(51)) for _ in range(3)]

    at_once(*(order(shop, number) for number in range(50)), *workers)

    assert Reward.objects.count() == 10
    assert shop.balance_of("anna") == 1_000
    codes = Counter(entry["code"] for event in Event.objects.filter(kind="order.paid") for entry in event.trace)
    assert codes == {"granted": 10, "limit_count": 40}


def test_fifty_orders_at_once_and_a_budget_for_nine_and_a_half(shop):
    make_campaign(rule=EACH_ORDER, budget_points=950, when_short="cap")
    workers = [work(shop, until=all_handled(51)) for _ in range(3)]

    at_once(*(order(shop, number) for number in range(50)), *workers)

    assert sorted(Reward.objects.values_list("given", flat=True)) == [50] + [100] * 9
    assert shop.balance_of("anna") == 950


def test_orders_meet_cancellations_new_and_failed_ones_and_whoever_tries_those_again(shop):
    make_campaign(rule=EACH_ORDER)
    failed = [shop.cancels("anna", order=f"o{number}") for number in range(8)]
    Event.objects.filter(error="unknown_order").update(status="failed", next_at=None)

    def try_again() -> None:
        for event in failed:
            with suppress(Conflict):
                transaction(retry.retry)(event=event, at=shop.at)

    def cancel() -> None:
        for number in range(8, 16):
            shop.report("order.cancelled", "anna", key=f"back-{number}", order_id=f"o{number}")

    workers = [work(shop, until=all_handled(33)) for _ in range(2)]
    at_once(*(order(shop, number) for number in range(16)), cancel, try_again, *workers)

    assert not Event.objects.exclude(status="handled").exists()
    assert [each.status for each in shop.rewards_of("anna")] == ["reversed"] * 16
    assert shop.balance_of("anna") == 0


def test_one_event_from_twenty_at_once_is_rewarded_once(shop):
    make_campaign(rule=EACH_ORDER)
    workers = [work(shop, until=all_handled(2)) for _ in range(3)]

    at_once(*[order(shop, 1)] * 20, *workers)

    assert Event.objects.filter(kind="order.paid").count() == 1
    assert (Reward.objects.count(), Posting.objects.count(), shop.balance_of("anna")) == (1, 1, 100)


def test_no_two_workers_handle_the_same_event(shop):
    make_campaign(rule=EACH_ORDER)
    for number in range(60):
        order(shop, number)()

    handled = at_once(*[work(shop, until=all_handled(61))] * 4)

    assert sum(handled) == 60
    assert shop.balance_of("anna") == 6_000


@pytest.fixture
def campaign(acme) -> Campaign:
    """Make a campaign in which everything can happen: both sides, held for a day, with a limit and a budget."""
    # Of all that could be seen in twelve friends who give everything back, the telephone alone shall count.
    off = {each.name: {"mode": "off"} for each in SIGNALS if each.name != "self_referral_device"}
    FraudPolicy.objects.update(signals=off)
    StopRule.objects.update(is_active=False)
    return make_campaign(
        rule={"recipient": "both", "order_number": "any", "hold_days": 1},
        limits=[{"per": "campaign", "period": "month", "max_count": 60}],
        budget_points=9_000,
        at=NOON - timedelta(days=3),
    )


@pytest.fixture
def cases(shop, campaign) -> list[Case]:
    """Let twelve friends of Anna's pay, every other one from her phone; what they do next waits to be handled."""
    shop.joins({"external_id": "anna", "device": "phone-1"})
    for number in range(12):
        friend = f"friend-{number}"
        order: dict[str, Any] = {"order_id": f"second-{number}"}
        shop.joins({"external_id": friend, **({"device": "phone-1"} if number % 2 else {})}, invited_by="anna")
        shop.pays(friend, "500", order=f"first-{number}", occurred_at=NOON - timedelta(days=number % 3))
        shop.report("order.refunded", friend, order_id=f"first-{number}", refund_id="1", amount_minor=20_000)
        shop.report("order.paid", friend, **order, amount_minor=50_000, currency="RUB")
        shop.report("order.cancelled", friend, **order)
    return list(Case.objects.order_by("pk"))


def test_workers_moderators_marketers_and_the_clock_do_not_wait_for_each_other_for_ever(shop, campaign, cases):
    max_ = staff_of("moderator", username="max")

    def moderate() -> None:
        for place, case in enumerate(cases):
            decide = deciding.reject if place % 2 else deciding.approve
            transaction(decide)(case=case, by=max_, at=NOON)
            # Others may have used meanwhile what a rejection had freed.
            with suppress(Conflict):
                transaction(deciding.undo)(case=case, by=max_, at=NOON)

    def mature() -> None:
        for days in range(20):
            maturing.release_due(schema="t_acme", limit=2, at=NOON + timedelta(days=days / 10))

    def market() -> None:
        for points in range(1, 20):
            edit(campaign, at=NOON, rule={"amount_points": points})

    everything = Event.objects.filter(source="api").count()
    at_once(moderate, mature, market, *[work(shop, until=all_handled(everything))] * 2)

    assert len(cases) == 6
    assert not Event.objects.exclude(status="handled").exists()


def test_workers_who_meet_at_a_fact_give_what_follows_from_it_once(shop):
    Level.objects.create(code="gold", name="Gold", threshold=100)
    gift("discount", code="thousand")
    make_campaign(rule=EACH_ORDER)
    code = {"reward_kind": "discount", "reward_what": "thousand", "amount_points": 1}
    make_campaign(name="A thousand", rule={**EACH_ORDER, **code, "trigger": "level.reached"})
    for who in ("anna", "boris", "clara"):
        order_of = {"order_id": who, "amount_minor": 50_000, "currency": "RUB"}
        shop.report("order.paid", who, **order_of)

    def are_handled() -> bool:
        return Event.objects.filter(kind="level.reached", status="handled").count() == 3

    at_once(*[work(shop, until=are_handled) for _ in range(4)])

    assert sorted(Entitlement.objects.values_list("member_id", flat=True)) == sorted(
        map(shop.id_of, ("anna", "boris", "clara"))
    )
    assert Reward.objects.count() == 6

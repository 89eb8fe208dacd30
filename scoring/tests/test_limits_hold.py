"""Whatever happens, in whatever order: no window of any limit is overfilled, and counters say what rewards say."""

from contextlib import suppress
from datetime import date, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antifraud.limits import counters
from antifraud.models import Case
from antifraud.moderation import deciding
from core.db import transaction
from core.errors import Conflict
from members import people
from rewards import cancelling, costs
from rewards.actors import Actor
from rewards.models import Asset, Reward
from rewards.tests import hands
from tests.cast import NOON, make_campaign

pytestmark = pytest.mark.django_db

MOSCOW = ZoneInfo("Europe/Moscow")
DAY = timedelta(days=1)
DAYS = 14
LIMITS: list[dict[str, Any]] = [
    {"per": "inviter", "period": "rolling", "days": 5, "max_count": 3},
    {"per": "device", "period": "rolling", "days": 3, "max_points": 250, "when_short": "cap"},
    {"per": "member", "period": "month", "max_cost_minor": 60_050, "when_short": "cap"},
    {"per": "card", "period": "week", "max_count": 4},
]
numbers = count(1)

# What is done: an order so many days ago, or something to one of the orders or cases there are by then.
acts = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(0, DAYS)),
        st.tuples(st.just("pay"), st.integers(0, DAYS)),
        st.tuples(st.just("refund"), st.integers(0, 9)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("reject"), st.integers(0, 9)),
        st.tuples(st.just("approve"), st.integers(0, 9)),
        st.tuples(st.just("undo"), st.integers(0, 9)),
        st.tuples(st.just("call off"), st.integers(0, 9)),
        st.tuples(st.just("spend"), st.integers(1, 99)),
    ),
    min_size=6,
    max_size=16,
)


@pytest.fixture
def campaign(shop):
    Asset.objects.filter(code="points").update(minor_per_unit=100)
    rule = {"recipient": "inviter", "order_number": "any", "hold_days": 1}
    return make_campaign(rule=rule, limits=LIMITS, at=NOON - 60 * DAY)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=acts)
def test_no_window_is_overfilled_and_the_counters_agree(shop, max_, campaign, done):
    # New people each time: what others have done is theirs.
    number = next(numbers)
    inviter, friend = f"inviter-{number}", f"friend-{number}"
    shop.joins({"external_id": inviter, "email": f"same-{number}@example.com"})
    known = {"email": f"same-{number}@example.com", "device": f"tablet-{number}", "card": f"tok_{number}"}
    # The same person: what they earn waits for a moderator.
    shop.joins({"external_id": friend, **known}, invited_by=inviter)
    orders: list[str] = []

    for act, nth in done:
        if act == "pay":
            orders.append(f"{number}-{len(orders)}")
            shop.pays(friend, "500", order=orders[-1], occurred_at=NOON - nth * DAY)
        elif act == "spend":
            spends(shop, inviter, nth)
        elif orders:
            _do(shop, act, friend, orders[nth % len(orders)], by=max_, campaign=campaign)
        _expect_room(shop.id_of(inviter))

    assert counters.verify(zone="Europe/Moscow") == []


def spends(shop, name, points):
    if points <= shop.balance_of(name):
        hands.give(people.get_by_external_id(name), -points)


def _do(shop, act, friend, order, *, by, campaign):
    if act == "refund":
        refund_id = str(next(numbers))
        shop.tells("order.refunded", friend, order_id=order, refund_id=refund_id, amount_minor=17_000)
        return
    if act == "cancel":
        shop.cancels(friend, order=order)
        return
    rewards = Reward.objects.filter(order__number=order, campaign=campaign)
    if act == "call off":
        for reward in rewards:
            with suppress(Conflict), transaction():
                cancelling.cancel(reward=reward, reason="a mistake", actor=Actor("staff", "marta"), at=NOON)
        return
    for case in Case.objects.filter(case_rewards__reward__in=rewards).distinct():
        # Decided already, or nothing to undo, or used by others meanwhile: then nothing has happened.
        with suppress(Conflict):
            getattr(deciding, act)(case=case, by=by, at=NOON)


def _expect_room(member_id):
    rewards = list(Reward.objects.filter(member_id=member_id, status__in=["flagged", "pending", "granted"]))
    days = {each: [] for each in (NOON.date() - nth * DAY for nth in range(-7, 60))}
    for reward in rewards:
        days[reward.occurred_at.astimezone(MOSCOW).date()].append(reward)
    assert _most(days, 5, lambda reward: 1) <= 3
    assert _most(days, 3, lambda reward: reward.given - reward.reversed) <= 250
    months: dict[tuple[int, int], int] = {}
    weeks: dict[date, int] = {}
    for day, found in days.items():
        months[day.year, day.month] = months.get((day.year, day.month), 0) + sum(map(_cost_of, found))
        monday = day - timedelta(days=day.weekday())
        weeks[monday] = weeks.get(monday, 0) + len(found)
    assert max(months.values()) <= 60_050
    assert max(weeks.values()) <= 4


def _most(days, length, of):
    """Return the most in any so many days."""
    return max(sum(of(reward) for nth in range(length) for reward in days.get(first + nth * DAY, ())) for first in days)


def _cost_of(reward):
    return costs.left(cost_minor=reward.cost_minor, given=reward.given, reversed=reward.reversed)

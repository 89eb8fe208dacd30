"""What somebody cancels by hand frees what it used of limits."""

import pytest

from antifraud.limits import counters
from antifraud.models import Counter
from core.db import transaction
from rewards import cancelling, ledger
from rewards.actors import Actor
from rewards.models import Entitlement
from rewards.tests import hands
from rewards.tests.gifts import gift
from tests.cast import NOON, Shop, codes_of, make_campaign

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("hold_days", [0, 14])
def test_what_is_cancelled_frees_its_limit(acme, hold_days):
    shop = Shop()
    limit = {"per": "member", "period": "month", "max_count": 1}
    make_campaign(rule={"recipient": "actor", "order_number": "any", "hold_days": hold_days}, limits=[limit])
    shop.joins("anna")
    shop.pays("anna", "500")
    (reward,) = shop.rewards_of("anna")

    with transaction():
        cancelling.cancel(reward=reward, reason="a mistake", actor=Actor("staff", "marta"), at=NOON)

    assert counters.verify(zone=acme.time_zone) == []
    assert {row.count for row in Counter.objects.exclude(period="minute")} == {0}
    assert shop.balance_of("anna") == 0
    shop.pays("anna", "500")
    assert len(shop.rewards_of("anna")) == 2
    assert ledger.verify() == []


def test_what_a_member_keeps_goes_on_counting(acme):
    """Or whoever spends first would have room for the same once more."""
    shop = Shop()
    limit = {"per": "member", "period": "rolling", "days": 7, "max_count": 1, "max_points": 150}
    make_campaign(rule={"recipient": "actor", "order_number": "any"}, limits=[limit], budget_points=150)
    shop.pays("anna", "500")
    (reward,) = shop.rewards_of("anna")
    hands.give(reward.member, -60)

    with transaction():
        cancelling.cancel(reward=reward, reason="a mistake", actor=Actor("staff", "marta"), at=NOON)

    assert counters.verify(zone=acme.time_zone) == []
    assert sorted(Counter.objects.values_list("scope", "count", "points")) == [("campaign", 1, 60), ("limit", 1, 60)]
    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]
    assert ledger.verify() == []


def test_of_several_parts_all_that_is_kept_goes_on_counting(acme):
    shop = Shop()
    gift("content", code="notes")
    extra = {"extras": [{"kind": "content", "what": "notes", "amount": 1}]}
    limit = {"per": "member", "period": "month", "max_count": 1}
    make_campaign(rule={"recipient": "actor", "order_number": "any", **extra}, limits=[limit])
    shop.pays("anna", "500")
    points, notes = shop.rewards_of("anna")
    Entitlement.objects.filter(reward=notes).update(shown_at=NOON)

    with transaction():
        cancelling.cancel(reward=points, reason="a mistake", actor=Actor("staff", "marta"), at=NOON)

    assert [(each.reversed, each.lost) for each in shop.rewards_of("anna")] == [(100, 0), (0, 1)]
    assert counters.verify(zone=acme.time_zone) == []
    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]

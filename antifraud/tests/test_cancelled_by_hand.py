"""What somebody cancels by hand frees what it used of limits."""

import pytest

from antifraud import counters
from antifraud.models import Counter
from core.db import transaction
from rewards import cancelling, ledger
from rewards.actors import Actor
from tests.cast import NOON, Shop, make_campaign

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

"""What becomes of a rule's product when its parcel is called off or comes back."""

import pytest

from antifraud.limits import counters
from core.db import transaction
from rewards import fulfilment, ledger
from rewards.actors import Actor
from rewards.fulfilment import Shipment
from rewards.models import Entitlement, Gift, Reward
from rewards.tests.gifts import gift
from tests.cast import NOON, make_campaign

pytestmark = pytest.mark.django_db

MARTA = Actor("staff", "marta")
MUG = {"recipient": "actor", "order_number": "any", "reward_kind": "product", "reward_what": "mug", "amount_points": 1}


@pytest.fixture
def mug(shop):
    return gift("product", code="mug", stock=1)


@transaction
def send(parcel):
    fulfilment.mark_sent(ids=[parcel.pk], shipment=Shipment(), actor=MARTA, at=NOON)


@transaction
def call_off(parcel):
    fulfilment.cancel(parcel_id=parcel.pk, reason="Broken", actor=MARTA, at=NOON)


@transaction
def take_back(parcel):
    fulfilment.take_back(parcel_id=parcel.pk, reason="Nobody was at home", actor=MARTA, at=NOON)


def rewards():
    return [(each.status, each.reversed, each.lost) for each in Reward.objects.order_by("pk")]


def stock():
    return Gift.objects.get(code="mug").stock


def test_a_parcel_called_off_takes_back_what_came_along_and_frees_the_limit(shop, mug, acme):
    limit = {"per": "member", "period": "month", "max_count": 1}
    make_campaign(rule={**MUG, "extras": [{"kind": "points", "what": "", "amount": 50}]}, limits=[limit])
    shop.pays("anna", "500")
    assert (rewards(), stock(), shop.balance_of("anna")) == ([("granted", 0, 0)] * 2, 0, 50)

    call_off(Entitlement.objects.get())

    assert (rewards(), stock(), shop.balance_of("anna")) == ([("reversed", 1, 0), ("reversed", 50, 0)], 1, 0)
    assert (ledger.verify(), counters.verify(zone=acme.time_zone)) == ([], [])
    shop.pays("anna", "500")
    assert [each[0] for each in rewards()] == ["reversed", "reversed", "granted", "granted"]


def test_a_parcel_of_a_refunded_order_that_comes_back_is_in_stock_and_its_reward_stays_lost(shop, mug, acme):
    make_campaign(rule=MUG)
    shop.pays("anna", "500", order="A-1")
    parcel = Entitlement.objects.get()
    send(parcel)
    shop.refunds("anna", "500", order="A-1")
    assert (rewards(), stock()) == ([("reversed", 0, 1)], 0)

    take_back(parcel)

    assert (rewards(), stock()) == ([("reversed", 0, 1)], 1)
    assert counters.verify(zone=acme.time_zone) == []

"""The largest balance of an asset: what is pending or flagged counts as if it were there."""

from datetime import timedelta

import pytest

from rewards.models import Asset, Reward
from tests.cast import NOON, codes_of, make_campaign, trace_of

pytestmark = pytest.mark.django_db

EACH_ORDER = {"recipient": "actor", "order_number": "any", "amount_points": 60}


@pytest.fixture(autouse=True)
def hundred(shop):
    Asset.objects.filter(code="points").update(balance_max=100)


@pytest.mark.parametrize("hold_days", [0, 14])
@pytest.mark.parametrize(
    ("when_short", "codes", "given"),
    [("cap", [None, None, "balance_max"], [60, 40]), ("refuse", [None, "balance_max", "balance_max"], [60])],
)
def test_no_more_is_given_than_there_is_room_for(shop, hold_days, when_short, codes, given):
    make_campaign(rule={**EACH_ORDER, "hold_days": hold_days}, when_short=when_short)
    usual = "pending" if hold_days else "granted"

    found = [codes_of(shop.pays("anna", "500"))[0] for _ in range(3)]

    assert found == [code or usual for code in codes]
    assert [(each.due, each.given) for each in Reward.objects.order_by("pk")] == [(60, units) for units in given]


def test_it_says_how_much_there_may_be(shop):
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500")

    (entry,) = trace_of(shop.pays("anna", "500"))

    assert entry["params"] == {"max": 100, "left": 40, "what": ""}
    assert entry["sentence"] == "A member may have 100 at most, with all that is on its way."


def test_orders_of_one_batch_share_the_room(shop):
    make_campaign(rule=EACH_ORDER, when_short="cap")
    for number in range(3):
        shop.report("order.paid", "anna", order_id=f"{number}", amount_minor=100, currency="RUB")

    shop.handle()

    assert [each.given for each in Reward.objects.order_by("pk")] == [60, 40]
    assert shop.balance_of("anna") == 100


def test_each_member_has_room_of_their_own(shop):
    make_campaign(rule=EACH_ORDER)

    assert codes_of(shop.pays("anna", "500")) + codes_of(shop.pays("boris", "500")) == ["granted", "granted"]


def test_what_a_refund_takes_back_makes_room_within_the_batch(shop):
    make_campaign(rule={**EACH_ORDER, "amount_points": 100})
    shop.pays("anna", "500", order="1001")
    shop.report("order.cancelled", "anna", order_id="1001")
    second = shop.report("order.paid", "anna", order_id="1002", amount_minor=100, currency="RUB")

    shop.handle()

    second.refresh_from_db()
    assert codes_of(second) == ["granted"]
    assert shop.balance_of("anna") == 100


def test_a_rejected_or_cancelled_reward_takes_no_room(shop):
    make_campaign(rule={**EACH_ORDER, "amount_points": 100, "hold_days": 14})
    shop.pays("anna", "500", order="1001")
    shop.at = NOON + timedelta(days=1)
    shop.cancels("anna", order="1001")

    assert codes_of(shop.pays("anna", "500")) == ["pending"]

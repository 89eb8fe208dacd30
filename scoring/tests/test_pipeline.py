"""From an event to a reward, through everything that is real."""

import pytest

from antifraud.models import Case
from events.models import Event
from rewards.models import Reward
from scoring import why
from tests.cast import Shop, make_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.joins("anna")
    return shop


def test_an_inviter_is_rewarded_when_the_friend_pays_a_first_order(shop: Shop) -> None:
    make_campaign()

    shop.joins("boris", invited_by="anna")
    paid = shop.pays("boris", "500.00", order="1001")

    assert shop.balance_of("anna") == 100
    assert paid.status == Event.Status.HANDLED
    assert [(entry["outcome"], entry["points"]) for entry in paid.trace] == [("rewarded", 100)]


def test_a_second_order_is_not_a_first_one(shop: Shop) -> None:
    make_campaign()
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500.00")

    second = shop.pays("boris", "500.00")

    assert shop.balance_of("anna") == 100
    assert [entry["code"] for entry in why.rendered(second.trace)] == ["not_first_order"]


def test_an_inviter_who_shares_the_friends_email_waits_for_a_moderator(shop: Shop) -> None:
    make_campaign()
    shop.joins({"external_id": "zoe", "email": "zoe@example.com"})
    shop.joins({"external_id": "zoe2", "email": "zoe+2@example.com"}, invited_by="zoe")

    shop.pays("zoe2", "500.00")

    assert shop.balance_of("zoe") == 0
    assert [reward.status for reward in shop.rewards_of("zoe")] == [Reward.Status.FLAGGED]
    assert Case.objects.filter(status=Case.Status.OPEN).count() == 1


def test_a_refund_takes_back_in_proportion(shop: Shop) -> None:
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop.pays("anna", "500.00", order="1001")

    shop.refunds("anna", "125.00", order="1001")

    assert shop.balance_of("anna") == 75


def test_a_refund_that_comes_before_its_order_waits_for_it(shop: Shop) -> None:
    make_campaign(rule={"recipient": "actor", "order_number": "any"})

    early = shop.refunds("anna", "500.00", order="1001")

    assert (early.status, early.attempts) == (Event.Status.WAITING, 1)
    shop.pays("anna", "500.00", order="1001")
    assert early.next_at
    shop.at = early.next_at
    shop.handle()
    assert shop.balance_of("anna") == 0

"""What may be rewarded once is rewarded once, however often and under whatever name it is told."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Conflict
from events.models import Event
from rewards.models import Reward
from tests.cast import NOON, codes_of, make_campaign

pytestmark = pytest.mark.django_db

# Midnight of acme's Moscow.
MIDNIGHT = datetime(2026, 3, 17, 21, tzinfo=UTC)
CHECK_IN = {"trigger": "check_in", "recipient": "actor", "order_number": "any", "amount_points": 5}


def test_the_same_event_twice_is_rewarded_once(shop):
    make_campaign(rule={"recipient": "actor"})
    first = shop.pays("anna", "500", order="1001", key="k1")

    again = shop.pays("anna", "500", order="1001", key="k1")

    assert again == first
    assert shop.balance_of("anna") == 100


def test_the_same_order_under_another_key_is_refused(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop.pays("anna", "500", order="1001", key="k1")

    with pytest.raises(Conflict):
        shop.pays("anna", "500", order="1001", key="k2")

    assert shop.balance_of("anna") == 100


def test_a_member_joins_once(shop):
    make_campaign(rule={"trigger": "member.joined", "recipient": "actor", "order_number": "any"})
    shop.joins("boris")

    again = shop.joins("boris")

    assert codes_of(again) == ["not_invited", "already_joined"]
    assert shop.balance_of("boris") == 100


@pytest.mark.parametrize("recipient", ["actor", "inviter"])
def test_whoever_had_joined_before_the_campaign_is_not_welcomed_by_joining_again(shop, recipient):
    shop.joins("boris", invited_by="anna")
    shop.at = NOON + timedelta(days=30)
    make_campaign(rule={"trigger": "member.joined", "recipient": recipient, "order_number": "any"}, at=shop.at)

    again = shop.joins("boris")

    assert codes_of(again) == ["not_invited", "already_joined"]
    assert not Reward.objects.exists()


def test_a_day_of_checking_in_ends_at_the_tenants_midnight(shop):
    make_campaign(rule=CHECK_IN)
    instants = [NOON, MIDNIGHT - timedelta(microseconds=1), MIDNIGHT, MIDNIGHT + timedelta(hours=20)]
    shop.at = MIDNIGHT + timedelta(days=1)

    told = [codes_of(shop.tells("check_in", "anna", occurred_at=each)) for each in instants]

    assert told == [["granted"], ["already_rewarded"], ["granted"], ["already_rewarded"]]
    assert shop.balance_of("anna") == 10


def test_two_checkins_of_one_day_in_one_batch_are_rewarded_once(shop):
    make_campaign(rule=CHECK_IN)
    for _ in range(2):
        shop.report("check_in", "anna")

    shop.handle()

    assert shop.balance_of("anna") == 5


def test_events_of_the_tenants_own_are_rewarded_each(shop):
    make_campaign(rule={**CHECK_IN, "trigger": "custom.quiz"})

    for kind in ("custom.quiz", "custom.quiz", "custom.poll"):
        shop.tells(kind, "anna")

    assert shop.balance_of("anna") == 10


def test_every_rule_may_reward_the_same_occurrence(shop):
    make_campaign(rule=CHECK_IN)
    make_campaign(rule=CHECK_IN)

    shop.tells("check_in", "anna")

    assert shop.balance_of("anna") == 10
    assert Reward.objects.values("occurrence").distinct().count() == 1


def test_an_event_that_is_handled_again_is_rewarded_once(shop):
    """As after a restored backup of the queue: the reward is there, and the event waits."""
    make_campaign(rule=CHECK_IN)
    event = shop.tells("check_in", "anna")
    Event.objects.filter(pk=event.pk).update(status="waiting", handled_at=None)

    shop.handle()

    event.refresh_from_db()
    assert codes_of(event) == ["already_rewarded"]
    assert shop.balance_of("anna") == 5

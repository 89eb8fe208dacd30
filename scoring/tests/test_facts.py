"""What we do is recorded as events of our own, each with what caused it."""

from datetime import timedelta

import pytest

from events.models import Event
from rewards import maturing
from rewards.models import Reward
from tests.cast import NOON, make_campaign

pytestmark = pytest.mark.django_db


def facts_of(event):
    """Return what was recorded because of an event."""
    return list(Event.objects.filter(cause=event).order_by("pk"))


def told(facts):
    return [(fact.kind, fact.key, fact.member_id, fact.depth, fact.data) for fact in facts]


def test_a_referral_is_told_of_the_inviter(shop):
    joined = shop.joins("boris", invited_by="anna", channel="site")

    anna, boris = shop.id_of("anna"), shop.id_of("boris")
    data = {"inviter_id": anna, "invitee_id": boris, "channel": "site"}
    assert told(facts_of(joined)) == [("referral.attributed", f"referral:{boris}", anna, 1, data)]


@pytest.mark.parametrize(("hold_days", "status"), [(0, "granted"), (14, "pending")])
def test_a_reward_is_told_of_its_member(shop, hold_days, status):
    campaign = make_campaign(rule={"recipient": "actor", "hold_days": hold_days})

    paid = shop.pays("anna", "500", order="1001")

    reward = Reward.objects.get()
    data = {
        "reward_id": reward.pk,
        "campaign_id": campaign.pk,
        "rule_id": reward.rule_id,
        "side": "actor",
        "points": 100,
        "given": 100,
        "kind": "points",
        "what": "",
        "asset": "points",
        "occurrence": "order:1001",
    }
    key = f"reward:{reward.pk}:{status}"
    assert told(facts_of(paid)) == [(f"reward.{status}", key, shop.id_of("anna"), 1, data)]


def test_each_side_is_told_of(shop):
    make_campaign(rule={"recipient": "both"})
    shop.joins("boris", invited_by="anna")

    paid = shop.pays("boris", "500")

    assert [(fact.kind, fact.member_id) for fact in facts_of(paid)] == [
        ("reward.granted", shop.id_of("anna")),
        ("reward.granted", shop.id_of("boris")),
        ("referral.qualified", shop.id_of("boris")),
    ]


def test_that_a_friend_qualifies_is_told_once_of_the_friend(shop):
    make_campaign(rule={"order_number": "any"})
    anna, boris = shop.id_of("anna"), shop.joins("boris", invited_by="anna").member_id

    first, second = shop.pays("boris", "500"), shop.pays("boris", "500")

    data = {"inviter_id": anna, "invitee_id": boris}
    assert told(facts_of(first))[1:] == [("referral.qualified", f"referral:{boris}:qualified", boris, 1, data)]
    assert [fact.kind for fact in facts_of(second)] == ["reward.granted"]


def test_what_a_refund_takes_back_is_told(shop):
    make_campaign(rule={"recipient": "actor"})
    shop.pays("anna", "500", order="1001")

    refunded = shop.refunds("anna", "125", order="1001")

    reward = Reward.objects.get()
    what = {"points": 25, "given": 25, "kind": "points", "what": ""}
    data = {"reward_id": reward.pk, **what, "lost": 0, "status": "granted"}
    key = f"reward:{reward.pk}:taken_back:event:{refunded.pk}"
    assert told(facts_of(refunded)) == [("reward.taken_back", key, shop.id_of("anna"), 1, data)]


def test_a_held_reward_that_matures_is_told_with_the_event_that_earned_it(shop):
    make_campaign(rule={"recipient": "actor", "hold_days": 14})
    paid = shop.pays("anna", "500")

    maturing.release_due(schema="t_acme", limit=10, at=NOON + timedelta(days=14))

    assert [fact.kind for fact in facts_of(paid)] == ["reward.pending", "reward.granted"]


def test_a_fact_is_handled_when_it_is_written(shop):
    make_campaign(rule={"recipient": "actor"})

    paid = shop.pays("anna", "500")

    (fact,) = facts_of(paid)
    assert (fact.source, fact.status, fact.occurred_at, fact.handled_at) == ("sarafan", "handled", NOON, NOON)


def test_what_earns_nothing_is_followed_by_nothing(shop):
    assert facts_of(shop.pays("anna", "500")) == []

"""Who gets a reward: whoever did it, the inviter, the friend, or both."""

import pytest

from members.models import Member
from rewards.models import Reward
from tests.cast import codes_of, make_campaign, trace_of

pytestmark = pytest.mark.django_db

WELCOME = {"trigger": "member.joined", "order_number": "any", "amount_points": 50}


def block(shop, name):
    Member.objects.filter(pk=shop.id_of(name)).update(status="blocked")


def test_a_friend_is_welcomed_when_they_join(shop):
    make_campaign(rule={**WELCOME, "recipient": "invitee"})

    joined = shop.joins("boris", invited_by="anna")

    assert shop.balance_of("boris") == 50
    assert shop.balance_of("anna") == 0
    assert codes_of(joined) == ["referred", "granted"]


def test_nobody_is_welcomed_who_was_not_invited(shop):
    make_campaign(rule={**WELCOME, "recipient": "invitee"})

    joined = shop.joins("boris")

    assert codes_of(joined) == ["not_invited", "not_referred"]
    assert not Reward.objects.exists()


def test_whoever_joins_is_rewarded_without_an_inviter(shop):
    make_campaign(rule={**WELCOME, "recipient": "actor"})

    shop.joins("boris")

    assert shop.balance_of("boris") == 50


def test_both_sides_are_rewarded_for_one_order(shop):
    make_campaign(rule={"recipient": "both"})
    shop.joins("boris", invited_by="anna")

    paid = shop.pays("boris", "500")

    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (100, 100)
    assert [(entry["side"], entry["member_id"]) for entry in trace_of(paid)] == [
        ("inviter", shop.id_of("anna")),
        ("invitee", shop.id_of("boris")),
    ]
    referrals = set(Reward.objects.values_list("referral__inviter_id", "referral__invitee_id"))
    assert referrals == {(shop.id_of("anna"), shop.id_of("boris"))}


def test_an_order_counts_for_the_inviter_though_it_is_handled_together_with_the_signup(shop):
    make_campaign(rule={"recipient": "both"}, limits=[{"per": "member", "period": "day", "max_count": 5}])
    code = shop.code_of("anna")
    shop.report("member.joined", "boris", code=code)
    paid = shop.report("order.paid", "boris", order_id="1", amount_minor=50_000, currency="RUB")

    shop.handle()

    paid.refresh_from_db()
    assert codes_of(paid) == ["granted", "granted"]
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (100, 100)


def test_the_inviter_is_also_rewarded_for_what_a_friend_does_later(shop):
    make_campaign(rule={"trigger": "check_in", "order_number": "any"})
    shop.joins("boris", invited_by="anna")
    shop.joins("clara", invited_by="anna")

    shop.tells("check_in", "boris")
    shop.tells("check_in", "clara")

    assert shop.balance_of("anna") == 200


def test_a_blocked_member_gets_nothing_and_the_other_side_does(shop):
    make_campaign(rule={"recipient": "both"})
    shop.joins("boris", invited_by="anna")
    block(shop, "anna")

    paid = shop.pays("boris", "500")

    assert codes_of(paid) == ["member_blocked", "granted"]
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 100)


def test_what_a_blocked_friend_does_pays_nobody(shop):
    make_campaign(rule={"recipient": "both"})
    shop.joins("boris", invited_by="anna")
    block(shop, "boris")

    paid = shop.pays("boris", "500")

    assert codes_of(paid) == ["member_blocked", "member_blocked"]
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 0)

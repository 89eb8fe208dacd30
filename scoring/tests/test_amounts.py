"""How much a rule gives."""

import pytest

from antifraud.models import Case
from antifraud.moderation import deciding
from campaigns.models import Rule
from rewards.models import Asset, Reward
from tests.cast import NOON, codes_of, edit, make_campaign, trace_of

pytestmark = pytest.mark.django_db

LADDER = {"rule": {"amount_kind": "tiers", "amount_points": None}, "tiers": ((1, 100), (3, 200))}


def bring(shop, *names, **identities):
    """Each signs up with Anna's code and pays a first order."""
    for name in names:
        shop.joins({"external_id": name, **identities}, invited_by="anna")
        shop.pays(name, "500")


def given(shop):
    return [reward.given for reward in shop.rewards_of("anna")]


def test_the_ladder_pays_more_from_the_third_friend_on(shop):
    make_campaign(**LADDER)

    bring(shop, "boris", "clara", "denis", "elena")

    assert given(shop) == [100, 100, 200, 200]
    assert shop.balance_of("anna") == 600


def test_the_ladder_counts_friends_that_one_batch_brings(shop):
    make_campaign(**LADDER)
    for name in ("boris", "clara", "denis"):
        shop.joins(name, invited_by="anna")
        shop.report("order.paid", name, order_id=name, amount_minor=100, currency="RUB")

    shop.handle()

    assert given(shop) == [100, 100, 200]


def test_what_somebody_got_as_a_friend_is_no_step_of_their_own_ladder(shop):
    both = {**LADDER["rule"], "recipient": "both"}
    make_campaign(rule=both, tiers=((1, 100), (2, 1000)))
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500")

    shop.joins("clara", invited_by="boris")
    shop.pays("clara", "500")

    assert [reward.given for reward in shop.rewards_of("boris")] == [100, 100]


def test_a_rejected_friend_gives_the_step_back(shop, max_):
    make_campaign(**LADDER)
    shop.joins({"external_id": "anna", "email": "anna@example.com"})
    bring(shop, "anna2", email="anna@example.com")
    bring(shop, "boris")
    deciding.reject(case=Case.objects.get(), by=max_, at=NOON)

    bring(shop, "clara", "denis")

    assert [(reward.given, reward.status) for reward in shop.rewards_of("anna")] == [
        (100, "rejected"),
        (100, "granted"),
        (100, "granted"),
        (200, "granted"),
    ]


def test_a_cancelled_order_gives_the_step_back(shop):
    make_campaign(**LADDER)
    bring(shop, "boris", "clara")
    shop.joins("denis", invited_by="anna")
    shop.pays("denis", "500", order="1001")
    shop.cancels("denis", order="1001")

    bring(shop, "elena", "fedor")

    assert given(shop) == [100, 100, 200, 200, 200]
    assert shop.balance_of("anna") == 600


def test_a_ladder_that_comes_later_counts_the_friends_before_it(shop):
    campaign = make_campaign(tiers=((1, 100), (3, 200)))
    bring(shop, "boris", "clara")
    edit(campaign, at=NOON, rule={"amount_kind": "tiers"})

    bring(shop, "denis")

    assert given(shop) == [100, 100, 200]


def test_a_ladder_that_was_out_of_use_counts_the_friends_of_that_time(shop):
    campaign = make_campaign(**LADDER)
    bring(shop, "boris")
    edit(campaign, at=NOON, rule={"amount_kind": "fixed", "amount_points": 70})
    bring(shop, "clara")
    edit(campaign, at=NOON, rule={"amount_kind": "tiers"})

    bring(shop, "denis")

    assert given(shop) == [100, 70, 200]


def test_being_invited_is_no_step_of_ones_own_ladder(shop):
    make_campaign(rule={**LADDER["rule"], "recipient": "both"}, tiers=((1, 100), (2, 200)))
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500")
    shop.joins("clara", invited_by="boris")

    shop.pays("clara", "500")

    assert [(reward.side, reward.given) for reward in shop.rewards_of("boris")] == [("invitee", 100), ("inviter", 100)]


def test_before_the_first_step_a_ladder_pays_nothing(shop):
    make_campaign(**{**LADDER, "tiers": ((2, 100),)})

    shop.joins("boris", invited_by="anna")
    first = shop.pays("boris", "500")

    assert codes_of(first) == ["amount_zero"]
    assert not Reward.objects.exists()


@pytest.mark.parametrize(
    ("amount", "worth", "points"), [("199.99", 100, 4), ("199.99", 1, 499), ("200.00", 100, 5), ("39.99", 100, 0)]
)
def test_a_percentage_is_counted_in_the_worth_of_a_point_and_rounded_down(shop, amount, worth, points):
    Asset.objects.filter(code="points").update(minor_per_unit=worth)
    make_campaign(rule={"recipient": "actor", "order_number": "any", "amount_kind": "percent", "rate_bps": 250})

    shop.pays("anna", amount)

    assert shop.balance_of("anna") == points


@pytest.mark.parametrize(
    "rule",
    [
        {"amount_kind": "percent", "rate_bps": 1000, "amount_points": None},
        {"conditions": [{"field": "amount_minor", "operator": "at_least", "value": 50_000}]},
    ],
    ids=["a percentage", "a condition"],
)
def test_an_order_in_another_currency_has_no_amount(shop, rule):
    make_campaign(rule={"recipient": "actor", **rule})

    paid = shop.tells("order.paid", "anna", order_id="1001", amount_minor=10_000_000, currency="IDR")

    assert codes_of(paid) == ["field_missing"]
    assert shop.rewards_of("anna") == []


def test_a_rule_that_is_out_of_use_gives_nothing(shop):
    campaign = make_campaign(rule={"recipient": "actor", "order_number": "any"})
    Rule.objects.create(
        campaign=campaign, trigger="order.paid", recipient="actor", amount_points=7, is_active=False, position=1
    )
    edit(campaign, at=NOON, name="Renamed")

    paid = shop.pays("anna", "500")

    assert [entry["points"] for entry in trace_of(paid)] == [100]

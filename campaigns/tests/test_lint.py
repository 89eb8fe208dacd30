"""What a marketer is told before activation."""

from datetime import timedelta

import pytest

from campaigns import lint
from campaigns.models import Campaign, Limit, RewardTier
from campaigns.tests.making import make_campaign
from campaigns.tests.offers import NOON
from tests.cast import Shop
from tests.things import make_things, retire

pytestmark = pytest.mark.django_db


def make_sound(*rules, **told):
    campaign = make_campaign(*rules, **{"landing_url": "https://acme.example/", "budget_points": 10_000, **told})
    Limit.objects.create(campaign=campaign, per="member", period="month", max_count=10)
    return campaign


def codes(campaign):
    return [(each.code, each.is_error) for each in lint.problems(campaign=campaign, at=NOON)]


def test_nothing_is_said_of_a_sound_campaign():
    assert codes(make_sound()) == []


@pytest.mark.parametrize(
    ("rule", "code", "is_error"),
    [
        ({"is_active": False}, "no_rules", True),
        ({"trigger": "order.refunded", "order_number": "any"}, "unknown_kind", True),
        ({"trigger": "moon.rose"}, "unknown_kind", True),
        (
            {"trigger": "check_in", "amount_kind": "percent", "rate_bps": 100, "recipient": "actor"},
            "percent_of_nothing",
            True,
        ),
        ({"amount_kind": "tiers", "amount_points": None}, "no_tiers", True),
        ({"amount_points": 10_001}, "bound_below_reward", True),
        ({"trigger": "invite.sent", "order_number": "any"}, "inviter_of_sender", False),
        (
            {"conditions": [{"field": "place", "operator": "equals", "value": "x"}]},
            "condition_unknown_field",
            True,
        ),
    ],
)
def test_a_rule_is_looked_at(rule, code, is_error):
    assert codes(make_sound(rule)) == [(code, is_error)]


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"ends_at": NOON}, "over"),
        ({"ends_at": NOON - timedelta(days=1), "starts_at": NOON - timedelta(days=2)}, "over"),
    ],
)
def test_its_dates_are_looked_at(told, code):
    assert codes(make_sound(**told)) == [(code, True)]


def test_a_ladder_is_looked_at():
    unused = make_sound()
    RewardTier.objects.create(campaign=unused, from_count=1, amount_points=100)
    late = make_sound({"amount_kind": "tiers", "amount_points": None})
    RewardTier.objects.create(campaign=late, from_count=3, amount_points=100)

    assert codes(unused) == [("tiers_unused", False)]
    assert codes(late) == [("tiers_begin_late", False)]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({}, []),
        ({"recipient": "both", "trigger": "member.joined", "order_number": "any"}, []),
        ({"order_number": "repeat"}, [("ladder_counts_events", False)]),
        ({"trigger": "check_in", "order_number": "any"}, [("ladder_counts_events", False)]),
        ({"recipient": "invitee"}, [("ladder_of_friend", False)]),
        ({"recipient": "actor", "order_number": "any"}, []),
    ],
)
def test_what_a_ladder_counts_is_pointed_out(rule, found):
    campaign = make_sound({"amount_kind": "tiers", "amount_points": None, **rule})
    RewardTier.objects.create(campaign=campaign, from_count=1, amount_points=100)

    assert codes(campaign) == found


def test_a_bound_below_a_reward_is_no_error_where_what_is_left_is_given():
    assert codes(make_sound({"amount_points": 10_001}, when_short="cap")) == []


def test_what_has_no_bounds_is_pointed_out():
    campaign = make_campaign({"order_number": "any"})

    assert codes(campaign) == [("every_order", False), ("unbounded", False), ("no_landing", False)]


def test_a_problem_of_a_condition_names_the_field_in_words():
    campaign = make_sound({"conditions": [{"field": "amount_minor", "operator": "at_least", "value": None}]})

    assert [each.sentence for each in lint.problems(campaign=campaign, at=NOON)] == [
        "“Order amount” is compared with nothing: give a value."
    ]


# What is given


@pytest.fixture
def things(acme):
    return make_things()


def gift(kind, what="", amount_points=1, **told):
    return {"reward_kind": kind, "reward_what": what, "amount_points": amount_points, **told}


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (gift("points", "stars", 5), []),
        (gift("certificate", "coffee", 50_000), []),
        (gift("product", "stickers", extras=[{"kind": "points", "what": "", "amount": 5}]), []),
        (gift("product", "gone"), [("cannot_be_given", True)]),
        (gift("moon"), [("cannot_be_given", True)]),
        (gift("certificate", "coffee", 70_000), [("cannot_be_given", True)]),
        (
            {"extras": [{"kind": "product", "what": "gone", "amount": 1}]},
            [("cannot_be_given", True)],
        ),
        (
            gift("spin", "spin", None, amount_kind="percent", rate_bps=100, recipient="actor"),
            [("share_of_a_gift", True)],
        ),
        (gift("money", "cash", None, amount_kind="percent", rate_bps=100, recipient="actor"), []),
    ],
)
def test_what_a_rule_gives_is_looked_at(things, rule, found):
    assert codes(make_sound(rule, budget_points=None)) == found


def test_what_is_not_in_use_any_more_is_an_error(things):
    campaign = make_sound(gift("product", "stickers"), budget_points=None)
    retire("stickers")

    assert [each.sentence for each in lint.problems(campaign=campaign, at=NOON)] == [
        "“Sticker pack” is not in use: switch the gift on, or choose another."
    ]


def test_an_empty_stock_without_a_provider_is_pointed_out(things):
    things["coffee"].terms = {"denominations": [30_000]}
    things["coffee"].save()

    assert codes(make_sound(gift("certificate", "coffee", 30_000), budget_points=None)) == [("gift_advice", False)]


def test_a_debt_of_what_may_not_be_owed_is_pointed_out(things):
    gives = {"extras": [{"kind": "product", "what": "stickers", "amount": 1}]}
    campaign = make_sound(gives, refund_policy="debt")
    assert [each.sentence for each in lint.problems(campaign=campaign, at=NOON)] == [
        "Of Points nothing may be owed: a refund takes them back down to zero only."
    ]

    things["stars"].may_owe = True
    things["stars"].save()
    assert codes(make_sound(gift("points", "stars", 5), refund_policy="debt")) == []


def test_a_budget_of_points_bounds_no_gifts(things):
    assert codes(make_sound(gift("product", "stickers"))) == [("budget_of_nothing", False)]
    assert codes(make_sound(gift("product", "stickers", extras=[{"kind": "points", "what": "", "amount": 5}]))) == []


def test_a_bound_in_points_is_not_compared_with_money(things):
    campaign = make_sound(gift("certificate", "coffee", 50_000), budget_points=None)
    Limit.objects.create(campaign=campaign, per="campaign", period="day", max_points=100)

    assert codes(campaign) == [("limit_of_nothing", False)]


@pytest.mark.parametrize(
    ("awaits", "found"),
    [
        ("order.paid", []),
        ("custom.quiz", []),
        ("member.joined", [("awaits_once", False)]),
        ("order.refunded", [("awaits_unknown", True)]),
        ("moon.rose", [("awaits_unknown", True)]),
    ],
)
def test_a_promise_is_looked_at(awaits, found):
    assert codes(make_sound({"awaits": awaits})) == found


def test_a_ladder_gives_what_comes_with_it_too(things):
    extras = [{"kind": "product", "what": "stickers", "amount": 1}]
    campaign = make_sound({"amount_kind": "tiers", "amount_points": None, "extras": extras})
    RewardTier.objects.create(campaign=campaign, from_count=1, amount_points=100)

    assert codes(campaign) == []


def test_one_ladder_does_not_count_points_and_coins(things):
    climbs = {"amount_kind": "tiers", "amount_points": None}
    campaign = make_sound(climbs, {**climbs, "reward_kind": "money", "reward_what": "cash"})
    RewardTier.objects.create(campaign=campaign, from_count=1, amount_points=100)

    assert codes(campaign) == [("ladder_of_two", True)]


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ([{"per": "member", "period": "week", "max_count": 10}], [("limit_idle", False)]),
        ([{"per": "member", "period": "week", "max_count": 9}], []),
        ([{"per": "campaign", "period": "week", "max_count": 10}], []),
        ([{"per": "member", "period": "rolling", "days": 31, "max_count": 10}], []),
        ([{"per": "member", "period": "rolling", "days": 30, "max_count": 10}], [("limit_idle", False)]),
        ([{"per": "member", "period": "week", "max_count": 10, "max_points": 5_000}], []),
        ([{"per": "member", "period": "ever", "max_count": 10}], [("limit_idle", False)]),
    ],
)
def test_a_limit_that_a_stricter_one_comes_before_says_never_no(limits, found):
    """There are ten rewards a month for each member besides."""
    campaign = make_sound()
    for limit in limits:
        Limit.objects.create(campaign=campaign, **limit)

    assert codes(campaign) == found


@pytest.mark.parametrize(("recipient", "found"), [("actor", [("limit_without_inviter", False)]), ("invitee", [])])
def test_a_limit_of_inviters_needs_a_referral(recipient, found):
    campaign = make_sound({"recipient": recipient})
    Limit.objects.create(campaign=campaign, per="inviter", period="day", max_count=1)

    assert codes(campaign) == found


def test_a_limit_of_devices_that_nobody_tells_is_named(acme):
    shop = Shop(at=NOON)
    campaign = make_sound()
    Limit.objects.create(campaign=campaign, per="device", period="day", max_count=1)
    Limit.objects.create(campaign=campaign, per="card", period="day", max_count=1)
    assert codes(campaign) == []

    shop.report("check_in", {"external_id": "anna", "card": "tok_1"})
    assert codes(campaign) == [("no_devices", False)]

    shop.report("check_in", {"external_id": "anna", "device": "phone-1"})
    assert codes(campaign) == []


def test_a_limit_that_gives_what_is_left_is_not_too_small_for_a_reward():
    campaign = make_sound()
    limit = Limit.objects.create(campaign=campaign, per="member", period="day", max_points=99)
    assert codes(campaign) == [("bound_below_reward", True)]

    Limit.objects.filter(pk=limit.pk).update(when_short="cap")

    assert codes(Campaign.objects.get(pk=campaign.pk)) == []

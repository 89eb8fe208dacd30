"""What a marketer is told before activation."""

from datetime import timedelta

import pytest

from campaigns import lint
from campaigns.models import Limit, RewardTier
from campaigns.tests.making import make_campaign
from campaigns.tests.offers import NOON

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

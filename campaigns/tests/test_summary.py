"""A campaign in plain words."""

from datetime import timedelta

import pytest

from campaigns import summary
from campaigns.definitions import Condition, Extra, LimitLine, Tier
from campaigns.models import Limit
from campaigns.tests.making import make_campaign
from campaigns.tests.offers import NOON, offer, rule
from tests.things import make_things

pytestmark = pytest.mark.django_db

A_MONTH = LimitLine(id=1, per="member", period="month", max_count=10)


def asks(field, operator, value):
    return Condition(field=field, operator=operator, value=value)


def first_of(*rules, **told):
    return summary.sentences_of(offer(rules=rules, starts_at=None, **told))[0]


def test_a_saved_campaign_reads_like_its_advertisement():
    campaign = make_campaign({"conditions": [{"field": "amount_minor", "operator": "at_least", "value": 50_000}]})
    Limit.objects.create(campaign=campaign, per="member", period="month", max_count=10)

    assert summary.sentences(campaign) == [
        "The inviter gets 100 points when a friend pays a first order of RUB\N{NO-BREAK SPACE}500 or more; "
        "at most 10 rewards a month."
    ]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({}, "The inviter gets 100 points when a friend pays an order."),
        ({"order_number": "repeat"}, "The inviter gets 100 points when a friend pays a second or later order."),
        ({"recipient": "actor", "amount_points": 1}, "A member gets 1 point when they pay an order."),
        (
            {"recipient": "invitee", "order_number": "first", "amount_points": 12_000},
            "The invited friend gets 12,000 points when they pay their first order.",
        ),
        (
            {"recipient": "both", "trigger": "member.joined"},
            "The inviter and the friend get 100 points each when a friend joins.",
        ),
        ({"recipient": "actor", "trigger": "custom.quiz"}, "A member gets 100 points when “custom.quiz” happens."),
        ({"trigger": "custom.quiz"}, "The inviter gets 100 points when “custom.quiz” happens to a friend."),
        (
            {"recipient": "actor", "amount_kind": "percent", "rate_bps": 250},
            "A member gets 2.5% of the order in points when they pay an order.",
        ),
        (
            {"amount_kind": "percent", "rate_bps": 300},
            "The inviter gets 3% of the order in points when a friend pays an order.",
        ),
    ],
)
def test_who_gets_what_and_when(told, sentence):
    assert first_of(rule(**told)) == sentence


@pytest.mark.parametrize(
    ("match", "conditions", "tail"),
    [
        ("all", [asks("amount_minor", "at_least", 49_990)], " of RUB\N{NO-BREAK SPACE}499.90 or more"),
        ("any", [asks("amount_minor", "at_least", 50_000)], " of RUB\N{NO-BREAK SPACE}500 or more"),
        (
            "all",
            [asks("channel", "one_of", ("shop", "bot")), asks("amount_minor", "at_least", 50_000)],
            " of RUB\N{NO-BREAK SPACE}500 or more, if channel is one of “shop”, “bot”",
        ),
        (
            "any",
            [asks("member.days", "at_least", 30), asks("amount_minor", "at_least", 50_000)],
            ", if days since they joined is 30 or more or order amount is RUB\N{NO-BREAK SPACE}500 or more",
        ),
        (
            "all",
            [asks("member.invited", "is", True), asks("items.sku", "contains", "LP")],
            ", if invited by somebody: yes and article (SKU) contains “LP”",
        ),
        ("all", [asks("gone", "equals", "x")], ", if gone is “x”"),
    ],
)
def test_on_which_conditions(match, conditions, tail):
    said = first_of(rule(match=match, conditions=tuple(conditions)))

    assert said == f"The inviter gets 100 points when a friend pays an order{tail}."


def test_a_ladder_is_told_step_by_step():
    tiers = (
        Tier(from_count=1, amount_points=100),
        Tier(from_count=2, amount_points=120),
        Tier(from_count=5, amount_points=150),
        Tier(from_count=10, amount_points=200),
    )

    assert summary.sentences_of(offer(rules=(rule(amount_kind="tiers"),), tiers=tiers))[:2] == [
        "The inviter gets points by the ladder when a friend pays an order.",
        "The ladder: friend 1 100 points, friends 2 to 4 120 points each, friends 5 to 9 150 points each, "
        "from friend 10 on 200 points each.",
    ]


def test_limits_of_several_rules_stand_by_themselves():
    limits = (A_MONTH, LimitLine(id=2, per="campaign", period="day", max_count=1, max_points=5_000))

    said = summary.sentences_of(offer(rules=(rule(), rule(id=2)), limits=limits, starts_at=None, when_short="cap"))

    assert said[2:] == [
        "Each member gets at most 10 rewards a month.",
        "The whole campaign gives at most 1 reward and 5,000 points a day.",
        "When less is left than is due, what is left is given.",
    ]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            {"per": "inviter", "period": "hour"},
            "Each inviter brings at most 2 rewards an hour, friends' rewards included.",
        ),
        ({"per": "device", "period": "week"}, "On each device at most 2 rewards a week can be earned."),
        ({"per": "card", "period": "ever"}, "With each card at most 2 rewards in all can be earned."),
        (
            {"per": "campaign", "period": "rolling", "days": 30, "max_cost_minor": 150_000},
            "The whole campaign gives at most 2 rewards and RUB\N{NO-BREAK SPACE}1,500 of cost in 30 days.",
        ),
        (
            {"per": "member", "period": "month", "when_short": "cap"},
            "Each member gets at most 2 rewards a month. When less is left than is due, what is left is given.",
        ),
    ],
)
def test_each_kind_of_limit_is_said(told, sentence):
    limit = LimitLine(id=1, **{"max_count": 2, **told})

    assert sentence in summary.sentences_of(offer(rules=(rule(), rule(id=2)), limits=(limit,), starts_at=None))


@pytest.mark.parametrize(
    ("per", "sentence"),
    [
        ("member", "Each member gets at most 1 reward a day, over all campaigns."),
        ("inviter", "Each inviter brings at most 1 reward a day, friends' rewards included, over all campaigns."),
        ("device", "On each device at most 1 reward a day can be earned, over all campaigns."),
        ("card", "With each card at most 1 reward a day can be earned, over all campaigns."),
        ("campaign", "All campaigns together give at most 1 reward a day."),
    ],
)
def test_each_kind_of_limit_over_all_campaigns_is_said(per, sentence):
    assert summary.sentence_of_limit(LimitLine(id=1, per=per, period="day", max_count=1)) == sentence


def test_a_budget_in_money_is_told_with_what_is_done_when_less_is_left():
    said = summary.sentences_of(offer(starts_at=None, budget_minor=5_000_000))

    assert said[1:] == [
        "All in all it costs at most RUB\N{NO-BREAK SPACE}50,000.",
        "When less is left than is due, nothing is given.",
    ]


def test_hold_dates_budget_and_company_are_told():
    said = summary.sentences_of(
        offer(
            rules=(rule(hold_days=14),),
            ends_at=NOON + timedelta(days=30),
            budget_points=100_000,
            exclusive_group="spring",
        )
    )

    assert said[1:] == [
        "The points can be spent after 14 days.",
        "It runs from May 4, 2026, 12:00 until June 3, 2026, 12:00.",
        "All in all it gives at most 100,000 points.",
        "When less is left than is due, nothing is given.",
        "Of the campaigns in the group “spring” only one rewards an event: the first by priority.",
    ]


def test_an_empty_campaign_says_so():
    assert summary.sentences_of(offer(rules=())) == ["Nobody gets anything yet: it has no rule in use."]


# What is given


@pytest.fixture
def things(acme):
    return make_things()


MUG = Extra(kind="product", what="stickers")


@pytest.mark.parametrize(
    ("told", "gets"),
    [
        ({"extras": (MUG,)}, "100 points and “Sticker pack”"),
        (
            {"extras": (MUG, Extra(kind="spin", what="spin", amount=3))},
            "100 points, “Sticker pack” and 3 spins",
        ),
        ({"reward_kind": "money", "reward_what": "cash", "amount_points": 5_000}, "RUB\N{NO-BREAK SPACE}50"),
        (
            {"reward_kind": "money", "reward_what": "cash", "amount_kind": "percent", "rate_bps": 250},
            "2.5% of the order in “Cash”",
        ),
        (
            {"reward_what": "stars", "amount_kind": "percent", "rate_bps": 250, "extras": (MUG,)},
            "2.5% of the order in “Stars” and “Sticker pack”",
        ),
        ({"reward_what": "points", "amount_kind": "percent", "rate_bps": 250}, "2.5% of the order in points"),
        ({"reward_what": "stars", "amount_kind": "tiers"}, "“Stars” by the ladder"),
    ],
)
def test_all_that_is_given_is_told(things, told, gets):
    assert first_of(rule(recipient="actor", **told)) == f"A member gets {gets} when they pay an order."


@pytest.mark.parametrize(
    ("told", "tail"),
    [
        ({"awaits": "order.paid"}, "they pay an order"),
        ({"awaits": "order.paid", "awaits_days": 30}, "they pay an order, within 30 days"),
        ({"awaits": "check_in", "awaits_days": 1}, "they check in, within 1 day"),
        ({"awaits": "custom.quiz"}, "“custom.quiz” happens"),
    ],
)
def test_a_promise_is_told(told, tail):
    said = first_of(rule(recipient="actor", trigger="member.joined", **told))

    assert said == f"A member gets 100 points when they join, usable once {tail}."


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("to_zero", []),
        ("pending_only", ["A refund takes back only what is still on hold."]),
        (
            "debt",
            ["A refund takes back all of it: a balance may go below zero, and what is earned next pays that first."],
        ),
    ],
)
def test_another_refund_policy_is_told(policy, said):
    assert summary.sentences_of(offer(starts_at=None, refund_policy=policy))[1:] == said


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ((rule(hold_days=14, reward_kind="product", reward_what="stickers"),), "The reward can be used after 14 days."),
        ((rule(hold_days=14, extras=(MUG,)), rule(id=2)), "Some of it can be used only after up to 14 days."),
        ((rule(hold_days=1),), "The points can be spent after 1 day."),
    ],
)
def test_a_hold_is_told_of_what_is_held(things, rules, said):
    assert summary.sentences_of(offer(rules=rules, starts_at=None))[-1] == said


def test_what_is_built_in_says_so():
    assert summary.sentences(make_campaign(is_builtin=True)) == [
        "It is built in: it keeps what was given by hand or by a program, without a rule."
    ]

"""What a marketer fills in: errors at their fields, and nothing kept of what does not apply."""

import pytest

from campaigns.forms import CampaignForm, TierForm
from campaigns.limit_forms import LimitForm
from campaigns.rule_forms import RuleForm

pytestmark = pytest.mark.django_db

RULE = {
    "trigger": "order.paid",
    "order_number": "first",
    "recipient": "inviter",
    "gives": "points:",
    "amount_kind": "fixed",
    "amount_points": "100",
    "match": "all",
    "is_active": "on",
}
BOUNDS = "From 1 to 1,000,000,000."
LEAST = "Ensure this value is greater than or equal to 1."


def rule_form(**sent):
    return RuleForm({**RULE, **sent})


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (
            {"amount_kind": "percent", "percent": "2.5", "amount_points": "77"},
            {"amount_points": None, "rate_bps": 250},
        ),
        ({"amount_kind": "fixed", "percent": "2.5", "amount_points": "77"}, {"amount_points": 77, "rate_bps": None}),
        ({"amount_kind": "tiers", "percent": "5"}, {"amount_points": None, "rate_bps": None}),
        ({"trigger": "member.joined", "order_number": "first"}, {"order_number": "any"}),
        ({"trigger": "custom.*", "custom_name": "quiz_passed"}, {"trigger": "custom.quiz_passed"}),
        ({"trigger": "custom.*", "custom_name": " custom.quiz"}, {"trigger": "custom.quiz"}),
        ({"custom_name": "quiz"}, {"trigger": "order.paid", "order_number": "first"}),
        ({"order_number": ""}, {"order_number": "any"}),
        ({"hold_days": ""}, {"hold_days": 0}),
        ({"conditions": ""}, {"conditions": []}),
    ],
)
def test_what_is_hidden_is_cleared(sent, stored):
    form = rule_form(**sent)

    assert form.errors == {}
    assert {name: getattr(form.instance, name) for name in stored} == stored


def test_a_changed_rule_forgets_what_it_was():
    before = rule_form(amount_kind="percent", percent="2.5")
    assert before.is_valid()

    after = RuleForm(RULE, instance=before.instance)

    assert after.is_valid()
    assert (after.instance.amount_points, after.instance.rate_bps) == (100, None)


@pytest.mark.parametrize(
    ("sent", "field", "error"),
    [
        ({"amount_points": ""}, "amount_points", "How much of it?"),
        ({"amount_points": "-5"}, "amount_points", BOUNDS),
        ({"amount_kind": "percent"}, "percent", "How many percent?"),
        (
            {"amount_kind": "percent", "percent": "101"},
            "percent",
            "Ensure this value is less than or equal to 100.",
        ),
        (
            {"amount_kind": "percent", "percent": "2.555"},
            "percent",
            "Ensure that there are no more than 2 decimal places.",
        ),
        (
            {"trigger": "check_in", "amount_kind": "percent", "percent": "5"},
            "amount_kind",
            "Only an order has an amount to take a percentage of.",
        ),
        ({"hold_days": "366"}, "hold_days", "Ensure this value is less than or equal to 365."),
        (
            {"trigger": "order.refunded"},
            "trigger",
            "Select a valid choice. order.refunded is not one of the available choices.",
        ),
        (
            {"trigger": "custom.*", "custom_name": "Quiz passed"},
            "custom_name",
            "1 to 50 small letters, digits, dots and underscores.",
        ),
        (
            {"trigger": "custom.*", "custom_name": ""},
            "custom_name",
            "1 to 50 small letters, digits, dots and underscores.",
        ),
        ({"conditions": "{oops"}, "conditions", "Enter a valid JSON."),
        ({"conditions": '{"a": 1}'}, "conditions", "Conditions are a list of rows."),
        (
            {"conditions": '[{"field": "amount_minor", "operator": "at_least", "value": "lots"}]'},
            "conditions",
            "Condition 1: “Order amount” is compared with a number.",
        ),
        (
            {"conditions": '[{"field": "amount_minor", "operator": "at_least", "value": "1.999"}]'},
            "conditions",
            "Condition 1: “Order amount” is compared with a number.",
        ),
        (
            {"conditions": '[{"field": "place", "operator": "equals", "value": "Main Street"}]'},
            "conditions",
            "Condition 1: This kind of event has no field “place”.",
        ),
        (
            {"conditions": '[{"field": "channel", "operator": "one_of", "value": " , "}]'},
            "conditions",
            "Condition 1: “Channel” is compared with nothing: give a value.",
        ),
    ],
)
def test_an_error_of_a_rule_stands_at_its_field(sent, field, error):
    assert rule_form(**sent).errors == {field: [error]}


@pytest.mark.parametrize("rows", ["[null]", '["x"]', "[[]]", '[{"field": 1}]', "5", '[{"value": {"a": []}}]', "NaN"])
def test_odd_json_is_an_error_and_not_a_crash(rows):
    assert list(rule_form(conditions=rows).errors) == ["conditions"]


@pytest.mark.parametrize(
    ("sent", "field", "error"),
    [
        ({"landing_url": "ftp://acme.example"}, "landing_url", "A web address begins with https:// or http://."),
        ({"starts_at": "2026-05-02 10:00", "ends_at": "2026-05-02 10:00"}, "ends_at", "It ends before it starts."),
        ({"budget_points": "0"}, "budget_points", LEAST),
    ],
)
def test_an_error_of_a_campaign_stands_at_its_field(sent, field, error):
    form = CampaignForm(
        {
            "name": "Bring a friend",
            "goal": "attract",
            "when_short": "cap",
            "refund_policy": "debt",
            "priority": "0",
            **sent,
        }
    )

    assert form.errors == {field: [error]}


def test_a_limit_limits_something():
    limit = {"per": "member", "period": "month"}

    assert LimitForm(limit).errors == {"max_count": ["At most how many rewards, how many points, or what cost?"]}
    assert LimitForm({**limit, "max_points": "0"}).errors == {"max_points": [LEAST]}
    assert LimitForm({**limit, "max_points": "500"}).errors == {}


def test_a_step_begins_with_a_friend_and_pays():
    assert TierForm({"from_count": "0", "amount_points": "0"}).errors == {
        "from_count": [LEAST],
        "amount_points": [BOUNDS],
    }

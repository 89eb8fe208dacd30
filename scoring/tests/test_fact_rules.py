"""Rules that start from facts of our own, as a marketer makes them: the form, what is said of them, what is odd."""

from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns import catalogue, changes, giving, lifecycle, lint, summary, versions
from campaigns.definitions import Condition
from campaigns.models import Limit
from campaigns.rule_forms import RuleForm
from campaigns.tests.making import act, make_campaign
from campaigns.tests.offers import NOON, offer, rule
from campaigns.tests.pages import LIST, browser_of, errors_in, page_of, save
from rewards.models import Level, RewardPolicy
from tenants import context

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
IS_GOLD = '[{"field": "level", "operator": "equals", "value": "gold"}]'


@pytest.fixture
def levels(acme):
    for code, threshold in (("silver", 100), ("gold", 1_000)):
        Level.objects.create(code=code, name=code.title(), threshold=threshold)


def asks(operator, value, field="level"):
    return Condition(field=field, operator=operator, value=value)


# The form


def test_facts_are_offered_after_what_is_reported():
    triggers = [value for value, _label in RuleForm().fields["trigger"].choices]

    assert triggers[-3:] == ["level.reached", "level.will_fall", "referral.qualified"]
    assert "reward.granted" not in triggers


def test_a_promise_waits_for_what_its_member_does():
    awaited = [value for value, _label in RuleForm().fields["awaits"].choices]

    assert "order.paid" in awaited
    assert [value for value in awaited if value.startswith(("level.", "referral."))] == []


def test_a_rule_on_a_level_is_stored(levels):
    form = RuleForm({**RULE, "trigger": "level.reached", "recipient": "actor", "conditions": IS_GOLD})

    assert form.errors == {}
    assert (form.instance.trigger, form.instance.order_number) == ("level.reached", "any")
    assert form.instance.conditions == [{"field": "level", "operator": "equals", "value": "gold"}]


@pytest.mark.parametrize("shown", ['["silver", "gold"]', '"silver, gold"'])
def test_several_levels_are_picked_or_written(levels, shown):
    rows = f'[{{"field": "level", "operator": "one_of", "value": {shown}}}]'

    form = RuleForm({**RULE, "trigger": "level.reached", "conditions": rows})

    assert form.errors == {}
    assert form.instance.conditions[0]["value"] == ["silver", "gold"]


def test_a_level_has_no_share_of_an_order(levels):
    form = RuleForm({**RULE, "trigger": "level.reached", "amount_kind": "percent", "percent": "5"})

    assert form.errors == {"amount_kind": ["Only an order has an amount to take a percentage of."]}


def test_the_form_is_told_the_levels_by_their_names(levels):
    kind = catalogue.told()["kinds"]["level.reached"]

    assert kind["meaning"] == "They have enough for it, perhaps for a higher one too. A rule rewards each level once."
    assert not kind["has_amount"]
    level = next(field for field in kind["fields"] if field["name"] == "level")
    assert (level["type"], level["choices"]) == ("choice", [["silver", "Silver"], ["gold", "Gold"]])
    assert level["operators"] == ["equals", "not_equals", "one_of"]


def test_each_tenant_picks_from_levels_of_its_own(levels, bolt):
    with context.in_tenant("t_bolt"):
        Level.objects.create(code="ruby", name="Ruby", threshold=10)
        assert names_told() == [["ruby", "Ruby"]]

    assert names_told() == [["silver", "Silver"], ["gold", "Gold"]]


def names_told():
    fields = catalogue.told()["kinds"]["level.reached"]["fields"]
    return next(field["choices"] for field in fields if field["name"] == "level")


def test_the_page_of_a_campaign_takes_and_tells_it(levels):
    campaign = make_campaign({"trigger": "order.paid"}, landing_url="https://acme.example/")
    marketer = browser_of("marketer")

    answer = save(
        marketer,
        page_of(campaign),
        rules_0_trigger="level.reached",
        rules_0_recipient="actor",
        rules_0_conditions=IS_GOLD,
    )

    assert (answer.status_code, campaign.rules.get().trigger) == (302, "level.reached")
    page = unescape(marketer.get(page_of(campaign)).content.decode())
    assert "A member gets 100 points when they reach the level “Gold”." in page


def test_an_analyst_changes_no_trigger(levels):
    campaign = make_campaign()

    assert browser_of("analyst").post(page_of(campaign), {"rules-0-trigger": "level.reached"}).status_code == 403
    assert campaign.rules.get().trigger == "order.paid"


def test_from_the_other_tenant_nothing_is_seen_or_changed(levels, bolt):
    campaign = make_campaign({"trigger": "level.reached", "conditions": [], "order_number": "any"})
    with context.in_tenant("t_bolt"):
        marketer = browser_of("marketer", host="bolt.localhost")
        assert marketer.get(page_of(campaign)).status_code in {302, 404}
        assert b"Bring a friend" not in marketer.get(LIST).content

    assert campaign.rules.get().trigger == "level.reached"


def test_a_page_reads_the_levels_once_however_many_rules_ask_for_one(levels):
    asked = [{"field": "level", "operator": "equals", "value": "gold"}]
    several = [
        versions.offer_of(campaign=make_campaign({"trigger": "level.reached", "conditions": asked})) for _ in range(3)
    ]

    with giving.at_hand(), CaptureQueriesContext(connection) as queries:
        told = [summary.sentences_of(each)[0] for each in several]

    assert len(set(told)) == 1
    assert len([each for each in queries if "rewards_level" in each["sql"]]) == 1


# In words


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"recipient": "actor"}, "A member gets 100 points when they reach a level."),
        (
            {"recipient": "actor", "conditions": (asks("equals", "gold"),)},
            "A member gets 100 points when they reach the level “Gold”.",
        ),
        (
            {"conditions": (asks("equals", "gold"), asks("at_least", 30, "member.days"))},
            "The inviter gets 100 points when a friend reaches the level “Gold”, "
            "if days since they joined is 30 or more.",
        ),
        (
            {"recipient": "actor", "conditions": (asks("one_of", ("silver", "gold")),)},
            "A member gets 100 points when they reach a level, if level is one of “Silver”, “Gold”.",
        ),
        (
            {"recipient": "actor", "match": "any", "conditions": (asks("equals", "gold"), asks("equals", "silver"))},
            "A member gets 100 points when they reach a level, if level is “Gold” or level is “Silver”.",
        ),
        (
            {"recipient": "actor", "conditions": (asks("equals", "gone"),)},
            "A member gets 100 points when they reach the level “gone”.",
        ),
        (
            {"recipient": "actor", "trigger": "level.will_fall", "conditions": (asks("equals", "gold"),)},
            "A member gets 100 points when they are about to lose the level “Gold”.",
        ),
        (
            {"trigger": "referral.qualified", "recipient": "both"},
            "The inviter and the friend get 100 points each when a friend qualifies.",
        ),
        (
            {"trigger": "referral.qualified", "recipient": "invitee"},
            "The invited friend gets 100 points when they qualify as an invited friend.",
        ),
    ],
)
def test_a_fact_is_told_like_what_people_do(levels, told, sentence):
    rules = (rule(**{"trigger": "level.reached", **told}),)

    assert summary.sentences_of(offer(rules=rules, starts_at=None))[0] == sentence


def test_a_change_of_the_level_is_told_by_name(levels):
    campaign = make_campaign({"trigger": "level.reached", "recipient": "actor", "order_number": "any"})
    act(lifecycle.activate, campaign, at=NOON)
    campaign.rules.update(conditions=[{"field": "level", "operator": "equals", "value": "gold"}])
    act(lifecycle.publish, campaign, at=NOON)

    newest = changes.changes_of(list(versions.list_versions(campaign=campaign)))[0]

    assert newest.news == ("A member gets 100 points when they reach the level “Gold”.",)
    assert newest.gone == ("A member gets 100 points when they reach a level.",)


# What is odd


def codes(campaign):
    return [(each.code, each.is_error) for each in lint.problems(campaign=campaign, at=NOON)]


def make_sound(**told):
    usual = {"trigger": "level.reached", "order_number": "any", "recipient": "actor"}
    campaign = make_campaign({**usual, **told}, landing_url="https://acme.example/", budget_points=10_000)
    Limit.objects.create(campaign=campaign, per="member", period="month", max_count=10)
    return campaign


def test_nothing_is_said_of_a_rule_that_can_come_true(levels):
    RewardPolicy.objects.update(level_fall="step")

    for trigger in ("level.reached", "level.will_fall"):
        asked = [{"field": "level", "operator": "equals", "value": "GOLD"}]
        assert codes(make_sound(trigger=trigger, conditions=asked)) == []


def test_where_there_are_no_levels_nobody_reaches_one(acme):
    (remark,) = lint.problems(campaign=make_sound(), at=NOON)

    assert (remark.code, remark.is_error) == ("fact_cannot_happen", False)
    assert remark.sentence == "There are no levels yet, so that nobody can reach one."


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ({"level_fall": "never"}, "By the reward policy nobody ever loses a level."),
        (
            {"level_fall": "step", "level_notice_days": 0},
            "By the reward policy a level is lost without a notice before.",
        ),
    ],
)
def test_where_nobody_falls_or_is_told_before_a_rule_waits_in_vain(levels, policy, sentence):
    RewardPolicy.objects.update(**policy)

    remarks = lint.problems(campaign=make_sound(trigger="level.will_fall"), at=NOON)

    assert [(each.code, each.sentence) for each in remarks] == [("fact_cannot_happen", sentence)]


@pytest.mark.parametrize(("operator", "value"), [("equals", "bronze"), ("one_of", ["gold", "bronze"])])
def test_a_level_that_there_is_not_is_pointed_out(levels, operator, value):
    campaign = make_sound(conditions=[{"field": "level", "operator": operator, "value": value}])

    (remark,) = lint.problems(campaign=campaign, at=NOON)

    assert (remark.code, remark.is_error) == ("unknown_choice", False)
    assert remark.sentence == "There is no “bronze” under “Level”."


def test_before_somebody_is_rewarded_for_a_friend_no_friend_qualifies(acme):
    campaign = make_sound(trigger="referral.qualified", recipient="both")
    (remark,) = lint.problems(campaign=campaign, at=NOON)
    assert remark.code == "fact_cannot_happen"
    assert remark.sentence == "No friend qualifies before another rule rewards the inviter: for a first order, say."

    make_campaign({"recipient": "inviter"})

    assert codes(campaign) == []


def test_nobody_qualifies_by_themselves(acme):
    assert codes(make_sound(trigger="referral.qualified")) == [("nobody_does_it", True)]


def test_no_promise_waits_for_a_fact(levels):
    assert codes(make_sound(trigger="order.paid", awaits="level.reached")) == [("awaits_unknown", True)]


def test_on_a_ladder_each_friend_who_qualifies_is_a_step(acme):
    make_campaign({"recipient": "inviter"})
    campaign = make_sound(trigger="referral.qualified", recipient="inviter", amount_kind="tiers", amount_points=None)

    assert codes(campaign) == [("no_tiers", True)]


def test_an_error_of_a_condition_stands_at_its_field(levels):
    campaign = make_campaign()
    conditions = '[{"field": "amount_minor", "operator": "at_least", "value": "5"}]'

    answer = save(
        browser_of("marketer"), page_of(campaign), rules_0_trigger="level.reached", rules_0_conditions=conditions
    )

    assert errors_in(answer) == {"rules-0-conditions": ["Condition 1: This kind of event has no field “amount_minor”."]}

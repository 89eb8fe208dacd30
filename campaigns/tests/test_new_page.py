"""A marketer's page of a new campaign: from an empty form to a campaign that works."""

import json
from datetime import UTC, datetime

import pytest

from campaigns import versions
from campaigns.models import Campaign, CampaignVersion
from campaigns.tests.making import make_campaign
from campaigns.tests.pages import ADD, errors_in, messages_of, page_of, save, sent_by
from tenants.staff.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_a_name_is_all_it_takes(mia):
    response = save(mia, ADD, button="_activate", name="Bring a friend")

    campaign = Campaign.objects.get()
    assert response.url == page_of(campaign)
    assert (campaign.status, campaign.goal) == ("active", "attract")
    [rule] = campaign.rules.all()
    assert (rule.trigger, rule.order_number, rule.recipient) == ("order.paid", "first", "inviter")
    assert (rule.amount_kind, rule.amount_points, rule.rate_bps) == ("fixed", 100, None)
    [limit] = campaign.limits.all()
    assert (limit.per, limit.period, limit.max_count, limit.max_points) == ("member", "month", 10, None)
    [version] = CampaignVersion.objects.all()
    assert (version.number, version.author) == (1, "marketer")
    assert [line.amount_points for line in versions.offer_in(version).rules] == [100]


def test_the_saved_campaign_is_told_in_plain_words(mia):
    saved = save(mia, ADD, button="_activate", name="Bring a friend", landing_url="https://acme.example/")

    response = mia.get(saved.url)

    assert response.context["sentences"][0] == (
        "The inviter gets 100 points when a friend pays a first order; at most 10 rewards a month."
    )
    assert response.context["remarks"] == []
    assert [(change.number, change.news) for change in response.context["changes"]] == [(1, ("Activated.",))]


def test_a_draft_rewards_nobody(mia):
    response = save(mia, ADD, name="Bring a friend")

    assert Campaign.objects.get().status == "draft"
    assert not CampaignVersion.objects.exists()
    assert messages_of(mia.get(response.url)) == [
        "“Bring a friend” is saved as a draft. Nobody gets anything until you activate it."
    ]


def test_what_would_reward_nobody_is_not_activated_and_nothing_that_was_typed_is_lost(mia):
    response = save(mia, ADD, button="_activate", name="Bring a friend", rules_0_amount_kind="tiers")

    assert errors_in(response) == {"__all__": ["A rule pays by the ladder, and the ladder has no steps."]}
    assert response.context["adminform"].form["name"].value() == "Bring a friend"
    assert not Campaign.objects.exists()
    assert not AuditEntry.objects.filter(action__startswith="campaign").exists()


def test_a_full_campaign_is_stored_as_it_was_meant(mia):
    asked = [
        {"field": "amount_minor", "operator": "at_least", "value": "1 499,90"},
        {"field": "channel", "operator": "one_of", "value": "telegram, shop,"},
        {"field": "member.days", "operator": "at_most", "value": "30"},
        {"field": "member.invited", "operator": "is", "value": True},
    ]

    save(
        mia,
        ADD,
        name="Spring",
        goal="sell",
        rules_0_recipient="both",
        rules_0_amount_kind="tiers",
        rules_0_hold_days="14",
        rules_0_match="any",
        rules_0_conditions=json.dumps(asked),
        tiers_0_from_count="1",
        tiers_0_amount_points="100",
        tiers_2_from_count="5",
        tiers_2_amount_points="150",
        starts_at_0="2026-05-01",
        starts_at_1="10:00",
        budget_points="100000",
        when_short="cap",
        landing_url="acme.example/friends",
        exclusive_group=" spring ",
        priority="7",
    )

    campaign = Campaign.objects.get()
    rule = campaign.rules.get()
    # Ten in the morning in Moscow.
    assert campaign.starts_at == datetime(2026, 5, 1, 7, tzinfo=UTC)
    assert (campaign.goal, campaign.budget_points, campaign.when_short) == ("sell", 100_000, "cap")
    assert (campaign.landing_url, campaign.exclusive_group) == ("https://acme.example/friends", "spring")
    assert (campaign.priority, rule.recipient, rule.hold_days, rule.match) == (7, "both", 14, "any")
    assert rule.conditions == [
        {"field": "amount_minor", "operator": "at_least", "value": 149_990},
        {"field": "channel", "operator": "one_of", "value": ["telegram", "shop"]},
        {"field": "member.days", "operator": "at_most", "value": 30},
        {"field": "member.invited", "operator": "is", "value": True},
    ]
    assert [*campaign.tiers.order_by("from_count").values_list("from_count", "amount_points")] == [(1, 100), (5, 150)]


def test_limits_and_a_budget_in_money_are_stored_as_they_were_meant_and_shown_again(mia, acme):
    save(
        mia,
        ADD,
        name="Spring",
        budget_minor="1500.50",
        limits_0_per="device",
        limits_0_period="rolling",
        limits_0_days="30",
        limits_0_max_count="",
        limits_0_max_cost_minor="99.9",
        limits_0_when_short="cap",
    )

    campaign = Campaign.objects.get()
    limit = campaign.limits.get()
    assert campaign.budget_minor == 150_050
    assert (limit.per, limit.period, limit.days, limit.when_short) == ("device", "rolling", 30, "cap")
    assert (limit.max_count, limit.max_cost_minor) == (None, 9_990)
    again = sent_by(mia.get(page_of(campaign)))
    assert (str(again["budget_minor"]), str(again["limits-0-max_cost_minor"])) == ("1500.50", "99.90")


def test_two_limits_of_a_kind_are_put_into_one(mia, acme):
    told = {"per": "member", "period": "month", "days": "", "max_points": "", "max_cost_minor": "", "when_short": ""}
    rows = {f"limits_{nth}_{name}": value for nth in (0, 1) for name, value in {**told, "max_count": "5"}.items()}

    refused = save(mia, ADD, name="Spring", limitsTOTAL="2", **rows)

    assert errors_in(refused) == {
        "limits": ["There are two limits for the same whom and the same period: put them into one."]
    }
    assert not Campaign.objects.exists()


def test_conditions_are_shown_again_as_they_were_typed(mia):
    asked = [{"field": "amount_minor", "operator": "at_least", "value": 149_990}]
    campaign = make_campaign({"conditions": [*asked, {"field": "channel", "operator": "one_of", "value": ["a", "b"]}]})

    form = mia.get(page_of(campaign)).context["inline_admin_formsets"][0].formset.forms[0]

    assert form.initial["conditions"] == [
        {"field": "amount_minor", "operator": "at_least", "value": "1499.90"},
        {"field": "channel", "operator": "one_of", "value": "a, b"},
    ]


def test_an_error_stands_at_its_field_and_nothing_is_saved(mia):
    response = save(
        mia,
        ADD,
        button="_activate",
        name="",
        budget_points="0",
        rules_0_amount_points="",
        tiers_0_from_count="1",
        limits_0_max_count="",
    )

    assert errors_in(response) == {
        "name": ["This field is required."],
        "budget_points": ["Ensure this value is greater than or equal to 1."],
        "rules-0-amount_points": ["How much of it?"],
        "tiers-0-amount_points": ["This field is required."],
        "limits-0-max_count": ["At most how many rewards, how many points, or what cost?"],
    }
    assert not Campaign.objects.exists()


def test_two_steps_cannot_begin_with_the_same_friend(mia):
    steps = {"from_count": "1", "amount_points": "5"}
    sent = {f"tiers_{number}_{name}": value for number in (0, 1) for name, value in steps.items()}

    response = save(mia, ADD, name="Bring a friend", **sent)

    assert errors_in(response)["tiers"] == ["Two steps begin with the same friend."]

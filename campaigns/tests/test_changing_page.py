"""A marketer's page of a campaign that runs: each change of it is in force from then on."""

from datetime import UTC, datetime

import pytest
import time_machine

from campaigns import rulebook
from campaigns.models import Campaign, CampaignVersion, RewardTier
from campaigns.tests.making import make_campaign
from campaigns.tests.pages import ADD, errors_in, messages_of, page_of, save
from tests import cast

pytestmark = pytest.mark.django_db


def test_a_change_is_in_force_at_once_and_for_what_happens_from_then_on(mia, running):
    with time_machine.travel(datetime(2026, 3, 17, 13, tzinfo=UTC), tick=False):
        response = save(mia, page_of(running), rules_0_amount_points="250")

    amounts = [
        [rule.line.amount_points for _offer, rule in rulebook.current().offers("order.paid", at)]
        for at in (datetime(2026, 3, 17, 12, 59, tzinfo=UTC), datetime(2026, 3, 17, 13, tzinfo=UTC))
    ]
    assert amounts == [[100], [250]]
    shown = mia.get(response.url)
    assert messages_of(shown) == ["Version 2 of “Bring a friend” is in force: it counts for what happens from now on."]
    change = shown.context["changes"][0]
    assert (change.number, change.author) == (2, "marketer")
    assert change.news == ("The inviter gets 250 points when a friend pays a first order.",)
    assert change.gone == ("The inviter gets 100 points when a friend pays a first order.",)


def test_saving_what_has_not_changed_makes_no_version(mia):
    save(mia, ADD, button="_activate", name="Bring a friend")

    response = save(mia, page_of(Campaign.objects.get()), landing_url="https://acme.example/new")

    assert CampaignVersion.objects.count() == 1
    assert messages_of(mia.get(response.url)) == ["“Bring a friend” is saved. What it offers has not changed."]


def test_a_change_that_would_reward_nobody_is_refused_and_the_old_version_stays(mia, running):
    response = save(mia, page_of(running), rules_0_amount_kind="tiers")

    assert errors_in(response) == {"__all__": ["A rule pays by the ladder, and the ladder has no steps."]}
    assert running.rules.get().amount_kind == "fixed"
    assert CampaignVersion.objects.count() == 1


def test_whoever_saves_second_is_told_once_of_the_first(mia, running):
    url = page_of(running)
    first = {"seen": "1", "name": "Bring a friend"}
    save(mia, url, rules_0_amount_points="250")

    refused = save(mia, url, **first, rules_0_amount_points="300")

    assert errors_in(refused) == {
        "__all__": ["marketer has changed this campaign while you were editing it. Save once more to overwrite that."]
    }
    assert running.rules.get().amount_points == 250
    assert refused.context["adminform"].form["seen"].value() == 2
    save(mia, url, rules_0_amount_points="300")
    assert running.rules.get().amount_points == 300


def test_a_rule_that_has_been_in_force_is_switched_off_and_not_deleted(mia, running):
    response = save(mia, page_of(running), rules_0_DELETE="on")

    assert errors_in(response) == {
        "rules": ["Rule 1 has been in force and is kept for the record: switch it off instead."]
    }
    assert running.rules.count() == 1


def test_a_rule_of_a_draft_can_be_deleted(mia, acme):
    campaign = make_campaign({}, {"amount_points": 7})

    save(mia, page_of(campaign), rules_0_DELETE="on")

    assert [rule.amount_points for rule in campaign.rules.all()] == [7]


def test_steps_can_swap_their_places_and_take_the_place_of_a_deleted_one(mia, acme):
    campaign = make_campaign({"amount_kind": "tiers", "amount_points": None})
    for from_count in (1, 5, 9):
        RewardTier.objects.create(campaign=campaign, from_count=from_count, amount_points=from_count * 10)
    shown = mia.get(page_of(campaign)).context["inline_admin_formsets"][1].formset.forms
    index = {form.instance.from_count: number for number, form in enumerate(shown)}

    save(
        mia,
        page_of(campaign),
        **{
            f"tiers_{index[1]}_from_count": "5",
            f"tiers_{index[5]}_from_count": "9",
            f"tiers_{index[9]}_DELETE": "on",
        },
    )

    steps = campaign.tiers.order_by("from_count").values_list("from_count", "amount_points")
    assert [*steps] == [(5, 10), (9, 50)]


def test_a_campaign_that_is_over_can_still_be_corrected(mia, acme):
    campaign = cast.make_campaign(ends_at=datetime(2026, 3, 18, tzinfo=UTC), budget_points=1_000)

    save(mia, page_of(campaign), landing_url="https://acme.example/over")

    campaign.refresh_from_db()
    assert campaign.landing_url == "https://acme.example/over"

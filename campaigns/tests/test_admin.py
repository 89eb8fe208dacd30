"""A marketer's page: from an empty form to a campaign that works, and every change of it from then on."""

import json
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns import rulebook, versions
from campaigns.models import Campaign, CampaignVersion, Limit, RewardTier
from campaigns.tests.making import make_campaign
from campaigns.tests.pages import ADD, LIST, browser_of, errors_in, page_of, save, sent_by
from tenants import context
from tenants.staff.models import AuditEntry
from tests import cast
from tests.things import make_things

pytestmark = pytest.mark.django_db


@pytest.fixture
def mia(acme):
    """Give a marketer's browser."""
    return browser_of("marketer")


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


# From nothing


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


# Changing what runs


@pytest.fixture
def running(acme):
    """Give a campaign that runs since noon of the cast's day."""
    return cast.make_campaign(landing_url="https://acme.example/", budget_points=10_000)


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


# The buttons


def press(client, campaign, name, **sent):
    return client.post(f"{LIST}{campaign.pk}/{name}/", sent)


@pytest.mark.parametrize(
    ("status", "button", "leads_to"),
    [
        ("draft", "activate", "active"),
        ("active", "pause", "paused"),
        ("paused", "resume", "active"),
        ("stopped", "resume", "stopped"),
        ("ended", "resume", "ended"),
        ("draft", "pause", "draft"),
    ],
)
def test_a_button_does_what_it_says_where_it_may(mia, status, button, leads_to):
    campaign = make_campaign(status=status)

    press(mia, campaign, button)

    campaign.refresh_from_db()
    assert campaign.status == leads_to
    assert CampaignVersion.objects.count() == int(status != leads_to)
    audited = AuditEntry.objects.filter(action=f"campaign.{button}", target=f"campaign:{campaign.pk} Bring a friend")
    assert audited.count() == int(status != leads_to)


def test_the_end_is_asked_for_twice(mia, running):
    asked = press(mia, running, "end")

    assert asked.templates[0].name == "campaigns/end_campaign.html"
    running.refresh_from_db()
    assert running.status == "active"

    ended = press(mia, running, "end", sure="1")
    assert ended.url == page_of(running)
    running.refresh_from_db()
    assert running.status == "ended"


def test_a_button_says_what_keeps_a_campaign_from_being_activated(mia):
    campaign = make_campaign({"is_active": False})

    response = press(mia, campaign, "activate")

    assert messages_of(mia.get(response.url)) == [
        "No rule is in use: nobody would get anything.",
        "The campaign cannot be activated yet.",
    ]


def test_looking_at_a_button_s_address_does_nothing(mia, running):
    assert mia.get(f"{LIST}{running.pk}/pause/").url == LIST

    running.refresh_from_db()
    assert running.status == "active"


def test_a_stopped_campaign_shows_the_way_to_its_stop(mia):
    campaign = make_campaign(status="stopped")

    response = mia.get(page_of(campaign))

    assert response.context["stops_url"] == "/admin/antifraud/trip/"
    assert "resume/" not in response.content.decode()


def test_what_has_ended_is_only_read(mia):
    campaign = make_campaign(status="ended")

    assert save(mia, page_of(campaign), name="Again").status_code == 403

    campaign.refresh_from_db()
    assert campaign.name == "Bring a friend"


def test_only_a_draft_can_be_deleted(mia, running):
    draft = make_campaign(name="Draft")

    assert mia.post(f"{LIST}{running.pk}/delete/", {"post": "yes"}).status_code == 403
    assert mia.post(f"{LIST}{draft.pk}/delete/", {"post": "yes"}).status_code == 302

    assert [campaign.pk for campaign in Campaign.objects.all()] == [running.pk]


# The list


def test_the_list_tells_what_each_campaign_has_given(mia, running):
    Limit.objects.create(campaign=running, per="member", period="month", max_count=3)
    make_campaign(name="Draft")
    shop = cast.Shop()
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500")

    page = mia.get(LIST).content.decode()

    assert "100 of 10,000 points" in page
    assert "0 points" in page
    assert "The inviter gets 100 points when a friend pays a first order; at most 3 rewards a month." in page


def test_the_list_costs_the_same_for_many_campaigns(mia, django_assert_max_num_queries):
    make_things()
    gives = {"reward_kind": "product", "reward_what": "stickers"}
    make_campaign(gives)
    mia.get(LIST)
    with CaptureQueriesContext(connection) as once:
        mia.get(LIST)
    for number in range(3):
        make_campaign(gives, {"reward_what": "stars"}, name=str(number))

    # The assets are read too now.
    with django_assert_max_num_queries(len(once) + 1):
        mia.get(LIST)


def test_an_empty_list_shows_where_to_begin(mia):
    assert "Your first campaign takes a minute" in mia.get(LIST).content.decode()


# Who may


@pytest.mark.parametrize("role", ["moderator", "analyst"])
def test_others_read_in_words_and_change_nothing(acme, running, role):
    other = browser_of(role)

    page = other.get(page_of(running))

    assert page.status_code == 200
    assert page.context["sentences"] == [
        "The inviter gets 100 points when a friend pays a first order.",
        "It runs from March 17, 2026, 15:00 on.",
        "All in all it gives at most 10,000 points.",
        "When less is left than is due, nothing is given.",
    ]
    assert page.context["inline_admin_formsets"] == []
    assert "_save" not in page.content.decode()
    assert other.get(LIST).status_code == 200
    assert other.get(ADD).status_code == 403
    assert other.post(ADD, {"name": "Mine"}).status_code == 403
    assert other.post(page_of(running), {"name": "Mine"}).status_code == 403
    for button in ("activate", "pause", "resume", "end"):
        assert press(other, running, button, sure="1").status_code == 403
    running.refresh_from_db()
    assert (running.name, running.status) == ("Bring a friend", "active")
    assert CampaignVersion.objects.count() == 1


def test_a_stranger_is_asked_to_log_in(client, running):
    client.defaults["HTTP_HOST"] = "acme.localhost"

    assert client.get(page_of(running)).url.startswith("/admin/login/")
    assert client.post(f"{LIST}{running.pk}/pause/").url.startswith("/admin/login/")

    running.refresh_from_db()
    assert running.status == "active"


def test_the_cookie_of_one_tenant_opens_nothing_of_another(mia, running, bolt):
    mia.defaults["HTTP_HOST"] = "bolt.localhost"

    assert mia.get(page_of(running), headers={"host": "bolt.localhost"}).url.startswith("/admin/login/")


def test_a_campaign_of_another_tenant_is_not_found(acme, bolt, running):
    with context.in_tenant(bolt.schema_name):
        stranger = browser_of("marketer", host="bolt.localhost")
        assert not Campaign.objects.exists()

    response = stranger.get(page_of(running))

    assert response.status_code == 302
    assert response.url == "/admin/"
    assert press(stranger, running, "pause").status_code == 404


# What is built in


@pytest.fixture
def builtin(acme):
    """Give the campaign that keeps what was issued by hand."""
    return make_campaign({"is_active": False}, name="By hand", status="active", is_builtin=True)


def test_what_is_built_in_is_only_looked_at(mia, builtin):
    page = mia.get(page_of(builtin))

    assert page.status_code == 200
    assert (page.context["buttons"], page.context["remarks"]) == ("", [])
    assert page.context["inline_admin_formsets"] == []
    assert save(mia, page_of(builtin), name="Mine").status_code == 403
    assert mia.post(f"{LIST}{builtin.pk}/delete/", {"post": "yes"}).status_code == 403
    for button in ("activate", "pause", "resume", "end"):
        press(mia, builtin, button, sure="1")
    builtin.refresh_from_db()
    assert (builtin.name, builtin.status) == ("By hand", "active")
    assert not CampaignVersion.objects.exists()


def test_a_built_in_draft_is_not_deleted_either(mia, acme):
    draft = make_campaign(is_builtin=True)

    assert mia.post(f"{LIST}{draft.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Campaign.objects.filter(pk=draft.pk).exists()


def test_what_is_built_in_is_marked_in_the_list_and_is_no_first_campaign(mia, builtin):
    page = mia.get(LIST).content.decode()

    assert "Built in" in page
    assert "It is built in: it keeps what was given by hand or by a program, without a rule." in page
    assert "Your first campaign takes a minute" in page


# One click


START = f"{LIST}start-programme/"


def test_a_loyalty_programme_is_one_click(mia, builtin):
    with time_machine.travel(datetime(2026, 3, 17, 12, tzinfo=UTC), tick=False):
        response = mia.post(START)

    campaign = Campaign.objects.get(is_builtin=False)
    assert response.url == page_of(campaign)
    assert (campaign.name, campaign.status, campaign.refund_policy) == ("Cashback 5%", "active", "to_zero")
    page = mia.get(response.url)
    assert messages_of(page) == ["“Cashback 5%” is active. Change what you like."]
    assert page.context["sentences"] == [
        "A member gets 5% of the order in points when they pay an order.",
        "The points can be spent after 14 days.",
        "It runs from March 17, 2026, 15:00 on.",
    ]
    [version] = CampaignVersion.objects.all()
    assert (version.campaign_id, version.author) == (campaign.pk, "marketer")
    assert AuditEntry.objects.filter(action="campaign.start_programme").count() == 1


def test_a_second_click_starts_no_second_programme(mia):
    mia.post(START)

    again = mia.post(START)

    assert Campaign.objects.count() == 1
    assert messages_of(mia.get(again.url))[-1] == "There is a campaign already: change that, or create another."
    assert "Start a programme" not in mia.get(LIST).content.decode()


def test_looking_at_the_button_s_address_starts_nothing(mia):
    assert mia.get(START).url == LIST
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("role", ["moderator", "analyst"])
def test_others_start_no_programme(acme, role):
    other = browser_of(role)

    assert other.post(START).status_code == 403
    assert "Start a programme" not in other.get(LIST).content.decode()
    assert not Campaign.objects.exists()

"""Limits over all campaigns in the back office, and the pages that show how much of limits is used."""

from datetime import timedelta

import pytest
from django.utils import timezone

from antifraud.limits import counters, filling
from antifraud.models import Counter
from campaigns.models import Limit
from core.db import transaction
from rewards.models import Asset
from tenants import context
from tenants.staff.models import AuditEntry
from tests.cast import Shop, codes_of, make_campaign
from tests.people import browser_of, staff_of
from tests.races import at_once

pytestmark = pytest.mark.django_db

LIST, ADD = "/admin/campaigns/limit/", "/admin/campaigns/limit/add/"
USE = "/admin/campaigns/limit/use/"
EACH_ORDER = {"recipient": "actor", "order_number": "any"}
EMPTY = {"days": "", "max_count": "", "max_points": "", "max_cost_minor": "", "when_short": ""}
RUB = "RUB "


@pytest.fixture
def shop(acme):
    # The pages read the clock.
    shop = Shop(at=timezone.now())
    yield shop
    assert counters.verify(zone="Europe/Moscow") == []


@pytest.fixture
def mia(acme):
    return browser_of(staff_of("marketer", username="mia"))


def filled(**told):
    return {**EMPTY, "per": "member", "period": "month", **told}


def page_of(limit):
    return f"/admin/campaigns/limit/{limit.pk}/change/"


def text_of(browser, path):
    response = browser.get(path)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


# Over all campaigns


def test_a_limit_over_all_campaigns_is_made_in_a_form_and_said_in_words(mia):
    response = mia.post(ADD, filled(max_count="5", max_cost_minor="1500.50", when_short="cap"))

    assert response.status_code == 302
    limit = Limit.objects.get()
    assert (limit.campaign, limit.max_count, limit.max_cost_minor, limit.when_short) == (None, 5, 150_050, "cap")
    assert (
        f"Each member gets at most 5 rewards and {RUB}1,500.50 of cost a month, over all campaigns. "
        "When less is left than is due, what is left is given."
    ) in text_of(mia, LIST)
    assert AuditEntry.objects.get().action == "limit.added"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_one_limit_at_once_one_is_told_to_change_that_of_the_other(acme):
    browsers = [browser_of(staff_of("marketer", username=name)) for name in ("mia", "mona")]

    told = at_once(*[lambda each=each: each.post(ADD, filled(max_count="5")) for each in browsers])

    assert sorted(response.status_code for response in told) == [200, 302]
    (refused,) = [response for response in told if response.status_code == 200]
    assert "There is such a limit already: change that one." in refused.content.decode()
    assert Limit.objects.filter(campaign=None).count() == 1


def test_days_are_asked_for_a_rolling_limit_only(mia):
    assert "In how many days?" in mia.post(ADD, filled(period="rolling", max_count="5")).content.decode()
    assert (
        "Ensure this value is less than or equal to 92."
        in mia.post(ADD, filled(period="rolling", days="93", max_count="5")).content.decode()
    )
    assert not Limit.objects.exists()

    mia.post(ADD, filled(period="month", days="7", max_count="5"))
    mia.post(ADD, filled(period="rolling", days="7", max_count="5"))

    assert list(Limit.objects.order_by("pk").values_list("period", "days")) == [("month", None), ("rolling", 7)]


@pytest.mark.parametrize("cost", ["-1", "0", "0.001", "many", "9999999999"])
def test_a_cost_that_is_none_is_refused(mia, cost):
    assert mia.post(ADD, filled(max_cost_minor=cost)).status_code == 200

    assert not Limit.objects.exists()


def test_a_limit_limits_something(mia):
    page = mia.post(ADD, filled()).content.decode()

    assert "At most how many rewards, how many points, or what cost?" in page
    assert not Limit.objects.exists()


def test_there_is_one_of_a_kind(mia):
    mia.post(ADD, filled(max_count="5"))

    page = mia.post(ADD, filled(max_points="500")).content.decode()

    assert "There is such a limit already: change that one." in page
    assert Limit.objects.get().max_count == 5


def test_the_form_shows_money_as_people_write_it_and_leaves_it_as_it_is(mia):
    limit = Limit.objects.create(campaign=None, per="member", period="month", max_cost_minor=150_050)
    assert 'value="1500.50"' in mia.get(page_of(limit)).content.decode()

    mia.post(page_of(limit), filled(max_cost_minor="1500.5"))

    limit.refresh_from_db()
    assert limit.max_cost_minor == 150_050
    assert AuditEntry.objects.get().changes == {}


def test_a_limit_that_changes_its_period_counts_anew_from_the_rewards(mia, shop):
    make_campaign(rule=EACH_ORDER, at=shop.at)
    limit = Limit.objects.create(campaign=None, per="member", period="ever", max_count=2)
    shop.pays("anna", "500")
    mia.post(page_of(limit), filled(period="hour", max_count="2"))
    shop.pays("anna", "500")
    # By now the counter that was for ever is one short.
    mia.post(page_of(limit), filled(period="ever", max_count="2"))

    assert codes_of(shop.pays("anna", "500")) == ["limit_count"]


def test_what_a_deleted_limit_has_counted_is_forgotten(mia, shop):
    make_campaign(rule=EACH_ORDER, at=shop.at)
    limit = Limit.objects.create(campaign=None, per="member", period="ever", max_count=1)
    shop.pays("anna", "500", order="1")
    assert Counter.objects.filter(scope="limit", scope_id=limit.pk).count() == 1

    mia.post(f"/admin/campaigns/limit/{limit.pk}/delete/", {"post": "yes"})

    assert not Counter.objects.filter(scope="limit").exists()
    shop.cancels("anna", order="1")


def test_a_campaigns_own_limit_is_not_among_them(mia, shop):
    make_campaign(limits=[{"per": "member", "period": "ever", "max_count": 1}])
    limit = Limit.objects.get()

    assert "0 limits" in text_of(mia, LIST) or "over all campaigns" not in text_of(mia, LIST)
    assert mia.get(page_of(limit)).status_code == 302


# How much is used


def test_a_campaigns_page_of_use_shows_each_limit_and_budget(mia, shop):
    Asset.objects.filter(code="points").update(minor_per_unit=100)
    campaign = make_campaign(
        rule=EACH_ORDER,
        at=shop.at,
        name="Orders",
        budget_points=1_000,
        budget_minor=250_000,
        limits=[
            {"per": "campaign", "period": "day", "max_count": 4},
            {"per": "member", "period": "rolling", "days": 30, "max_points": 500},
            {"per": "device", "period": "month", "max_count": 3},
        ],
    )
    for who in ("boris", "clara", "boris"):
        shop.pays({"external_id": who, "device": "tablet-0001"}, "500")

    page = text_of(mia, f"{USE}{campaign.pk}/")

    assert "Limits and budgets of “Orders”" in page
    for said in ("300 of 1,000 points", f"{RUB}300 of {RUB}2,500", "3 of 4 rewards", "75 %", "200 of 500 points"):
        assert said in page
    assert "the last 30 days, today included" in page
    assert "device …0001, 2 members" in page
    assert "3 of 3 rewards" in page
    assert "Europe/Moscow" in page
    assert page.index(">boris<") < page.index(">clara<")
    assert f'href="{USE}{campaign.pk}/"' in mia.get(f"/admin/campaigns/campaign/{campaign.pk}/change/").content.decode()


def test_looking_at_use_changes_nothing(mia, shop):
    campaign = make_campaign(rule=EACH_ORDER, at=shop.at, budget_points=1_000)
    before = list(Counter.objects.values())

    assert mia.get(f"{USE}{campaign.pk}/").status_code == 200
    assert mia.get(USE).status_code == 200

    assert list(Counter.objects.values()) == before == []


def test_use_of_limits_over_all_campaigns_has_a_page(mia, shop):
    make_campaign(rule=EACH_ORDER, at=shop.at)
    Limit.objects.create(campaign=None, per="campaign", period="rolling", days=2, max_points=400)
    shop.pays("boris", "500")

    page = text_of(mia, USE)

    assert "All campaigns together give at most 400 points in 2 days." in page
    assert "100 of 400 points" in page


def test_a_campaign_of_another_tenant_has_no_page_here(acme, bolt):
    with context.in_tenant(bolt.schema_name):
        theirs = make_campaign(budget_points=100)
        stranger = browser_of(staff_of("admin"), host="bolt.localhost")
    own = browser_of(staff_of("admin"))

    assert own.get(f"{USE}{theirs.pk + 1}/").status_code == 404
    assert stranger.get(f"{USE}{theirs.pk}/").status_code == 200
    stranger.defaults["HTTP_HOST"] = "acme.localhost"
    assert stranger.get(USE, headers={"host": "acme.localhost"}).url.startswith("/admin/login/")


def test_a_member_has_what_they_used_on_their_page(mia, shop):
    make_campaign(
        rule=EACH_ORDER, at=shop.at, limits=[{"per": "member", "period": "month", "max_count": 10, "max_points": 150}]
    )
    Limit.objects.create(campaign=None, per="member", period="ever", max_count=4)
    shop.pays("boris", "500")

    page = text_of(mia, f"/admin/members/member/{shop.id_of('boris')}/change/")

    assert "Each member gets at most 10 rewards and 150 points a month." in page
    assert "1 of 10 rewards" in page
    assert "100 of 150 points" in page
    assert "Each member gets at most 4 rewards in all, over all campaigns." in page


# Alarms


def test_what_is_nearly_used_up_stands_on_the_first_page(mia, shop):
    make_campaign(rule=EACH_ORDER, at=shop.at, name="Nearly", budget_points=125)
    full = make_campaign(
        rule=EACH_ORDER, at=shop.at, name="Full", limits=[{"per": "campaign", "period": "ever", "max_count": 1}]
    )
    make_campaign(rule=EACH_ORDER, at=shop.at, name="Plenty", budget_points=126)
    shop.pays("boris", "500")

    page = text_of(mia, "/admin/")

    assert "“Full”: used up" in page
    assert "“Nearly”: nearly used up" in page
    assert "“Plenty”" not in page
    assert f'href="{USE}{full.pk}/"' in page


def test_alarms_of_many_campaigns_are_read_in_a_few_statements(shop, django_assert_max_num_queries):
    for number in range(12):
        make_campaign(rule=EACH_ORDER, at=shop.at, name=f"Nr. {number}", budget_points=100)
    shop.pays("boris", "500")

    with transaction(), django_assert_max_num_queries(4):
        found = filling.alarming(zone=context.zone(), at=shop.at + timedelta(seconds=1))

    assert [use.percent for use in found] == [100] * 12


def test_what_was_used_yesterday_alarms_nobody_today(shop):
    make_campaign(
        rule=EACH_ORDER, at=shop.at - timedelta(days=3), limits=[{"per": "campaign", "period": "day", "max_count": 1}]
    )
    shop.pays("boris", "500", occurred_at=shop.at - timedelta(days=1))

    with transaction():
        assert filling.alarming(zone=context.zone(), at=shop.at) == []
        yesterday = filling.alarming(zone=context.zone(), at=shop.at - timedelta(days=1))

    assert [use.percent for use in yesterday] == [100]

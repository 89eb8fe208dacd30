"""The first page: its figures, and what it shows of them."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics import dashboard
from analytics.dashboard import Figure
from antifraud.models import Case, StopRule, Trip
from campaigns import lifecycle
from campaigns.models import Campaign
from core.db import transaction
from events.models import Event
from members.models import Member
from rewards.models import Reward
from rewards.tests.units import make_asset
from tenants import context, key_uses, keys
from tests.cast import NOON, Shop, make_campaign
from tests.people import browser_of, flag, staff_of

MOSCOW = ZoneInfo("Europe/Moscow")
# One each for what the menu counts, however much there is.
STATEMENTS_MAX = 14


@pytest.fixture
def shop(acme) -> Shop:
    return Shop(may_backfill=True)


def figures():
    return dashboard.figures(zone=MOSCOW, at=NOON)


def front_page(role: str = "analyst") -> str:
    response = browser_of(staff_of(role)).get("/admin/")
    assert response.status_code == 200
    return response.content.decode()


def test_a_new_tenant_sees_zeros_and_what_to_do(acme):
    shown = figures()

    assert (shown.events, shown.points, shown.waiting.cases) == (Figure(0, 0), Figure(0, 0), 0)
    assert len(shown.days) == 30
    assert shown.days[-1].date == date(2026, 3, 17)
    page = front_page()
    assert "Three steps to the first reward" in page
    assert "http://acme.localhost/api/v1/events" in page


def test_what_came_in_and_what_was_granted_is_counted_by_the_tenants_days(shop):
    make_campaign(at=NOON - timedelta(days=60), rule={"recipient": "actor", "order_number": "any"})
    # 21:30 in London is 0:30 of the next day in Moscow.
    late = NOON.replace(hour=21, minute=30) - timedelta(days=3)
    shop.pays("anna", "500", occurred_at=late)
    shop.pays("anna", "500", occurred_at=NOON - timedelta(days=40))

    shown = figures()

    assert (shown.events, shown.rewards, shown.points) == (Figure(1, 1), Figure(1, 1), Figure(100, 100))
    assert [(day.date, day.events, day.points) for day in shown.days if day.events] == [(date(2026, 3, 15), 1, 100)]


def test_what_a_refund_has_taken_back_is_not_granted(shop):
    make_campaign(at=NOON - timedelta(days=1), rule={"recipient": "actor"})
    shop.pays("anna", "500", order="A-1")

    shop.refunds("anna", "250", order="A-1")

    assert figures().points.now == 50


def test_who_joined_and_who_was_brought(shop):
    make_campaign()
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")
    shop.joins("clara", invited_by="anna")

    shop.pays("boris", "500")

    shown = figures()
    assert (shown.joined.now, shown.referrals.now, shown.qualified.now) == (3, 2, 1)


def test_thousands_stand_apart(acme):
    now = timezone.now()
    Member.objects.bulk_create(Member(first_seen_at=now, joined_at=now) for _number in range(1222))

    page = front_page()
    assert '<p class="figure-value">1,222</p>' in page
    assert "&quot;locale&quot;: &quot;en&quot;" in page


def test_what_waits_for_moderators(shop):
    make_campaign(rule={"recipient": "both"})
    flag(shop)

    waiting = figures().waiting

    assert (waiting.cases, waiting.points, waiting.oldest_at, waiting.is_overdue) == (1, 200, NOON, False)


@pytest.mark.parametrize(("late", "is_overdue"), [(timedelta(0), False), (timedelta(seconds=1), True)])
def test_a_case_is_overdue_from_when_it_should_have_been_decided(shop, late, is_overdue):
    make_campaign(rule={"recipient": "both"})
    flag(shop)
    Case.objects.update(due_at=NOON - late)

    assert figures().waiting.is_overdue is is_overdue


def test_failed_events_are_told_with_a_link(shop):
    shop.joins("anna")
    Event.objects.update(status="failed", error="Broken.")

    assert figures().events_failed == 1


def test_a_stopped_campaign_stands_on_top_with_a_button_for_those_who_may(shop):
    campaign = make_campaign()
    with transaction():
        lifecycle.stop(campaign=campaign, author="rule", at=NOON)
    trip = Trip.objects.create(
        stop_rule=StopRule.objects.earliest("pk"),
        campaign=campaign,
        metric="rewards",
        figure=501,
        threshold=500,
        window_minutes=60,
        tripped_at=NOON,
    )

    assert f"/admin/antifraud/trip/{trip.pk}/resume/" in front_page("marketer")
    page = front_page("analyst")
    assert "“Bring a friend” was stopped" in page
    assert "/resume/" not in page


def test_the_page_takes_few_statements(shop):
    make_campaign(rule={"recipient": "both"})
    for number in range(5):
        flag(shop, inviter=f"inviter-{number}", friend=f"friend-{number}")
    browser = browser_of(staff_of("admin"))
    browser.get("/admin/")

    with CaptureQueriesContext(connection) as statements:
        browser.get("/admin/")

    assert len(statements) <= STATEMENTS_MAX, "\n".join(each["sql"][:150] for each in statements)


@pytest.mark.parametrize(
    ("figure", "percent"),
    [(Figure(12, 10), 20), (Figure(5, 10), -50), (Figure(3, 1), None), (Figure(0, 0), None)],
)
def test_a_change_is_told_where_there_is_enough_to_compare(figure, percent):
    assert figure.change_percent == percent


def test_a_key_that_is_used_after_its_end_is_told_to_whoever_looks_after_keys(acme):
    at = timezone.now()
    key, _full = keys.issue(tenant=acme, environment="live", name="Old till", scopes=["events:write"], at=at)
    with transaction():
        keys.rotate(key=key, overlap=timedelta(), at=at)
    keys.forget()
    key_uses.forget()
    assert "Old till" not in front_page("admin")

    key_uses.note_refused(key=keys.find(prefix=key.prefix), address="198.51.100.23", at=at)

    told = "The key “Old till” was replaced, and is still used"
    assert told not in front_page("analyst")
    admin = browser_of(staff_of("admin", username="olga"))
    page = admin.get("/admin/").content.decode()
    assert told in page
    assert "198.51.100.23" in page
    assert f'href="/admin/tenants/apikey/{key.pk}/change/"' in page
    with context.in_tenant("t_bolt"):
        stranger = browser_of(staff_of("admin"), host="bolt.localhost")
    assert told not in stranger.get("/admin/").content.decode()


def test_a_draft_is_no_campaign_yet(acme):
    Campaign.objects.create(name="Later", goal="sell")

    assert not figures().has_campaign


def test_a_sandbox_is_asked_with_a_key_that_leads_to_it(acme):
    with context.in_tenant("t_acme_sandbox"):
        shown = browser_of(staff_of("analyst"), host="acme-sandbox.localhost").get("/admin/").content.decode()

    assert "sk_test_…" in shown
    assert "sk_live_" not in shown


def test_two_stars_and_three_points_are_not_five(shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop.pays("anna", "500")
    Reward.objects.update(asset=make_asset("stars"))
    shop.pays("boris", "500")

    shown = figures()

    assert (shown.rewards.now, shown.points.now) == (2, 100)

"""Stop rules, what they have halted, and what they would have halted, in a browser."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from antifraud.models import Case, StopRule, Tally, Trip
from antifraud.moderation import deciding
from events.models import Event
from tenants import context
from tenants.staff.models import AuditEntry
from tests.cast import NOON, make_campaign
from tests.people import browser_of, staff_of

RULES, TRIPS = "/admin/antifraud/stoprule/", "/admin/antifraud/trip/"
TRIED = f"{RULES}tried/"
HOUR = timedelta(hours=1)
FORM = {
    "scope": "campaign",
    "campaign": "",
    "metric": "rewards",
    "comparison": "above",
    "threshold": "50",
    "window_minutes": "60",
    "data_min": "20",
    "weeks_min": "4",
    "action": "stop",
    "throttle_per_hour": "",
    "cooldown_minutes": "60",
    "resume_minutes": "",
    "is_active": "on",
}


@pytest.fixture
def marta(acme) -> Client:
    return browser_of(staff_of("marketer", username="marta"))


def page(browser: Client, path: str, **asked: str) -> str:
    response = browser.get(path, asked)
    assert response.status_code == 200
    return response.content.decode()


def saved(browser: Client, **told: str) -> StopRule | str:
    """Save a new rule; return it, or the page that says why not."""
    before = set(StopRule.objects.values_list("pk", flat=True))
    response = browser.post(f"{RULES}add/", {**FORM, **told})
    if response.status_code == 302:
        return StopRule.objects.exclude(pk__in=before).get()
    assert set(StopRule.objects.values_list("pk", flat=True)) == before
    return response.content.decode()


# Rules


def test_the_list_says_each_rule_in_a_sentence(marta):
    shown = page(marta, RULES)

    for sentence in (
        "Any campaign by itself: with more than 500 rewards in 60 minutes the campaign is stopped, "
        "and what it owes waits for a moderator.",
        "Any campaign by itself: with far more than usual at this hour of the week, and more than 30 rewards in "
        "60 minutes, the campaign is stopped, and what it owes waits for a moderator.",
        "Any inviter, with all their friends: with more than 20 rewards in 60 minutes every new reward waits for a "
        "moderator.",
        "Any campaign by itself: with more than 50% of the rewards flagged or refused in 60 minutes nothing is "
        "stopped, and you are told.",
        "Any campaign by itself: with more than 40% of the orders returned in 1440 minutes nothing is stopped, "
        "and you are told.",
    ):
        assert sentence.replace("1440 minutes", "24 hours") in shown


@pytest.mark.parametrize(
    ("metric", "typed", "stored"),
    [
        ("rewards", "50", 50),
        ("flagged_share", "12.5", 1_250),
        ("cost", "1000.50", 100_050),
        ("device_members", "2.5", 250),
        ("conversion", "0.01", 1),
    ],
)
def test_a_bound_is_typed_as_people_say_it(marta, metric, typed, stored):
    rule = saved(marta, metric=metric, threshold=typed)

    assert (rule.metric, rule.threshold) == (metric, stored)
    assert f'value="{typed.rstrip("0") if "." in typed else typed}' in page(marta, f"{RULES}{rule.pk}/change/")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"threshold": "1.5"}, "So many digits are not counted."),
        ({"threshold": "0"}, "It has to be more than nothing."),
        ({"metric": "flagged_share", "threshold": "0.001"}, "So many digits are not counted."),
        ({"scope": "tenant"}, "Only a campaign can be stopped or throttled."),
        ({"scope": "tenant", "action": "block"}, "Blocking is for inviters"),
        ({"action": "throttle"}, "How many rewards an hour are not too many?"),
        ({"window_minutes": "0"}, "Constraint"),
        ({"window_minutes": "10081"}, "Constraint"),
        ({"weeks_min": "9", "comparison": "anomaly"}, "Constraint"),
    ],
)
def test_what_makes_no_sense_is_not_saved(marta, told, why):
    shown = saved(marta, **told)

    assert isinstance(shown, str)
    assert why in shown


def test_what_does_not_matter_for_a_choice_is_cleared(marta):
    campaign = make_campaign()

    rule = saved(marta, scope="inviter", campaign=str(campaign.pk), action="flag", throttle_per_hour="5")

    assert (rule.campaign, rule.throttle_per_hour) == (None, None)


@pytest.mark.parametrize("role", ["moderator", "analyst"])
def test_who_may_only_look_saves_no_rule(acme, role):
    response = browser_of(staff_of(role)).post(f"{RULES}add/", FORM)

    assert response.status_code == 403
    assert StopRule.objects.count() == 5


# Trips


def test_the_list_shows_what_is_in_force_and_what_is_over(trip, marta):
    shown = page(marta, TRIPS)

    assert "501 rewards in 60 minutes; allowed are 500" in shown
    assert f'formaction="{TRIPS}{trip.pk}/resume/"' in shown
    assert "501 rewards" not in page(marta, TRIPS, show="closed")


def test_the_page_of_a_trip_has_the_figures_in_view_of_the_button(trip, marta):
    Trip.objects.update(chart=[[(NOON - HOUR).isoformat(), 120], [NOON.isoformat(), 501]])

    shown = page(marta, f"{TRIPS}{trip.pk}/change/")

    assert "501 rewards in 60 minutes; allowed are 500." in shown
    assert '<path class="figure" d="M0 121.7L720 0"/>' in shown
    assert f'formaction="{TRIPS}{trip.pk}/resume/"' in shown


def test_one_click_lets_it_go_on(trip, marta):
    shown = marta.post(f"{TRIPS}{trip.pk}/resume/", follow=True).content.decode()

    trip.campaign.refresh_from_db()
    assert trip.campaign.status == "active"
    assert "“Bring a friend” goes on." in shown
    assert (
        "Somebody has already set this going again."
        in marta.post(f"{TRIPS}{trip.pk}/resume/", follow=True).content.decode()
    )


def test_what_was_only_told_is_marked_as_seen(trip, marta):
    Trip.objects.update(action="notify")
    assert ">done</span>Seen</button>" in page(marta, TRIPS)

    shown = marta.post(f"{TRIPS}{trip.pk}/resume/", follow=True).content.decode()

    assert "Noted. You are told again when it happens again." in shown
    trip.campaign.refresh_from_db()
    assert trip.campaign.status == "stopped"


@pytest.mark.parametrize("who", ["a moderator", "an analyst", "an admin of bolt", "a reader of links"])
def test_nobody_else_lets_it_go_on(trip, bolt, marta, who):
    if who == "a reader of links":
        assert marta.get(f"{TRIPS}{trip.pk}/resume/").status_code == 302
    elif who == "an admin of bolt":
        with context.in_tenant(bolt.schema_name):
            stranger = browser_of(staff_of("admin"), host="bolt.localhost")
            assert stranger.post(f"{TRIPS}{trip.pk}/resume/").status_code == 404
    else:
        role = who.split()[1]
        assert browser_of(staff_of(role)).post(f"{TRIPS}{trip.pk}/resume/").status_code == 403

    trip.refresh_from_db()
    trip.campaign.refresh_from_db()
    assert (trip.resumed_at, trip.campaign.status) == (None, "stopped")
    assert not AuditEntry.objects.filter(action="campaign.resumed").exists()


def test_it_says_what_the_trip_has_saved(shop, max_, marta):
    StopRule.objects.update(is_active=False)
    StopRule.objects.create(metric="rewards", threshold=2, window_minutes=60)
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop.joins("anna")
    for _ in range(6):
        shop.pays("anna", "500")
    first, second, *_rest = Case.objects.order_by("pk")
    deciding.reject(case=first, by=max_, at=NOON)
    deciding.approve(case=second, by=max_, at=NOON)

    shown = page(marta, f"{TRIPS}{Trip.objects.get().pk}/change/")

    # A hundred points are a hundred roubles.
    for label, worth, rewards in (
        ("Refused by moderators", "100.00", "1 reward<"),
        ("Still waiting", "200.00", "2 rewards<"),
        ("Given after all", "100.00", "1 reward<"),
    ):
        told = shown[shown.index(label) :]
        assert worth in told[:300]
        assert rewards in told[:500]


def test_the_page_of_an_inviters_trip_leads_to_them(shop, marta):
    shop.joins("anna")
    anna = shop.id_of("anna")
    rule = StopRule.objects.create(scope="inviter", action="flag", threshold=5)
    trip = Trip.objects.create(
        stop_rule=rule, scope="inviter", subject=str(anna), metric="rewards", action="flag", figure=6, threshold=5,
        window_minutes=60, tripped_at=NOON,
    )  # fmt: skip

    assert f'href="/admin/members/member/{anna}/change/"' in page(marta, f"{TRIPS}{trip.pk}/change/")
    assert "anna" in page(marta, TRIPS)
    assert "All rewards of “anna” wait" in page(marta, "/admin/")


# What would have been


def hours_ago(hours: float) -> datetime:
    return timezone.now() - timedelta(hours=hours)


@pytest.fixture
def past(shop):
    """Let an order an hour be paid for a while, and eleven within one hour, before anybody counted minutes."""
    shop.may_backfill = True
    make_campaign(rule={"recipient": "actor", "order_number": "any"}, at=hours_ago(24 * 80))
    shop.at = timezone.now()
    shop.joins("anna")
    rush = hours_ago(50).replace(minute=10, second=0, microsecond=0)
    for number in range(11):
        shop.report("order.paid", "anna", order_id=f"r{number}", amount_minor=100, currency="RUB", occurred_at=rush)
    for hours in range(60, 70):
        shop.report(
            "order.paid", "anna", order_id=f"h{hours}", amount_minor=100, currency="RUB", occurred_at=hours_ago(hours)
        )
    shop.handle()
    return rush


def test_a_rule_that_is_not_saved_is_tried_on_what_has_happened(past, marta):
    assert not Tally.objects.filter(scope="campaign").exists()

    shown = page(marta, TRIED, **FORM | {"threshold": "10"})

    assert "It would have tripped once." in shown
    assert "11 rewards in 60 minutes" in shown
    assert '<path class="bound" d="M' in shown
    assert f"{RULES}add/?scope=campaign" in shown


def test_a_rule_that_would_have_done_nothing_says_so(past, marta):
    shown = page(marta, TRIED, **FORM | {"threshold": "11"})

    assert "It would not have tripped." in shown
    assert "It would not have tripped here." in shown


def test_a_saved_rule_is_tried_by_its_number(past, marta):
    rule = StopRule.objects.create(metric="rewards", threshold=5, window_minutes=60)

    shown = page(marta, TRIED, rule=str(rule.pk))

    assert "It would have tripped once." in shown
    assert "Make it a stop rule…" not in shown


def test_nothing_is_changed_by_looking(past, marta):
    before = (StopRule.objects.count(), Trip.objects.count(), Event.objects.count(), AuditEntry.objects.count())

    page(marta, TRIED, **FORM | {"threshold": "5"})

    assert (StopRule.objects.count(), Trip.objects.count(), Event.objects.count(), AuditEntry.objects.count()) == before


@pytest.mark.parametrize("scope", ["campaign", "channel", "inviter", "tenant"])
@pytest.mark.parametrize("metric", StopRule.Metric.values)
def test_everything_can_be_tried(past, marta, metric, scope):
    asked = FORM | {"metric": metric, "scope": scope, "action": "notify", "data_min": "1", "threshold": "1"}

    shown = page(marta, TRIED, **asked | {"comparison": "anomaly"})

    assert "tried-error" not in shown
    assert re.search("It would (not )?have tripped|Nothing of this has happened yet", shown)


def test_what_makes_no_sense_is_said_on_the_page(acme, marta):
    shown = page(marta, TRIED, **FORM | {"threshold": "x", "window_minutes": "0"})

    assert "tried-error" in shown
    assert "It would have tripped" not in shown
    assert "Try it" in page(marta, TRIED, rule="nothing")

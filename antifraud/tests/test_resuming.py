"""What was halted goes on: by hand, or by itself."""

from datetime import timedelta

import pytest

from antifraud.models import StopRule, Tally, Trip
from antifraud.stops import patrol, resuming
from antifraud.stops.resuming import AlreadyResumed
from campaigns import lifecycle, versions
from core.db import transaction
from events.models import Event
from tenants.staff.models import AuditEntry
from tests.cast import NOON
from tests.people import staff_of

HOUR = timedelta(hours=1)


def test_a_tenant_begins_with_rules_that_are_on(acme):
    rules = StopRule.objects.order_by("pk")

    assert [(each.scope, each.metric, each.comparison, each.threshold, each.action) for each in rules] == [
        ("campaign", "rewards", "above", 500, "stop"),
        ("campaign", "rewards", "anomaly", 30, "stop"),
        ("inviter", "rewards", "above", 20, "flag"),
        ("campaign", "flagged_share", "above", 5_000, "notify"),
        ("campaign", "refund_share", "above", 4_000, "notify"),
    ]
    assert {(each.campaign, each.is_active) for each in rules} == {(None, True)}


def test_a_stopped_campaign_goes_on(trip):
    marta = staff_of("marketer", username="marta")

    resuming.resume(trip=trip, by=marta, at=NOON)

    trip.campaign.refresh_from_db()
    assert trip.campaign.status == "active"
    assert (trip.resumed_by, trip.resumed_at) == (marta, NOON)
    assert Event.objects.get(kind="campaign.resumed").data == {"campaign_id": trip.campaign_id, "trip_id": trip.pk}
    assert Event.objects.get(kind="trip.closed").data["by"] == "marta"
    assert AuditEntry.objects.get().action == "campaign.resumed"


def test_it_remembers_what_its_last_minute_had_seen(trip):
    Tally.objects.create(scope="campaign", subject=str(trip.campaign_id), minute=NOON, rewards=501, points=9)
    Tally.objects.create(scope="campaign", subject=str(trip.campaign_id), minute=NOON - HOUR, rewards=7)

    resuming.resume(trip=trip, by=staff_of("marketer"), at=NOON + timedelta(seconds=30))

    assert trip.baseline == {"counted": {"rewards": 501, "points": 9}}


def test_the_second_who_resumes_is_told(trip):
    marta = staff_of("marketer", username="marta")
    resuming.resume(trip=trip, by=marta, at=NOON)

    with pytest.raises(AlreadyResumed):
        resuming.resume(trip=trip, by=marta, at=NOON)

    assert Event.objects.filter(kind="campaign.resumed").count() == 1


def test_a_campaign_that_was_ended_meanwhile_stays_ended(trip):
    with transaction():
        lifecycle.end(campaign=trip.campaign, author="marta", at=NOON)

    resuming.resume(trip=trip, by=staff_of("marketer"), at=NOON)

    trip.campaign.refresh_from_db()
    assert trip.campaign.status == "ended"
    assert trip.resumed_at == NOON
    assert not Event.objects.filter(kind="campaign.resumed").exists()
    assert AuditEntry.objects.get().action == "trip.closed"


def test_it_goes_on_by_itself_when_its_time_has_come(trip):
    Trip.objects.update(resume_at=NOON + HOUR)

    patrol.walk(at=NOON + HOUR - timedelta(seconds=1))
    trip.refresh_from_db()
    assert trip.resumed_at is None
    patrol.walk(at=NOON + HOUR)

    trip.refresh_from_db()
    trip.campaign.refresh_from_db()
    assert (trip.resumed_at, trip.resumed_by, trip.campaign.status) == (NOON + HOUR, None, "active")
    entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.actor, entry.action) == ("system", "", "campaign.resumed")


def test_what_nobody_gave_a_time_waits_for_somebody(trip):
    patrol.walk(at=NOON + timedelta(days=300))

    trip.refresh_from_db()
    assert trip.resumed_at is None


@pytest.mark.parametrize("is_by_hand", [True, False])
def test_a_campaign_that_was_paused_when_it_was_stopped_is_paused_again(campaign, is_by_hand):
    with transaction():
        lifecycle.pause(campaign=campaign, author="marta", at=NOON)
        lifecycle.stop(campaign=campaign, author="", at=NOON)
    trip = Trip.objects.create(
        stop_rule=StopRule.objects.earliest("pk"),
        campaign=campaign,
        metric="rewards",
        figure=501,
        threshold=500,
        window_minutes=60,
        tripped_at=NOON,
        resume_at=NOON + HOUR,
    )

    if is_by_hand:
        resuming.resume(trip=trip, by=staff_of("marketer"), at=NOON + HOUR)
    else:
        patrol.walk(at=NOON + HOUR)

    trip.refresh_from_db()
    campaign.refresh_from_db()
    assert (trip.resumed_at, campaign.status) == (NOON + HOUR, "paused")
    assert versions.find_last(campaign=campaign).definition["status"] == "paused"
    assert not Event.objects.filter(kind="campaign.resumed").exists()

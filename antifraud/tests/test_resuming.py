"""A campaign that was stopped goes on."""

import pytest

from antifraud import stops
from antifraud.models import StopRule
from antifraud.stops import AlreadyResumed
from campaigns import lifecycle
from core.db import transaction
from events.models import Event
from tenants.staff.models import AuditEntry
from tests.cast import NOON
from tests.people import staff_of


def test_the_default_rule_stops_any_campaign_at_more_than_500_rewards_an_hour(acme):
    rule = StopRule.objects.get()

    assert (rule.campaign, rule.metric, rule.threshold, rule.window_minutes, rule.is_active) == (
        None,
        "rewards",
        500,
        60,
        True,
    )


def test_a_stopped_campaign_goes_on(trip):
    marta = staff_of("marketer", username="marta")

    stops.resume(trip=trip, by=marta, at=NOON)

    trip.campaign.refresh_from_db()
    assert trip.campaign.status == "active"
    assert (trip.resumed_by, trip.resumed_at) == (marta, NOON)
    assert Event.objects.get(kind="campaign.resumed").data == {"campaign_id": trip.campaign_id, "trip_id": trip.pk}
    assert AuditEntry.objects.get().action == "campaign.resumed"


def test_the_second_who_resumes_is_told(trip):
    marta = staff_of("marketer", username="marta")
    stops.resume(trip=trip, by=marta, at=NOON)

    with pytest.raises(AlreadyResumed):
        stops.resume(trip=trip, by=marta, at=NOON)

    assert Event.objects.filter(kind="campaign.resumed").count() == 1


def test_a_campaign_that_was_ended_meanwhile_stays_ended(trip):
    with transaction():
        lifecycle.end(campaign=trip.campaign, author="marta", at=NOON)

    stops.resume(trip=trip, by=staff_of("marketer"), at=NOON)

    trip.campaign.refresh_from_db()
    assert trip.campaign.status == "ended"
    assert trip.resumed_at == NOON
    assert not Event.objects.filter(kind="campaign.resumed").exists()

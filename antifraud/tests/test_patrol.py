"""What no event brings is looked at by the clock."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from antifraud import tasks
from antifraud.models import StopRule, Tally, Trip
from antifraud.stops import patrol, tallies
from antifraud.stops.minutes import Subject, Window
from campaigns import lifecycle
from events.models import Event
from tests.cast import NOON, act

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _only_ours(acme):
    """Leave the stop rules that a tenant begins with out of use."""
    StopRule.objects.update(is_active=False)


def stop_rule(**told):
    return StopRule.objects.create(**{"metric": "rewards", "threshold": 5, "window_minutes": 60, **told})


def happened(subject, *, ago=MINUTE, at=NOON, scope="campaign", **columns):
    minute = (at - ago).replace(second=0, microsecond=0)
    Tally.objects.create(scope=scope, subject=str(subject), minute=minute, **columns)


def told():
    return [(trip.metric, trip.scope, trip.campaign_id or trip.subject, trip.figure) for trip in Trip.objects.all()]


def test_too_little_is_seen_though_nothing_happens(campaign):
    stop_rule(comparison="below", metric="orders", action="notify")

    assert patrol.walk(at=NOON + HOUR - MINUTE) == 0
    assert patrol.walk(at=NOON + HOUR) == 1

    assert told() == [("orders", "campaign", campaign.pk, 0)]
    assert Event.objects.filter(kind="trip.opened").count() == 1
    assert patrol.walk(at=NOON + 2 * HOUR) == 0


def test_enough_is_not_too_little(campaign):
    stop_rule(comparison="below", metric="orders", action="notify")
    happened(campaign.pk, at=NOON + HOUR, orders=5)

    assert patrol.walk(at=NOON + HOUR) == 0


def test_a_campaign_that_was_paused_meanwhile_has_not_been_there_for_the_whole_window(campaign):
    stop_rule(comparison="below", metric="orders", action="notify")
    act(lifecycle.pause, campaign, at=NOON + MINUTE)
    assert patrol.walk(at=NOON + 3 * HOUR) == 0
    act(lifecycle.resume, campaign, at=NOON + 3 * HOUR)

    assert patrol.walk(at=NOON + 4 * HOUR - MINUTE) == 0
    assert patrol.walk(at=NOON + 4 * HOUR) == 1


def test_a_tenant_that_has_fallen_silent_is_seen(acme):
    stop_rule(scope="tenant", comparison="below", metric="signups", action="notify")
    happened("", scope="tenant", ago=3 * HOUR, signups=9)

    assert patrol.walk(at=NOON) == 1

    assert told() == [("signups", "tenant", "", 0)]


def test_a_share_that_no_batch_has_looked_at_is_seen(campaign):
    stop_rule(metric="refund_share", threshold=4_000, action="notify")
    happened(campaign.pk, orders=20, refunds=9)

    assert patrol.walk(at=NOON) == 1

    assert told() == [("refund_share", "campaign", campaign.pk, 4_500)]


def test_an_anomaly_falls_due_as_the_hour_goes_by(campaign):
    stop_rule(comparison="anomaly", window_minutes=30)
    for weeks in range(1, 6):
        # Always a crowd until half past eleven, and then calm.
        happened(campaign.pk, ago=timedelta(weeks=weeks, minutes=35), rewards=40)
        happened(campaign.pk, ago=timedelta(weeks=weeks, minutes=15), rewards=2)
        happened(campaign.pk, ago=timedelta(weeks=weeks, days=1), rewards=1)
    happened(campaign.pk, ago=28 * MINUTE, rewards=20)

    assert patrol.walk(at=NOON - 20 * MINUTE) == 0
    assert patrol.walk(at=NOON) == 1

    campaign.refresh_from_db()
    assert campaign.status == "stopped"
    assert Trip.objects.get().baseline["median"] == 2.0


def test_a_stopped_campaign_is_not_stopped_once_more(campaign):
    stop_rule()
    happened(campaign.pk, rewards=9)

    assert [patrol.walk(at=NOON), patrol.walk(at=NOON)] == [1, 0]


def test_a_draft_is_not_looked_at(acme):
    stop_rule()
    happened(4711, rewards=9)

    assert patrol.walk(at=NOON) == 0


def test_the_number_of_statements_does_not_depend_on_how_much_there_is(campaign):
    stop_rule(scope="channel", threshold=10_000, action="notify")
    stop_rule(comparison="anomaly", threshold=10_000)
    counts = []
    for channels in (1, 60):
        for number in range(channels):
            happened(f"channel-{channels}-{number}", scope="channel", rewards=1)
        with CaptureQueriesContext(connection) as queries:
            patrol.walk(at=NOON)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 8


@pytest.mark.parametrize(
    ("given", "is_due"),
    [("nothing", False), ("a tally", True), ("an old tally", False), ("a rule for too little", True)],
)
def test_where_nothing_can_have_changed_the_lock_is_left_alone(campaign, given, is_due):
    stop_rule(comparison="below" if given == "a rule for too little" else "above")
    if given == "a tally":
        happened(campaign.pk, ago=59 * MINUTE, rewards=1)
    if given == "an old tally":
        happened(campaign.pk, ago=61 * MINUTE, rewards=1)

    assert patrol.is_due(at=NOON) is is_due


def test_what_is_to_go_on_is_due(trip):
    Trip.objects.update(resume_at=NOON)

    assert not patrol.is_due(at=NOON - MINUTE)
    assert patrol.is_due(at=NOON)


def test_each_tenant_is_walked_by_itself(campaign, bolt):
    stop_rule(comparison="below", metric="orders", action="notify")

    tasks.watch_figures()

    # The task reads the real clock: the campaign of March 2026 has long been there.
    assert [trip.campaign_id for trip in Trip.objects.all()] == [campaign.pk]


def test_a_window_that_began_before_anybody_was_heard_of_is_not_the_same_as_an_empty_one(acme):
    happened("telegram", scope="channel", ago=HOUR, orders=3)
    subject = Subject("channel", "telegram")
    early, empty, open_ = (
        Window(subject, NOON - 2 * HOUR, NOON),
        Window(subject, NOON - HOUR + MINUTE, NOON),
        Window(subject, NOON - 2 * HOUR),
    )

    sums = tallies.read([early, empty, open_])

    assert sums[early] is None
    assert sums[empty] is not None
    assert (sums[empty].orders, sums[open_] and sums[open_].orders) == (0, 3)


def test_minutes_are_kept_for_a_week_and_the_eight_before(acme):
    for days in (63, 65):
        happened("", scope="tenant", ago=timedelta(days=days), orders=1)

    assert tallies.prune(at=NOON) == 1

    assert Tally.objects.get().minute == NOON - timedelta(days=63)

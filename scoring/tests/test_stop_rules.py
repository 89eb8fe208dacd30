"""A campaign that gives more than it should in a window is stopped; what it gives then waits for a moderator."""

from datetime import timedelta

import pytest

from antifraud.judging import reasons
from antifraud.models import Case, StopRule, Trip
from antifraud.moderation import deciding
from antifraud.stops import resuming
from campaigns import lifecycle
from campaigns.models import Campaign
from events.models import Event
from rewards import maturing
from tests.cast import NOON, act, codes_of, make_campaign, trace_of

pytestmark = pytest.mark.django_db

EACH_ORDER = {"recipient": "actor", "order_number": "any"}
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def rule(acme):
    return StopRule.objects.create(metric="rewards", threshold=2, window_minutes=60, cooldown_minutes=0)


def pay(shop, count, name="anna"):
    return [shop.pays(name, "500") for _ in range(count)]


def told(events):
    return [codes_of(event)[0] for event in events]


def statuses(shop):
    return [reward.status for reward in shop.rewards_of("anna")]


def test_the_first_reward_beyond_the_threshold_stops_the_campaign_and_is_flagged(shop, rule):
    campaign = make_campaign(rule=EACH_ORDER)

    paid = pay(shop, 4)

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.STOPPED
    assert told(paid) == ["granted", "granted", "flagged", "flagged"]
    assert shop.balance_of("anna") == 200
    trip = Trip.objects.get()
    assert (trip.stop_rule, trip.campaign, trip.metric) == (rule, campaign, "rewards")
    assert (trip.figure, trip.threshold, trip.window_minutes, trip.tripped_at) == (3, 2, 60, NOON)
    assert Case.objects.filter(status="open").count() == 2


def test_moderators_are_told_of_the_stop_in_words(shop, rule):
    make_campaign(rule=EACH_ORDER)

    paid = pay(shop, 3)

    (reason,) = shop.rewards_of("anna")[2].reasons
    assert reason == {"signal": "stopped", "evidence": {"trip": Trip.objects.get().pk}}
    assert reasons.sentence(reason) == "A stop rule was in force when this was earned."
    assert trace_of(paid[2])[0]["sentence"] == "100 points, waiting for a moderator: Stop rule in force."


def test_in_one_batch_the_campaign_stops_at_the_same_reward(shop, rule):
    make_campaign(rule=EACH_ORDER)
    for number in range(5):
        shop.report("order.paid", "anna", order_id=f"o{number}", amount_minor=100, currency="RUB")

    shop.handle()

    assert statuses(shop) == ["granted", "granted", "flagged", "flagged", "flagged"]
    assert Trip.objects.get().figure == 3


def test_points_are_counted_as_well(shop):
    StopRule.objects.create(metric="points", threshold=250, window_minutes=60)
    make_campaign(rule=EACH_ORDER)

    assert told(pay(shop, 3)) == ["granted", "granted", "flagged"]
    assert (Trip.objects.get().metric, Trip.objects.get().figure) == ("points", 300)


def test_what_lies_before_the_window_does_not_count(shop, rule):
    make_campaign(rule=EACH_ORDER)
    pay(shop, 2)
    shop.at = NOON + HOUR + timedelta(minutes=1)

    assert told(pay(shop, 2)) == ["granted", "granted"]
    assert not Trip.objects.exists()


def test_a_rule_of_one_campaign_leaves_the_others_alone(shop):
    spring, summer = (make_campaign(name=name, rule=EACH_ORDER) for name in ("Spring", "Summer"))
    StopRule.objects.create(campaign=spring, metric="rewards", threshold=1, window_minutes=60)

    paid = pay(shop, 2)

    assert codes_of(paid[1]) == ["flagged", "granted"]
    assert Trip.objects.get().campaign == spring
    summer.refresh_from_db()
    assert summer.status == Campaign.Status.ACTIVE


def test_each_campaign_is_counted_by_itself(shop, rule):
    for name in ("Spring", "Summer"):
        make_campaign(name=name, rule=EACH_ORDER)

    assert [codes_of(event) for event in pay(shop, 2)] == [["granted", "granted"]] * 2
    assert not Trip.objects.exists()


def test_a_rule_out_of_use_stops_nothing(shop, rule):
    StopRule.objects.update(is_active=False)
    make_campaign(rule=EACH_ORDER)

    assert told(pay(shop, 3)) == ["granted"] * 3


def test_history_does_not_stop_a_campaign(shop, rule):
    shop.may_backfill = True
    make_campaign(rule=EACH_ORDER, at=NOON - timedelta(days=9))

    for _ in range(5):
        shop.pays("anna", "500", occurred_at=NOON - timedelta(days=2))

    assert statuses(shop) == ["granted"] * 5
    assert told(pay(shop, 2)) == ["granted", "granted"]
    assert not Trip.objects.exists()


def test_what_is_still_held_of_the_window_waits_for_a_moderator(shop, rule):
    make_campaign(rule={**EACH_ORDER, "hold_days": 14})
    StopRule.objects.update(window_minutes=30)
    pay(shop, 1)
    shop.at = NOON + HOUR
    pay(shop, 3)

    assert statuses(shop) == ["pending", "flagged", "flagged", "flagged"]
    assert Case.objects.filter(status="open").count() == 3
    assert maturing.release_due(schema="t_acme", limit=10, at=NOON + timedelta(days=20)) == 1


def test_both_sides_that_are_held_stand_in_one_case(shop, rule):
    make_campaign(rule={"recipient": "both", "hold_days": 14})
    shop.joins("boris", invited_by="anna")
    shop.joins("clara", invited_by="anna")
    shop.pays("boris", "500")

    shop.pays("clara", "500")

    assert sorted(case.case_rewards.count() for case in Case.objects.all()) == [2, 2]


def test_a_stopped_campaign_is_stopped_once(shop, rule):
    make_campaign(rule=EACH_ORDER)

    pay(shop, 6)

    assert Trip.objects.count() == 1
    assert Event.objects.filter(kind="campaign.stopped").count() == 1


def test_an_ended_campaign_is_not_stopped(shop, rule):
    campaign = make_campaign(rule=EACH_ORDER, at=NOON - HOUR)
    act(lifecycle.end, campaign, at=NOON)

    for _ in range(3):
        shop.pays("anna", "500", occurred_at=NOON - SECOND)

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.ENDED
    assert not Trip.objects.exists()
    assert not Event.objects.filter(kind="campaign.stopped").exists()


def test_what_occurred_before_the_stop_is_flagged_too(shop, rule):
    make_campaign(rule=EACH_ORDER, at=NOON - HOUR)
    pay(shop, 3)

    late = shop.pays("anna", "500", occurred_at=NOON - SECOND)

    assert codes_of(late) == ["flagged"]


@pytest.mark.parametrize("pause", [timedelta(), SECOND, HOUR], ids=["at once", "a second later", "an hour later"])
def test_after_it_was_resumed_a_campaign_grants_and_counts_anew(shop, rule, max_, pause):
    campaign = make_campaign(rule=EACH_ORDER)
    pay(shop, 3)
    shop.at = NOON + pause
    resuming.resume(trip=Trip.objects.get(), by=max_, at=shop.at)

    paid = pay(shop, 3)

    assert told(paid) == ["granted", "granted", "flagged"]
    assert [trip.figure for trip in Trip.objects.order_by("pk")] == [3, 3]
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.STOPPED


def test_what_occurred_during_the_stop_stays_flagged_after_it(shop, rule, max_):
    make_campaign(rule=EACH_ORDER)
    pay(shop, 3)
    shop.at = NOON + HOUR
    resuming.resume(trip=Trip.objects.get(), by=max_, at=shop.at)

    late = shop.pays("anna", "500", occurred_at=NOON + HOUR / 2)

    assert codes_of(late) == ["flagged"]


def test_what_a_moderator_has_approved_is_not_flagged_by_the_next_stop(shop, rule, max_):
    make_campaign(rule={**EACH_ORDER, "hold_days": 14})
    pay(shop, 3)
    for case in Case.objects.all():
        deciding.approve(case=case, by=max_, at=NOON)
    resuming.resume(trip=Trip.objects.get(), by=max_, at=NOON)

    pay(shop, 3)

    assert statuses(shop) == ["pending"] * 3 + ["flagged"] * 3


def test_the_stop_is_a_fact(shop, rule):
    campaign = make_campaign(rule=EACH_ORDER)

    pay(shop, 3)

    fact = Event.objects.get(kind="campaign.stopped")
    trip = Trip.objects.get()
    assert fact.data == {"campaign_id": campaign.pk, "trip_id": trip.pk, "figure": 3, "threshold": 2}
    assert Event.objects.get(kind="trip.opened").data == {
        "trip_id": trip.pk,
        "stop_rule_id": rule.pk,
        "scope": "campaign",
        "metric": "rewards",
        "figure": 3,
        "threshold": 2,
        "window_minutes": 60,
        "action": "stop",
        "campaign_id": campaign.pk,
    }

"""What is used of limits: read, written, freed, and held against the rewards."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError

from antifraud.limits import counters, guard, places
from antifraud.limits.usage import Ask, Figures, Key, Used
from antifraud.models import Counter
from antifraud.models import Tally as Minute
from antifraud.stops.minutes import Subject, Tally, Window
from campaigns.definitions import LimitLine
from campaigns.models import CampaignVersion, Limit
from core.db import savepoint, transaction
from rewards import spending
from rewards.models import Asset
from rewards.tests.stage import NOON, Stage

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def scene(acme):
    return Stage()


@pytest.fixture
def anna(scene):
    return scene.member("anna")


@pytest.fixture
def limit(scene):
    """Publish a limit of the campaign, and return it."""
    limit = Limit.objects.create(campaign=scene.campaign, per="member", period="day", max_count=2)
    publish(limit)
    return limit


def publish(limit):
    line = {"id": limit.pk, "per": limit.per, "period": limit.period, "days": limit.days}
    CampaignVersion.objects.create(
        campaign=limit.campaign, number=2, valid_from=NOON, definition={"limits": [line], "rules": []}
    )


def month_of(member, *, limit_id=5):
    return Key("limit", limit_id, member.pk, "month", MARCH)


@transaction
def read(scene, *keys, windows=()):
    return counters.gather(asks=[Ask(key, scene.campaign.pk) for key in keys], windows=windows, zone=UTC)


@transaction
def write(*, used, noted=None):
    counters.write(used=used, noted=noted or {}, at=NOON)


# Reading


def test_what_was_never_used_reads_zero(scene, anna):
    assert read(scene, month_of(anna)).counters == {month_of(anna): Used()}


def test_what_was_written_is_read_with_its_maxima(scene, anna):
    write(used={month_of(anna): Used(2, 150, max_count=3, max_points=500)})

    assert read(scene, month_of(anna)).counters == {month_of(anna): Used(2, 150, 3, 500)}


def test_a_counter_that_is_new_starts_from_the_rewards_of_its_period(scene, anna):
    boris = scene.member("boris")
    for status in ("flagged", "pending", "granted"):
        scene.owe(anna, status=status)
    for status in ("rejected", "cancelled"):
        scene.owe(anna, status=status)
    scene.owe(anna, occurred_at=MARCH - MINUTE)
    scene.owe(anna, occurred_at=MARCH)
    scene.owe(boris)
    everybody = Key("limit", 6, 0, "month", MARCH)
    ever = guard.budget_key(scene.campaign.pk)

    found = read(scene, month_of(anna), everybody, ever).counters

    assert found == {month_of(anna): Used(4, 400), everybody: Used(5, 500), ever: Used(6, 600)}


def test_a_ladder_starts_from_the_rewards_of_its_rule(scene, anna):
    scene.owe(anna)
    key = guard.ladder_key(rule_id=scene.rule.pk, member_id=anna.pk)
    other = guard.ladder_key(rule_id=scene.rule.pk + 1, member_id=anna.pk)

    assert read(scene, key, other).counters == {key: Used(1, 100), other: Used()}


def test_a_window_sums_the_minutes_since_it_began(scene, anna):
    subject = Subject("campaign", str(scene.campaign.pk))
    for ago in (0, 5, 6):
        Minute.objects.create(
            scope=subject.scope, subject=subject.name, minute=NOON - ago * MINUTE, rewards=1, points=9
        )
    window = Window(subject, NOON - 5 * MINUTE)

    found = read(scene, month_of(anna), windows=[window])

    assert (found.windows, found.counters) == ({window: Tally(rewards=2, points=18)}, {month_of(anna): Used()})


def test_what_happens_is_added_to_its_minute_along_with_the_counters(scene, anna):
    subject = Subject("campaign", str(scene.campaign.pk))
    for _ in range(2):
        write(used={month_of(anna): Used(1, 10)}, noted={subject: Tally(rewards=1)})

    assert Minute.objects.values_list("minute", "rewards").get() == (NOON, 2)
    assert Counter.objects.values_list("count", "points").get() == (1, 10)


# Writing


@pytest.mark.parametrize(
    ("used", "constraint"),
    [
        (Used(3, 0, max_count=2), "counter_within_max_count"),
        (Used(0, 51, max_points=50), "counter_within_max_points"),
        (Used(0, 0, cost_minor=51, max_cost_minor=50), "counter_within_max_cost"),
        (Used(-1, 0), "counter_not_negative"),
    ],
)
def test_the_database_refuses_what_python_would_let_through(scene, anna, used, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction(), savepoint():
        counters.write(used={month_of(anna): used}, noted={}, at=NOON)

    assert not Counter.objects.exists()


# Freeing


def day_of(limit, member, zone, at):
    line = LimitLine(id=limit.pk, per="member", period="day")
    place = guard.Place(limit.campaign_id, 0, member.pk, at)
    return places.keys_of(line, place, zone=zone, things={})[0]


# In Havana and on the Azores clocks go back at one o'clock: there midnight comes twice.
@pytest.mark.parametrize(
    ("zone", "at"),
    [
        ("Europe/Moscow", NOON),
        ("America/Havana", datetime(2025, 11, 2, 4, 30, tzinfo=UTC)),
        ("America/Havana", datetime(2025, 11, 2, 5, 30, tzinfo=UTC)),
        ("Atlantic/Azores", datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),
        ("CET", datetime(2026, 7, 1, 22, 30, tzinfo=UTC)),
    ],
)
def test_a_rejected_reward_frees_the_day_in_which_it_stands(scene, anna, limit, zone, at):
    reward_id = scene.owe(anna, status="flagged", occurred_at=at)
    key = day_of(limit, anna, ZoneInfo(zone), at)
    write(used={key: Used(1, 100, max_count=2)})
    assert counters.verify(zone=zone) == []

    with transaction():
        counters.give_back(reward_ids=[reward_id], zone=zone)

    assert read(scene, key).counters == {key: Used(0, 0, max_count=2)}


def test_it_frees_the_budget_of_what_is_left_of_points_and_cost(scene, anna):
    reward_id = scene.owe(anna, status="flagged", cost_minor=50, reversed=33)
    budget = guard.budget_key(scene.campaign.pk)
    # Of 50 kopecks for 100 points 16 have come back with 33 points.
    write(used={budget: Used(1, 67, cost_minor=34)})
    assert counters.verify(zone="UTC") == []

    with transaction():
        counters.give_back(reward_ids=[reward_id], zone="UTC")

    assert read(scene, budget).counters == {budget: Used(0, 0)}


def test_it_frees_a_limit_that_was_deleted_since(scene, anna, limit):
    reward_id = scene.owe(anna, status="flagged")
    key = day_of(limit, anna, UTC, NOON)
    write(used={key: Used(1, 100)})
    limit.delete()

    with transaction():
        counters.give_back(reward_ids=[reward_id], zone="UTC")

    assert read(scene, key).counters == {key: Used(0, 0)}


def test_taking_again_asks_the_limit(scene, anna, limit):
    reward_id = scene.owe(anna, status="flagged")
    key = day_of(limit, anna, UTC, NOON)
    write(used={key: Used(2, 200, max_count=2)})

    with pytest.raises(counters.LimitReached), transaction():
        counters.take_again(reward_ids=[reward_id], zone="UTC")

    assert read(scene, key).counters == {key: Used(2, 200, max_count=2)}


# Verifying


def test_every_counter_that_differs_from_the_rewards_is_named(scene, anna, limit):
    scene.owe(anna)
    right, wrong = guard.budget_key(scene.campaign.pk), day_of(limit, anna, UTC, NOON)
    write(used={right: Used(1, 100), wrong: Used(2, 200)})

    (difference,) = counters.verify(zone="UTC")

    assert difference == (
        f"counter limit {limit.pk} of {anna.pk}, day from 2026-03-17 00:00: "
        "2 rewards, 200 points, cost 0 counted; 1 rewards, 100 points, cost 0 found"
    )


def test_what_was_taken_back_is_not_found(scene, anna):
    scene.owe(anna, reversed=30)
    write(used={guard.budget_key(scene.campaign.pk): Used(1, 70)})

    assert counters.verify(zone="UTC") == []


def test_a_counter_of_another_zones_day_is_no_difference(scene, anna, limit):
    """The tenant has moved: by the clock of before nothing is counted any more."""
    scene.owe(anna, occurred_at=NOON)
    moscow, utc = (day_of(limit, anna, ZoneInfo(zone), NOON) for zone in ("Europe/Moscow", "UTC"))
    write(used={moscow: Used(1, 100), utc: Used(1, 100)})

    assert counters.verify(zone="Europe/Moscow") == []
    assert counters.verify(zone="UTC") == []
    write(used={utc: Used(2, 200)})
    assert len(counters.verify(zone="UTC")) == 1


# What counts


def test_what_a_rule_gives_at_once_counts_once_and_only_points_are_points(scene, anna):
    event = scene.event()
    told = {"event_id": event.pk, "status": "flagged"}
    ids = [
        scene.owe(anna, occurrence="order:1", **told),
        scene.owe(anna, occurrence="1#order:1", part=1, kind="product", what="mug", asset_id=None, given=1, **told),
        scene.owe(anna, occurrence="2#order:1", part=2, given=30, **told),
        scene.owe(anna, occurrence="order:2", kind="certificate", what="cafe", asset_id=None, given=50_000, **told),
    ]
    ladder = guard.ladder_key(rule_id=scene.rule.pk, member_id=anna.pk)
    budget = guard.budget_key(scene.campaign.pk)

    assert read(scene, month_of(anna), budget, ladder).counters == {
        month_of(anna): Used(2, 130),
        budget: Used(2, 130),
        ladder: Used(2, 130),
    }
    write(used={budget: Used(2, 130)})
    assert counters.verify(zone="UTC") == []
    with transaction():
        counters.give_back(reward_ids=ids[:3], zone="UTC")
    assert read(scene, budget).counters == {budget: Used(1, 0)}


def test_a_second_currency_is_no_points(scene, anna):
    stars = Asset.objects.create(code="stars", name="Stars")
    reward_id = scene.owe(anna, asset_id=stars.pk, what="stars")
    budget = guard.budget_key(scene.campaign.pk)

    assert read(scene, budget).counters == {budget: Used(1, 0)}
    write(used={budget: Used(1, 0)})
    assert counters.verify(zone="UTC") == []
    assert spending.given_by_campaign(campaign_ids=[scene.campaign.pk]) == {}
    with transaction():
        counters.give_back(reward_ids=[reward_id], zone="UTC")
        counters.take_again(reward_ids=[reward_id], zone="UTC")
    assert read(scene, budget).counters == {budget: Used(1, 0)}


# So many days


def rolling(scene, **told):
    limit = Limit.objects.create(
        campaign=scene.campaign, per="member", period="rolling", days=10, **{"max_count": 2, **told}
    )
    publish(limit)
    return limit


def block_of(limit, member, zone, at):
    line = LimitLine(id=limit.pk, per="member", period="rolling", days=10)
    return places.keys_of(line, guard.Place(limit.campaign_id, 0, member.pk, at), zone=zone, things={})[0]


def test_a_block_of_days_starts_from_the_rewards_of_each_local_day(scene, anna):
    limit = rolling(scene)
    auckland = ZoneInfo("Pacific/Auckland")
    key = block_of(limit, anna, auckland, NOON)
    evening = NOON - timedelta(minutes=90)
    for at in (NOON, evening, evening):
        scene.owe(anna, occurred_at=at, cost_minor=7)
    scene.owe(anna, occurred_at=key.period_start - MINUTE)

    with transaction():
        found = counters.gather(asks=[Ask(key, scene.campaign.pk)], windows=[], zone=auckland).counters[key]

    days = {
        evening.astimezone(auckland).date(): Figures(2, 200, 14),
        NOON.astimezone(auckland).date(): Figures(1, 100, 7),
    }
    assert len(days) == 2
    assert found == Used(3, 300, cost_minor=21, days=days)


def test_what_is_freed_leaves_the_day_in_which_it_stood(scene, anna):
    limit = rolling(scene)
    key = block_of(limit, anna, UTC, NOON)
    first, second = (scene.owe(anna, status="flagged", occurred_at=NOON + ago) for ago in (MINUTE, 2 * MINUTE))
    write(used={key: Used(2, 200, 2, days={NOON.date(): Figures(2, 200, 0)})})
    assert counters.verify(zone="UTC") == []

    with transaction():
        counters.give_back(reward_ids=[first], zone="UTC")
    assert read(scene, key).counters == {key: Used(1, 100, 2, days={NOON.date(): Figures(1, 100, 0)})}

    with transaction():
        counters.give_back(reward_ids=[second], zone="UTC")
    assert read(scene, key).counters == {key: Used(0, 0, 2)}


def test_taking_again_looks_at_the_windows_that_the_database_does_not_see(scene, anna):
    limit = rolling(scene)
    days = timedelta(days=1)
    at = block_of(limit, anna, UTC, NOON).period_start
    earlier, later = block_of(limit, anna, UTC, at - days), block_of(limit, anna, UTC, at)
    reward_id = scene.owe(anna, status="flagged", occurred_at=at)
    write(
        used={
            earlier: Used(2, 200, 2, days={(at - days).date(): Figures(2, 200, 0)}),
            later: Used(0, 0, 2),
        }
    )

    with pytest.raises(counters.LimitReached), transaction():
        counters.take_again(reward_ids=[reward_id], zone="UTC")

    assert read(scene, later).counters == {later: Used(0, 0, 2)}


def test_a_day_that_differs_is_named_though_the_sums_agree(scene, anna):
    limit = rolling(scene)
    key = block_of(limit, anna, UTC, NOON)
    scene.owe(anna)
    wrong = NOON.date() + timedelta(days=1)
    write(used={key: Used(1, 100, 2, days={wrong: Figures(1, 100, 0)})})

    (difference,) = counters.verify(zone="UTC")

    assert difference.startswith(f"counter limit {limit.pk} of {anna.pk}, 10 days from ")
    assert "'2026-03-18'" in difference.split(";")[0]
    assert "'2026-03-17'" in difference.split(";")[1]

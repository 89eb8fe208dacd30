"""What is used of limits: read, written, freed, and held against the rewards."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError

from antifraud import counters, guard
from antifraud.models import Counter
from antifraud.usage import Key, Used, Window
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
    CampaignVersion.objects.create(
        campaign=scene.campaign, number=2, valid_from=NOON, definition={"limits": [{"id": limit.pk}]}
    )
    return limit


def month_of(member, *, limit_id=5):
    return Key("limit", limit_id, member.pk, "month", MARCH)


@transaction
def read(scene, *keys, windows=()):
    return counters.gather(keys=dict.fromkeys(keys, scene.campaign.pk), windows=windows, zone=UTC)


@transaction
def write(**told):
    counters.write(**told)


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


def test_a_window_sums_the_minutes_since_it_began(scene):
    minutes = [guard.minute_key(campaign_id=scene.campaign.pk, at=NOON - ago * MINUTE) for ago in (0, 5, 6)]
    write(used={key: Used(1, 10) for key in minutes})
    window = Window(9, scene.campaign.pk, NOON - 5 * MINUTE)

    assert read(scene, windows=[window]).windows == {(9, scene.campaign.pk): Used(2, 20)}


def test_what_is_forgotten_is_the_minutes_alone(scene, anna):
    kept, minute = guard.budget_key(scene.campaign.pk), guard.minute_key(campaign_id=scene.campaign.pk, at=NOON)
    write(used={kept: Used(1, 10), minute: Used(1, 10), month_of(anna): Used(1, 10)})

    with transaction():
        counters.forget_minutes(campaign_id=scene.campaign.pk)

    assert set(Counter.objects.values_list("period", flat=True)) == {"ever", "month"}


# Writing


@pytest.mark.parametrize(
    ("used", "constraint"),
    [
        (Used(3, 0, max_count=2), "counter_within_max_count"),
        (Used(0, 51, max_points=50), "counter_within_max_points"),
        (Used(-1, 0), "counter_not_negative"),
    ],
)
def test_the_database_refuses_what_python_would_let_through(scene, anna, used, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction(), savepoint():
        counters.write(used={month_of(anna): used})

    assert not Counter.objects.exists()


# Freeing


def day_of(limit, member, zone, at):
    line = LimitLine(id=limit.pk, per="member", period="day")
    place = guard.Place(limit.campaign_id, 0, member.pk, at)
    return guard.limit_keys(place, limits=[line], zone=zone)[0]


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


def test_it_frees_the_budget_and_no_minute(scene, anna):
    reward_id = scene.owe(anna, status="flagged")
    budget, minute = guard.budget_key(scene.campaign.pk), guard.minute_key(campaign_id=scene.campaign.pk, at=NOON)
    write(used={budget: Used(1, 100), minute: Used(1, 100)})

    with transaction():
        counters.give_back(reward_ids=[reward_id], zone="UTC")

    assert read(scene, budget, minute).counters == {budget: Used(0, 0), minute: Used(1, 100)}


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
        f"counter limit {limit.pk}, member {anna.pk}, day from 2026-03-17: "
        "2 rewards and 200 points counted, 1 and 100 found"
    )


def test_what_was_taken_back_is_not_found(scene, anna):
    scene.owe(anna, reversed=30)
    write(used={guard.budget_key(scene.campaign.pk): Used(1, 70)})

    assert counters.verify(zone="UTC") == []


# Forgetting


def test_minutes_that_no_stop_rule_sums_any_more_are_forgotten(scene, anna):
    old = Key("campaign", scene.campaign.pk, 0, "minute", NOON - timedelta(days=9))
    young = Key("campaign", scene.campaign.pk, 0, "minute", NOON - timedelta(days=7))
    write(used={old: Used(count=1), young: Used(count=1), month_of(anna): Used(count=1)})

    assert counters.prune(at=NOON) == 1

    assert set(Counter.objects.values_list("period", "period_start")) == {
        ("minute", young.period_start),
        ("month", MARCH),
    }


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

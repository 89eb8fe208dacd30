"""The night of a tenant: once a local day, in order, whatever happens to clocks and workers."""

from datetime import UTC, date, datetime, timedelta
from threading import Event as Flag
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from core.db import transaction
from events.models import Event
from rewards import ledger, night, notices, reservations, tasks
from rewards.actors import Actor
from rewards.models import Asset, Redemption, RewardPolicy
from rewards.tests.hands import give
from rewards.tests.stage import NOON, status_of
from tenants import context, periods
from tests.races import race

pytestmark = pytest.mark.django_db

MOSCOW = ZoneInfo("Europe/Moscow")
MOMENT = timedelta(microseconds=1)
MAX = Actor("staff", "max")

done: list[tuple[str, date]] = []
trouble: set[str] = set()
held = {"began": Flag(), "may_end": Flag()}


def first(*, schema, day, at):
    done.append(("first", day))


def second(*, schema, day, at):
    if "second" in trouble:
        raise ZeroDivisionError
    done.append(("second", day))


def third(*, schema, day, at):
    done.append(("third", day))


def long(*, schema, day, at):
    done.append(("long", day))
    held["began"].set()
    assert held["may_end"].wait(timeout=10)


@pytest.fixture
def steps(settings):
    settings.NIGHT = [f"{__name__}.{name}" for name in ("first", "second", "third")]
    done.clear()
    trouble.clear()
    return done


def run(at):
    return night.run(schema="t_acme", at=at)


def local(zone, *when):
    return datetime(*when, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def days_of(steps):
    return [day for name, day in steps if name == "first"]


# Once


def test_a_night_does_its_steps_in_order_and_once(acme, steps):
    assert run(NOON)
    assert not run(NOON + timedelta(hours=1))

    day = date(2026, 3, 17)
    assert steps == [("first", day), ("second", day), ("third", day)]
    policy = RewardPolicy.objects.get()
    assert (policy.night_date, policy.night_step, policy.night_done_at) == (day, 3, NOON)
    assert night.find_due(at=NOON) is None


def test_it_begins_at_the_tenant_s_own_midnight(acme, steps):
    run(NOON)
    midnight = datetime(2026, 3, 17, 21, tzinfo=UTC)

    assert night.find_due(at=midnight - MOMENT) is None
    assert night.find_due(at=midnight) == night.Progress(date(2026, 3, 18), 0)


def test_asking_costs_one_statement(acme, steps, django_assert_num_queries):
    run(NOON)

    with django_assert_num_queries(1):
        assert night.find_due(at=NOON) is None


def test_a_crash_is_taken_up_at_the_step_that_was_cut_short(acme, steps):
    trouble.add("second")
    with pytest.raises(ZeroDivisionError):
        run(NOON)
    policy = RewardPolicy.objects.get()
    assert (policy.night_step, policy.night_done_at) == (1, None)

    trouble.clear()
    assert run(NOON + timedelta(minutes=1))

    assert [name for name, _day in steps] == ["first", "second", "third"]
    assert not run(NOON + timedelta(minutes=2))


def test_what_was_cut_short_before_midnight_gives_way_to_the_next_day(acme, steps):
    trouble.add("second")
    with pytest.raises(ZeroDivisionError):
        run(NOON)
    trouble.clear()

    run(NOON + timedelta(days=1))

    assert steps == [("first", date(2026, 3, 17))] + [
        (name, date(2026, 3, 18)) for name in ("first", "second", "third")
    ]


def test_nights_that_nobody_was_there_for_are_made_up_for_by_one(acme, steps):
    run(NOON)

    run(NOON + timedelta(days=5))

    assert days_of(steps) == [date(2026, 3, 17), date(2026, 3, 22)]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_it_once(acme, settings):
    settings.NIGHT = [f"{__name__}.long"]
    done.clear()
    held["began"].clear()
    held["may_end"].clear()

    def other():
        assert held["began"].wait(timeout=10)
        found = run(NOON)
        held["may_end"].set()
        return found

    assert race(lambda: run(NOON), other) == [True, False]

    assert done == [("long", date(2026, 3, 17))]
    assert not run(NOON)


# Clocks


@pytest.mark.parametrize(
    ("zone", "noon"),
    [
        ("Europe/Moscow", (2026, 3, 28, 12)),
        ("America/New_York", (2026, 3, 7, 12)),
        ("America/New_York", (2026, 10, 31, 12)),
        ("Asia/Shanghai", (2026, 1, 30, 12)),
        # Midnight is skipped on 8 March there, and comes twice on 1 November.
        ("America/Havana", (2026, 3, 7, 12)),
        ("America/Havana", (2026, 10, 31, 12)),
        # 24 April begins at one o'clock.
        ("Africa/Cairo", (2026, 4, 23, 12)),
    ],
)
def test_every_local_day_has_one_night_however_long_it_is(acme, steps, settle_in, zone, noon):
    settle_in(zone)
    start = local(zone, *noon)

    minutes = range(0, 3 * 24 * 60, 10)
    ran = [start + timedelta(minutes=each) for each in minutes if run(start + timedelta(minutes=each))]

    today = date(*noon[:3])
    assert days_of(steps) == [today + timedelta(days=n) for n in range(4)]
    assert ran[1:] == [periods.midnight(today + timedelta(days=n), zone=ZoneInfo(zone)) for n in (1, 2, 3)]


def test_a_clock_that_is_moved_back_brings_no_second_night(acme, steps, settle_in):
    settle_in("Asia/Shanghai")
    run(local("Asia/Shanghai", 2026, 3, 18, 0, 5))

    settle_in("America/New_York")
    # It is 17 March there, and will be the 18th once more.
    assert not run(local("Asia/Shanghai", 2026, 3, 18, 0, 10))
    assert not run(local("America/New_York", 2026, 3, 18, 0, 0))
    assert run(local("America/New_York", 2026, 3, 19, 0, 0))

    assert days_of(steps) == [date(2026, 3, 18), date(2026, 3, 19)]


def test_a_night_that_was_cut_short_goes_on_though_the_clock_was_moved_back(acme, steps, settle_in):
    settle_in("Asia/Shanghai")
    trouble.add("second")
    with pytest.raises(ZeroDivisionError):
        run(local("Asia/Shanghai", 2026, 3, 18, 0, 5))
    trouble.clear()

    settle_in("America/New_York")
    assert run(local("America/New_York", 2026, 3, 17, 13))

    assert {day for _name, day in steps} == {date(2026, 3, 18)}
    assert [name for name, _day in steps] == ["first", "second", "third"]


def test_a_clock_that_is_moved_on_may_skip_a_day_and_never_repeats_one(acme, steps, settle_in):
    settle_in("America/New_York")
    run(local("America/New_York", 2026, 3, 17, 13))

    settle_in("Asia/Shanghai")
    assert run(local("America/New_York", 2026, 3, 17, 13, 1))

    assert days_of(steps) == [date(2026, 3, 17), date(2026, 3, 18)]


# What it does


def test_what_matures_at_midnight_is_granted_before_anything_expires(scene, anna):
    at = periods.midnight(date(2026, 3, 18), zone=MOSCOW)
    reward_id = scene.owe(anna, matures_at=at)
    give(anna, 7, expires_at=at)

    assert run(at)

    assert status_of(reward_id) == "granted"
    assert ledger.balance_of(member_id=anna.pk) == 100
    kinds = Event.objects.filter(source="sarafan").order_by("pk").values_list("kind", flat=True)
    assert [kind for kind in kinds if not kind.startswith("level.")] == ["reward.granted", "points.expired"]
    assert ledger.verify() == []


def test_a_night_that_is_done_twice_changes_nothing_more(scene, anna):
    scene.owe(anna)
    give(anna, 7, expires_at=NOON)
    give(anna, 9, expires_at=NOON + timedelta(days=1))
    run(NOON)
    before = list(Event.objects.order_by("pk").values_list("key", flat=True))

    RewardPolicy.objects.update(night_date=None, night_step=0, night_done_at=None)
    assert run(NOON)

    assert list(Event.objects.order_by("pk").values_list("key", flat=True)) == before
    assert ledger.balance_of(member_id=anna.pk) == 109


def test_a_day_without_workers_is_told_of_late_and_expires_late(anna):
    Asset.objects.update(expiry="days", expiry_count=30)
    ends = periods.midnight(date(2026, 4, 20), zone=MOSCOW)
    give(anna, 50, expires_at=ends)
    run(ends - timedelta(days=31))

    run(ends - timedelta(days=5))
    run(ends + timedelta(days=3))

    facts = Event.objects.filter(source="sarafan", kind__startswith="points.").order_by("pk")
    assert [(fact.kind, fact.data["amount"]) for fact in facts] == [("points.expiring", 50), ("points.expired", 50)]
    assert facts[0].data["days_left"] == 5


def test_the_task_does_the_night_of_every_tenant_and_says_when_one_fails(acme, bolt, steps, caplog):
    with context.in_tenant(bolt.schema_name):
        RewardPolicy.objects.update(night_date=date(2999, 1, 1), night_done_at=NOON)
    trouble.add("second")

    tasks.run_nights()
    trouble.clear()
    steps.clear()
    tasks.run_nights()

    assert {record.tenant for record in caplog.records} == {"acme", "acme-sandbox", "bolt-sandbox"}
    assert [name for name, _day in steps] == ["second", "third"] * 3
    with context.in_tenant(bolt.schema_name):
        assert RewardPolicy.objects.get().night_date == date(2999, 1, 1)


def test_every_step_s_name_is_in_the_settings(settings):
    assert settings.NIGHT.index("rewards.night.activate") < settings.NIGHT.index("rewards.expiry.night")
    assert settings.NIGHT[-1] == f"{notices.__name__}.night"


def test_what_nobody_came_for_ends_with_the_night(scene, anna):
    give(anna, 100)
    promise_id = scene.owe(anna, awaits="order.paid", awaits_until=NOON - MOMENT)
    with transaction():
        reservations.reserve(
            wanted=reservations.Wanted(key="r", member_id=anna.pk, amount=60), actor=MAX, at=NOON - timedelta(hours=1)
        )
    assert ledger.balance_of(member_id=anna.pk) == 40

    run(NOON)

    assert status_of(promise_id) == "cancelled"
    assert Redemption.objects.get().status == "released"
    assert ledger.balance_of(member_id=anna.pk) == 100
    assert ledger.verify() == []


def test_the_task_gives_back_what_was_set_aside_for_too_long(anna, bolt):
    give(anna, 100)
    for key, at in (("old", NOON), ("new", timezone.now())):
        with transaction():
            reservations.reserve(wanted=reservations.Wanted(key=key, member_id=anna.pk, amount=30), actor=MAX, at=at)

    tasks.release_reserved()

    assert dict(Redemption.objects.values_list("key", "status")) == {"old": "released", "new": "reserved"}
    assert ledger.balance_of(member_id=anna.pk) == 70

"""Who is told in time of what they are about to lose, and who is not."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from events.models import Event
from rewards import expiry, notices
from rewards.models import Account, Asset
from rewards.tests.hands import give, moved
from rewards.tests.stage import NOON
from tenants import periods

MOSCOW = ZoneInfo("Europe/Moscow")
# Everything here is given on 17 March and expires when 5 June begins, in Moscow.
ENDS = periods.midnight(date(2026, 6, 5), zone=MOSCOW)


@pytest.mark.parametrize("zone", ["Europe/Moscow", "America/New_York", "Asia/Shanghai", "America/Havana"])
@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2026, 10, 25), date(2026, 1, 31)])
def test_thirty_days_follow_each_other_without_a_gap(zone, day):
    found = sorted(notices.windows(day=day, zone=ZoneInfo(zone)))

    assert [each.expires_date for each in found] == [day + timedelta(days=n) for n in range(1, 31)]
    assert all(one.ends_at == other.starts_at for one, other in pairwise(found))
    assert [each.days_before for each in found] == [1] + [7] * 6 + [30] * 23


pytestmark = pytest.mark.django_db


def tell(day, limit=100):
    at = periods.midnight(day, zone=MOSCOW)
    return notices.tell_due(day=day, limit=limit, at=at)


def told():
    facts = Event.objects.filter(kind="points.expiring").order_by("pk")
    names = ("asset", "amount", "expires_on", "days_left")
    return [(fact.member_id, *(fact.data[name] for name in names)) for fact in facts]


def account_of(member, code="points"):
    return Account.objects.get(member=member, asset__code=code).pk


def test_a_notice_comes_thirty_days_seven_days_and_one_day_before(anna):
    give(anna, 100, expires_at=ENDS)

    days = [date(2026, 5, 1) + timedelta(days=n) for n in range(40)]
    assert {day for day in days if tell(day)} == {date(2026, 5, 6), date(2026, 5, 29), date(2026, 6, 4)}

    assert [fact.data for fact in Event.objects.filter(kind="points.expiring").order_by("pk")] == [
        {"asset": "points", "amount": 100, "expires_on": "2026-06-05", "days_left": 30},
        {"asset": "points", "amount": 100, "expires_on": "2026-06-05", "days_left": 7},
        {"asset": "points", "amount": 100, "expires_on": "2026-06-05", "days_left": 1},
    ]
    keys = Event.objects.filter(kind="points.expiring").order_by("pk").values_list("key", flat=True)
    assert list(keys) == [f"expiring:{account_of(anna)}:2026-06-05:{days}" for days in (30, 7, 1)]


def test_one_notice_tells_of_all_that_an_account_loses_on_one_day(anna, boris, stars):
    give(anna, 100, expires_at=ENDS)
    give(anna, 20, expires_at=ENDS)
    give(anna, -5)
    give(anna, 7, asset="stars", expires_at=ENDS)
    give(anna, 3, expires_at=ENDS + timedelta(days=1))
    give(anna, 1000)
    give(boris, 9, expires_at=ENDS)

    assert tell(date(2026, 6, 4)) == 4

    assert sorted(told()) == sorted(
        [
            (anna.pk, "points", 115, "2026-06-05", 1),
            (anna.pk, "stars", 7, "2026-06-05", 1),
            (boris.pk, "points", 9, "2026-06-05", 1),
            (anna.pk, "points", 3, "2026-06-06", 2),
        ]
    )


def test_a_night_tells_everybody_in_batches(scene, anna, boris):
    for member in (anna, boris):
        give(member, 9, expires_at=ENDS)
    day = date(2026, 6, 4)

    assert [tell(day, limit=1) for _nth in range(3)] == [1, 1, 0]

    notices.night(schema="t_acme", day=day, at=NOON)
    assert sorted(told()) == [(anna.pk, "points", 9, "2026-06-05", 1), (boris.pk, "points", 9, "2026-06-05", 1)]


def test_a_notice_that_was_missed_comes_late_and_once(anna):
    give(anna, 100, expires_at=ENDS)

    for day in range(20, 29):
        tell(date(2026, 5, day))

    assert told() == [(anna.pk, "points", 100, "2026-06-05", 16)]


def test_of_several_that_were_missed_the_nearest_comes_alone(anna):
    give(anna, 100, expires_at=ENDS)

    for day in (2, 3):
        tell(date(2026, 6, day))

    assert told() == [(anna.pk, "points", 100, "2026-06-05", 3)]


def test_nobody_is_told_of_what_is_gone(anna, boris):
    give(anna, 100, expires_at=ENDS)
    give(anna, -100)
    give(boris, 100, expires_at=ENDS)
    expiry.expire_due(schema="t_acme", limit=10, at=ENDS)

    for day in (4, 5, 6):
        assert tell(date(2026, 6, day)) == 0

    assert told() == []


def test_what_lives_for_ten_days_is_not_announced_when_it_is_earned(anna):
    given = ENDS - timedelta(days=10)
    give(anna, 100, expires_at=ENDS, at=given + timedelta(hours=12))

    days = [date(2026, 5, 26) + timedelta(days=n) for n in range(11)]

    assert [day for day in days if tell(day)] == [date(2026, 5, 29), date(2026, 6, 4)]


def test_what_came_after_a_notice_is_in_the_next_one(anna):
    give(anna, 100, expires_at=ENDS)
    tell(date(2026, 5, 6))
    give(anna, 20, expires_at=ENDS, at=ENDS - timedelta(days=20))
    tell(date(2026, 5, 20))

    tell(date(2026, 5, 29))

    assert [(fact[2], fact[4]) for fact in told()] == [(100, 30), (120, 7)]


# What lies idle


@pytest.fixture
def idle(anna):
    """Points that expire after 80 days without anything: 17 March and 80 days, then comes 6 June."""
    Asset.objects.filter(code="points").update(expiry="idle", expiry_count=80)
    give(anna, 100)
    give(anna, 20)
    moved(anna, at=NOON)
    return anna


def test_whoever_rests_is_told_before_the_last_day_of_it(idle):
    days = [date(2026, 5, 1) + timedelta(days=n) for n in range(40)]

    assert {day for day in days if tell(day)} == {date(2026, 5, 7), date(2026, 5, 30), date(2026, 6, 5)}

    assert told() == [(idle.pk, "points", 120, "2026-06-06", days) for days in (30, 7, 1)]
    assert expiry.expire_due(schema="t_acme", limit=9, at=periods.midnight(date(2026, 6, 6), zone=MOSCOW)) == 2


def test_whoever_wakes_up_is_told_of_the_new_day(idle):
    tell(date(2026, 5, 7))
    moved(idle, at=datetime(2026, 5, 20, 12, tzinfo=UTC))

    days = [date(2026, 5, 20) + timedelta(days=n) for n in range(60)]
    found = [day for day in days if tell(day)]

    assert found == [date(2026, 7, 10)]
    assert told()[1:] == [(idle.pk, "points", 120, "2026-08-09", 30)]


def test_what_has_a_day_of_its_own_is_told_of_for_itself(idle):
    give(idle, 7, expires_at=ENDS)

    tell(date(2026, 6, 4))

    assert told() == [(idle.pk, "points", 7, "2026-06-05", 1), (idle.pk, "points", 120, "2026-06-06", 2)]


def test_a_short_rest_is_not_announced_before_it_has_begun(idle):
    Asset.objects.filter(code="points").update(expiry_count=10)

    days = [date(2026, 3, 17) + timedelta(days=n) for n in range(14)]

    assert [day for day in days if tell(day)] == [date(2026, 3, 21), date(2026, 3, 27)]

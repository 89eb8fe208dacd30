"""What expires, when, and what is told of it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.db import transaction
from events.models import Event
from members import people
from rewards import assets, expiry, ledger
from rewards.ledger import InsufficientBalance, Move
from rewards.models import Account, Asset, Lot, Posting, Redemption
from rewards.tests.hands import give, moved
from rewards.tests.stage import NOON
from tests.races import race

MOSCOW, NEW_YORK, SHANGHAI = map(ZoneInfo, ("Europe/Moscow", "America/New_York", "Asia/Shanghai"))
SOON = NOON + timedelta(days=1)
LATER = NOON + timedelta(days=30)
MOMENT = timedelta(microseconds=1)


def line(expiry_kind, count=None):
    asset = Asset(pk=1, code="points", name="Points", expiry=expiry_kind, expiry_count=count)
    return assets.line_of({name: getattr(asset, name) for name in assets.AssetLine.__slots__})


# When


@pytest.mark.parametrize(
    ("policy", "zone", "earned", "last_day"),
    [
        (("days", 30), MOSCOW, datetime(2026, 3, 17, 20, 59, tzinfo=UTC), date(2026, 4, 16)),
        (("days", 30), MOSCOW, datetime(2026, 3, 17, 21, 0, tzinfo=UTC), date(2026, 4, 17)),
        # The clocks go forward on 8 March there, and back on 1 November.
        (("days", 1), NEW_YORK, datetime(2026, 3, 7, 17, tzinfo=UTC), date(2026, 3, 8)),
        (("days", 1), NEW_YORK, datetime(2026, 10, 31, 17, tzinfo=UTC), date(2026, 11, 1)),
        (("months", 1), MOSCOW, datetime(2026, 1, 31, 9, tzinfo=UTC), date(2026, 2, 28)),
        (("months", 1), NEW_YORK, datetime(2028, 1, 31, 17, tzinfo=UTC), date(2028, 2, 29)),
        # In Shanghai it is 31 January by then, in Moscow it is not.
        (("months", 1), SHANGHAI, datetime(2026, 1, 30, 16, tzinfo=UTC), date(2026, 2, 28)),
        (("months", 13), MOSCOW, datetime(2026, 1, 31, 9, tzinfo=UTC), date(2027, 2, 28)),
        (("month_end",), MOSCOW, datetime(2026, 2, 28, 20, 59, tzinfo=UTC), date(2026, 2, 28)),
        (("month_end",), MOSCOW, datetime(2026, 2, 28, 21, 0, tzinfo=UTC), date(2026, 3, 31)),
        (("quarter_end",), NEW_YORK, datetime(2026, 2, 1, 17, tzinfo=UTC), date(2026, 3, 31)),
        (("year_end",), SHANGHAI, datetime(2026, 12, 31, 16, tzinfo=UTC), date(2027, 12, 31)),
    ],
)
def test_the_last_day_is_a_whole_day_of_the_tenant_s(policy, zone, earned, last_day):
    ends = line(*policy).expires_at(zone=zone, at=earned)

    assert (ends - MOMENT).astimezone(zone).date() == last_day
    assert ends.astimezone(zone).date() == last_day + timedelta(days=1)
    assert ends.astimezone(zone).time() == datetime.min.time()


@pytest.mark.parametrize(
    ("earned", "hours"),
    [(datetime(2026, 3, 7, 5, tzinfo=UTC), 47), (datetime(2026, 10, 31, 4, tzinfo=UTC), 49)],
    ids=["spring", "autumn"],
)
def test_a_day_is_a_day_of_the_calendar_and_not_24_hours(earned, hours):
    assert line("days", 1).expires_at(zone=NEW_YORK, at=earned) - earned == timedelta(hours=hours)


def test_a_day_that_begins_at_one_is_one_too():
    havana = ZoneInfo("America/Havana")

    ends = line("days", 1).expires_at(zone=havana, at=datetime(2026, 3, 6, 17, tzinfo=UTC))

    assert ends == datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert ends.astimezone(havana).hour == 1


def test_what_never_expires_or_lies_idle_has_no_day():
    for policy in (("never",), ("idle", 90)):
        assert line(*policy).expires_at(zone=MOSCOW, at=NOON) is None


# What

pytestmark = pytest.mark.django_db


def expire(at, limit=100):
    return expiry.expire_due(schema="t_acme", limit=limit, at=at)


def balance_of(member, code="points"):
    return ledger.balance_of(member_id=member.pk, asset_code=code)


def told():
    facts = Event.objects.filter(kind="points.expired").order_by("pk")
    return [(fact.member_id, fact.data["asset"], fact.data["amount"]) for fact in facts]


def use_idle(days, code="points"):
    Asset.objects.filter(code=code).update(expiry="idle", expiry_count=days)


def test_what_is_left_of_a_lot_goes_to_the_tenant_when_its_last_day_is_over(anna):
    key = give(anna, 100, expires_at=SOON)
    give(anna, 50, expires_at=LATER)
    give(anna, -30)
    assert expire(SOON - MOMENT) == 0

    assert expire(SOON) == 1

    lot = Lot.objects.get(posting__key=key)
    posting = Posting.objects.get(reason="expire")
    assert (posting.key, posting.source.member, posting.target.kind) == (f"lot:{lot.pk}:expire", anna, "expiry")
    assert (posting.amount, posting.at, lot.remaining) == (70, SOON, 0)
    assert balance_of(anna) == 50
    assert told() == [(anna.pk, "points", 70)]
    assert ledger.verify() == []


def test_what_has_expired_does_not_expire_again(anna):
    give(anna, 100, expires_at=SOON)
    expire(SOON)

    assert expire(LATER) == 0

    assert balance_of(anna) == 0
    assert Posting.objects.filter(reason="expire").count() == 1
    assert told() == [(anna.pk, "points", 100)]


def test_a_member_hears_once_of_all_that_is_lost_of_an_asset(scene, anna, boris, stars):
    for days in (1, 2, 3):
        give(anna, days, expires_at=NOON + timedelta(days=days))
    give(anna, 7, asset="stars", expires_at=SOON)
    give(boris, 9, expires_at=SOON)

    assert expire(LATER, limit=1) == 3
    while expire(LATER, limit=1):
        pass

    assert sorted(told()) == sorted([(anna.pk, "points", 6), (anna.pk, "stars", 7), (boris.pk, "points", 9)])
    assert ledger.verify() == []


def test_however_many_lots_are_posted_in_one_statement(scene, anna, boris):
    for member in (anna, boris):
        for _nth in range(20):
            give(member, 5, expires_at=SOON)

    with CaptureQueriesContext(connection) as statements:
        assert expire(SOON) == 40

    written = [each["sql"] for each in statements if "INSERT INTO rewards_posting" in each["sql"]]
    assert len(written) == 1
    assert balance_of(anna) == balance_of(boris) == 0


def test_what_was_given_back_after_its_day_expires_at_the_next_chance(anna):
    give(anna, 10, expires_at=SOON)
    expire(SOON)
    give(anna, 10, expires_at=SOON, at=LATER)

    assert expire(LATER) == 1

    assert balance_of(anna) == 0
    assert told() == [(anna.pk, "points", 10)] * 2


def test_whoever_is_in_debt_loses_nothing(anna):
    give(anna, 100, expires_at=SOON)
    give(anna, -130, may_owe=True)

    assert expire(SOON) == 0

    assert balance_of(anna) == -30
    assert told() == []


def test_a_new_policy_does_not_reach_what_was_earned_before(anna):
    give(anna, 100, expires_at=LATER)
    give(anna, 50)

    Asset.objects.update(expiry="days", expiry_count=1)

    assert expire(LATER - MOMENT) == 0
    assert expire(LATER) == 1
    assert balance_of(anna) == 50


def test_nothing_due_writes_nothing(anna):
    give(anna, 100)

    assert expire(LATER) == 0

    assert Posting.objects.count() == 1
    assert told() == []


# What lies idle


def test_what_lies_idle_expires_when_the_last_day_of_rest_is_over(anna):
    use_idle(30)
    give(anna, 100)
    give(anna, 50)
    moved(anna, at=NOON)
    # 17 March is a day of activity; the thirty after it end with 16 April, in Moscow.
    over = datetime(2026, 4, 16, 21, tzinfo=UTC)

    assert expire(over - MOMENT) == 0
    assert expire(over) == 2

    assert balance_of(anna) == 0
    assert told() == [(anna.pk, "points", 150)]
    assert ledger.verify() == []


def test_whoever_earns_or_spends_keeps_all_they_have(scene, anna):
    use_idle(30)
    scene.owe(anna, status="granted")
    redemption = Redemption.objects.create(
        key="r", purpose="order", member=anna, asset=scene.points, amount=20, status="reserved", created_at=NOON
    )
    spend = Move("spend", "reserve", anna.pk, scene.points.pk, -20, other="escrow", redemption_id=redemption.pk)
    with transaction():
        ledger.post(moves=[spend], at=NOON + timedelta(days=30))

    assert expire(NOON + timedelta(days=60)) == 0
    assert expire(NOON + timedelta(days=61)) == 1
    assert balance_of(anna) == 0


def test_what_was_given_by_hand_lies_idle_from_then_on(anna):
    use_idle(30)
    give(anna, 100)
    give(anna, 10, at=NOON + timedelta(days=5))
    assert Account.objects.get(member=anna).moved_at is None

    assert expire(NOON + timedelta(days=35)) == 0
    assert expire(NOON + timedelta(days=36)) == 2


def test_what_has_a_day_of_its_own_keeps_it_while_the_rest_lies_idle(anna):
    use_idle(30)
    give(anna, 100, expires_at=NOON + timedelta(days=90))
    give(anna, 50)
    moved(anna, at=NOON)

    assert expire(NOON + timedelta(days=31)) == 1

    assert balance_of(anna) == 100


def test_only_the_asset_that_lies_idle_expires(anna, stars):
    use_idle(30, code="stars")
    give(anna, 100)
    give(anna, 7, asset="stars")

    assert expire(NOON + timedelta(days=365)) == 1

    assert (balance_of(anna), balance_of(anna, "stars")) == (100, 0)
    assert told() == [(anna.pk, "stars", 7)]


@pytest.mark.parametrize("zone", ["Europe/Moscow", "America/New_York", "Asia/Shanghai"])
@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1), date(2026, 1, 31)])
def test_rest_is_counted_in_days_of_the_tenant_s_clock(acme, anna, zone, day, settle_in):
    here = settle_in(zone)
    use_idle(1)
    give(anna, 5)
    moved(anna, at=datetime(day.year, day.month, day.day, 23, 59, tzinfo=here))
    rested = day + timedelta(days=2)
    over = datetime(rested.year, rested.month, rested.day, tzinfo=here).astimezone(UTC)

    assert expire(over - MOMENT) == 0
    assert expire(over) == 1


# Two at once


@pytest.mark.django_db(transaction=True)
def test_two_nights_and_a_spender_at_once_take_each_point_once(scene, anna):
    for _nth in range(5):
        give(anna, 10, expires_at=SOON)
    move = Move("back", "adjust", anna.pk, scene.points.pk, -45, note="By hand.")
    expiring = expiry.expire_due.__wrapped__

    results = race(
        lambda: expiring(schema="t_acme", limit=100, at=SOON),
        lambda: expiring(schema="t_acme", limit=100, at=SOON),
        lambda: post_locked(move),
    )

    taken = [each for each in results if not isinstance(each, InsufficientBalance)]
    assert balance_of(anna) == 0
    assert ledger.verify() == []
    assert len(taken) in {2, 3}


def post_locked(move):
    people.lock("t_acme")
    ledger.post(moves=[move], at=SOON)

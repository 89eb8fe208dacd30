from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from events.models import Order
from referrals.models import Code, Referral
from rewards import ledger
from rewards.levels.ladder import Policy
from rewards.levels.setting import window_of
from rewards.models import Asset, Level, Reward
from rewards.tests.climbing import choose, earn, level_of, make_levels, night, raise_them, value_of
from rewards.tests.hands import give
from rewards.tests.stage import NOON

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def levels(acme):
    return make_levels()


# What counts


def test_spending_expiry_and_changes_by_hand_downgrade_nobody(scene, anna, levels):
    choose(fall="match", grace_days=0)
    scene.owe(anna, status="granted", given=500)
    raise_them(anna)
    give(anna, -500, other="spend")

    assert night() == 0
    assert (ledger.balance_of(member_id=anna.pk), level_of(anna)) == (0, "gold")


def test_points_given_by_hand_are_not_earned(scene, anna, levels):
    give(anna, 9_000)

    assert raise_them(anna) == []
    assert night() == 0


def test_other_assets_are_not_points(scene, anna, levels):
    stars = Asset.objects.create(code="stars", name="Stars")
    reward_id = scene.owe(anna, given=9_000, asset_id=stars.pk)
    Reward.objects.filter(pk=reward_id).update(status="granted", granted_at=NOON)

    assert raise_them(anna) == []


@pytest.mark.parametrize(
    ("lost_why", "level"), [("spent", "silver"), ("forgiven", "gold")], ids=["spent-first", "forgiven-by-the-campaign"]
)
def test_what_a_refund_could_not_take_back_was_not_earned_unless_it_was_forgiven(scene, anna, levels, lost_why, level):
    reward_id = scene.owe(anna, status="granted", given=600)
    Reward.objects.filter(pk=reward_id).update(reversed=100, lost=300, lost_why=lost_why)

    raise_them(anna)

    assert level_of(anna) == level


def test_money_spent_is_without_refunds_cancelled_orders_and_other_currencies(scene, anna, levels):
    choose(measure="spent")
    orders = [
        {"amount_minor": 400},
        {"amount_minor": 150, "refunded_minor": 50},
        {"amount_minor": 9_000, "cancelled_at": NOON},
        {"amount_minor": 9_000, "currency": "USD"},
    ]
    for nth, columns in enumerate(orders):
        usual = {"number": f"A-{nth}", "member": anna, "event": scene.event(), "currency": "RUB", "paid_at": NOON}
        Order.objects.create(**{**usual, **columns})

    raise_them(anna)

    assert level_of(anna) == "gold"


def test_friends_count_once_they_have_qualified(scene, anna, levels):
    choose(measure="referrals")
    Level.objects.filter(code="silver").update(threshold=2)
    code = Code.objects.create(text="ANNA", member=anna, created_at=NOON)
    for nth, qualified_at in enumerate([NOON, NOON, None]):
        Referral.objects.create(
            inviter=anna,
            invitee=scene.member(f"friend-{nth}"),
            code=code,
            event=scene.event("member.joined"),
            attributed_at=NOON,
            qualified_at=qualified_at,
        )

    (fact,) = raise_them(anna)

    assert (fact.data["code"], fact.data["measured"]) == ("silver", 2)


# Windows


def test_in_the_last_days_today_is_one_of_them(scene, anna, levels):
    choose(window="rolling", window_days=30)
    earn(scene, anna, 500, at=datetime(2026, 3, 17, 21, tzinfo=UTC))  # In Moscow the 18th of March begins.

    assert value_of(anna, at=datetime(2026, 4, 16, 20, 59, tzinfo=UTC)) == 500  # the 16th of April
    assert value_of(anna, at=datetime(2026, 4, 16, 21, tzinfo=UTC)) == 0


@pytest.mark.parametrize(
    ("window", "last", "first"),
    [
        ("month", datetime(2026, 2, 28, 20, 59, tzinfo=UTC), datetime(2026, 2, 28, 21, tzinfo=UTC)),
        ("quarter", datetime(2026, 3, 31, 20, 59, tzinfo=UTC), datetime(2026, 3, 31, 21, tzinfo=UTC)),
        ("year", datetime(2026, 12, 31, 20, 59, tzinfo=UTC), datetime(2026, 12, 31, 21, tzinfo=UTC)),
    ],
)
def test_a_calendar_window_begins_at_zero_at_the_local_midnight(scene, anna, levels, window, last, first):
    choose(window=window)
    earn(scene, anna, 100, at=last)
    earn(scene, anna, 7, at=first)

    assert value_of(anna, at=last) == 100
    assert value_of(anna, at=first) == 7


@pytest.mark.parametrize(
    ("zone", "changed"),
    [
        ("America/New_York", datetime(2026, 3, 8, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
        ("Asia/Shanghai", datetime(2026, 3, 8, tzinfo=UTC)),
    ],
)
def test_a_day_of_23_or_25_hours_is_one_day_of_the_window(zone, changed):
    policy = Policy(window="rolling", window_days=2)
    clock = ZoneInfo(zone)
    evening = (changed + DAY).replace(hour=23, tzinfo=clock)

    window = window_of(policy=policy, zone=clock, at=evening)

    assert window.start == changed.replace(tzinfo=clock)


def test_a_month_after_the_31st_ends_with_its_own_last_day(levels):
    clock = ZoneInfo("America/New_York")

    window = window_of(policy=Policy(window="month"), zone=clock, at=datetime(2026, 1, 31, 23, tzinfo=clock))

    assert window.end == datetime(2026, 2, 1, tzinfo=clock)
    assert window_of(policy=Policy(window="month"), zone=clock, at=window.end).end == datetime(2026, 3, 1, tzinfo=clock)

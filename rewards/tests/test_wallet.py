from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rewards import units, wallet
from rewards.models import Account, Asset, Redemption, Reward
from rewards.tests.stage import NOON
from rewards.tests.units import has, make_asset
from rewards.wallet import Expiring, Figures, InWords

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NOTHING = Figures(available=0, pending=0, flagged=0, promised=0, reserved=0, debt=0, expiring=None)


def points_of(member, at=NOON):
    return wallet.figures(member_id=member.pk, at=at)["points"]


def test_whoever_has_nothing_has_nothing_of_each_asset_in_use(scene, anna):
    make_asset("stars")
    make_asset("old", is_active=False)

    assert wallet.figures(member_id=anna.pk, at=NOON) == {"points": NOTHING, "stars": NOTHING}


def test_what_is_still_held_of_an_asset_out_of_use_is_shown(scene, anna):
    old = make_asset("old", is_active=False)
    has(anna, 5, old)

    assert wallet.figures(member_id=anna.pk, at=NOON)["old"].available == 5


def test_each_stands_by_itself(scene, anna, boris):
    scene.owe(anna, status="granted", given=100)
    scene.owe(anna, status="pending", given=20)
    scene.owe(anna, status="flagged", given=3)
    promised = scene.owe(anna, status="pending", given=200)
    Reward.objects.filter(pk=promised).update(awaits="order.paid")
    Redemption.objects.create(
        key="o", purpose="order", member=anna, asset=scene.points, amount=7, status="reserved", created_at=NOON
    )
    scene.owe(boris, status="granted", given=1_000)

    assert points_of(anna) == Figures(
        available=100, pending=20, flagged=3, promised=200, reserved=7, debt=0, expiring=None
    )


def test_what_has_expired_is_not_available_before_the_night_has_taken_it(scene, anna):
    has(anna, 10, scene.points, expires_at=NOON)
    has(anna, 20, scene.points, expires_at=NOON + DAY)
    has(anna, 25, scene.points, expires_at=NOON + DAY)
    has(anna, 30, scene.points, expires_at=NOON + 2 * DAY)
    has(anna, 40, scene.points)

    found = points_of(anna)

    assert (found.available, found.expiring) == (115, Expiring(45, NOON + DAY))
    assert points_of(anna, NOON + 2 * DAY) == Figures(40, 0, 0, 0, 0, 0, None)


def test_a_debt_is_no_balance(scene, anna):
    has(anna, 30, scene.points)
    has(anna, -50, scene.points)

    assert points_of(anna) == Figures(0, 0, 0, 0, 0, debt=20, expiring=None)


def test_what_rests_too_long_goes_at_a_midnight_of_the_tenant(scene, anna):
    Asset.objects.filter(code="points").update(expiry="idle", expiry_count=10)
    has(anna, 30, scene.points)
    Account.objects.filter(member=anna).update(moved_at=NOON)

    # Ten days after 17 March are over when the 28th begins in Moscow.
    end = datetime(2026, 3, 27, 21, tzinfo=UTC)
    assert points_of(anna) == Figures(30, 0, 0, 0, 0, 0, Expiring(30, end))
    assert points_of(anna, end) == NOTHING


def test_it_takes_as_many_statements_for_many_assets_as_for_one(scene, anna):
    has(anna, 30, scene.points)

    def statements():
        with CaptureQueriesContext(connection) as seen:
            wallet.figures(member_id=anna.pk, at=NOON)
        return len(seen)

    before = statements()
    for code in ("stars", "spins", "gems"):
        has(anna, 5, make_asset(code))

    assert (before, statements()) == (1, 1)


def test_in_words_a_name_stands_above_its_figures_and_is_not_bent(scene, anna):
    spins = make_asset("spins", kind="spin")
    cash = make_asset("cash")
    has(anna, 1, spins, expires_at=NOON + DAY)
    has(anna, 1_250, cash, expires_at=NOON + DAY)

    points, *others = wallet.figures_in_words(member_id=anna.pk, at=NOON)

    assert points == InWords("Points", "0", ())
    assert others == [
        InWords("Spins", "1", ("1 usable until Mar 18",)),
        InWords("Cash", "RUB\N{NO-BREAK SPACE}12.50", ("RUB\N{NO-BREAK SPACE}12.50 usable until Mar 18",)),
    ]


def test_where_no_name_stands_above_it_stands_behind_the_number(scene):
    spins = make_asset("spins", kind="spin")

    assert (units.written(1, spins), units.signed(-1_000, spins)) == ("1 (Spins)", "−1,000 (Spins)")
    assert units.written(1_250, make_asset("cash", scale=4)) == "0.1250 RUB"
    assert units.written(1_250, scene.points) == "1,250"

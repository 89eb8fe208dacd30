"""What a tenant owes: each unit counted once, in units and in money."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.db import transaction
from rewards import ledger, liability, payouts, sheets
from rewards.ledger import Move
from rewards.models import Asset, Entitlement, Gift, Redemption, Reward
from rewards.tests.stage import NOON
from rewards.tests.units import MARTA, has, make_asset
from tests.people import browser_of, staff_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
PAGE = "/admin/rewards/account/"


def of(code="points", at=NOON):
    return next(each for each in liability.liability(at=at).assets if each.asset.code == code)


@transaction
def expire(member, asset, amount):
    move = Move("expire", "expire", member.pk, asset.pk, -amount, other="expiry")
    ledger.post(moves=[move], at=NOON)


@transaction
def spend(member, asset, amount, gift):
    bought = Redemption.objects.create(
        key=f"p{amount}",
        purpose="purchase",
        member=member,
        asset=asset,
        gift=gift,
        amount=amount,
        captured=amount,
        status="captured",
        created_at=NOON,
        settled_at=NOON,
    )
    move = Move(f"s{amount}", "spend", member.pk, asset.pk, -amount, other="spend", redemption_id=bought.pk)
    ledger.post(moves=[move], at=NOON)
    return bought


def entitlement(member, gift, status, number, **columns):
    issued = {"issued_at": NOON, "code": "sealed"} if status == "issued" else {}
    return Entitlement.objects.create(
        key=f"e{number}", kind=gift.kind, gift=gift, member=member, status=status, created_at=NOON, **issued, **columns
    )


def test_a_new_tenant_owes_nothing(acme):
    found = liability.liability(at=NOON)

    assert not found.is_anything
    assert (found.owed_minor, found.coming_minor, found.breakage_minor, found.things_minor) == (0, 0, 0, 0)
    assert of().breakage_bps is None
    assert "Nothing is owed" in browser_of(staff_of("analyst")).get(PAGE).content.decode()


def test_each_unit_stands_where_it_belongs(scene, anna, boris):
    Asset.objects.filter(code="points").update(minor_per_unit=10)
    has(anna, 100, scene.points)
    has(anna, 40, scene.points, expires_at=NOON)
    has(anna, 30, scene.points, expires_at=NOON + 400 * DAY)
    has(boris, -25, scene.points)
    scene.owe(anna, status="pending", given=7)
    scene.owe(anna, status="flagged", given=5)
    promised = scene.owe(anna, status="pending", given=3)
    Reward.objects.filter(pk=promised).update(awaits="order.paid")

    owed = of()

    assert (owed.outstanding, owed.expired, owed.never, owed.later, owed.idle) == (170, 40, 100, 30, 0)
    assert (owed.pending, owed.flagged, owed.promised, owed.debts, owed.escrow) == (7, 5, 3, 25, 0)
    assert (owed.owed, owed.worth_minor(owed.owed)) == (130, 1_300)
    assert owed.outstanding == owed.expired + owed.never + owed.later + owed.idle + sum(m.expiring for m in owed.months)
    assert liability.liability(at=NOON).coming_minor == 150


def test_what_is_set_aside_is_still_owed_and_what_is_paid_is_not(scene, anna):
    cash = make_asset("cash")
    has(anna, 2_000, cash)
    with transaction():
        (payout,) = payouts.prepare(asset=cash, key="k", by=MARTA, at=NOON)
    assert (of("cash").outstanding, of("cash").escrow, of("cash").owed) == (0, 2_000, 2_000)

    with transaction():
        payouts.settle(redemption=payout, reference="P", by=MARTA, at=NOON)

    assert (of("cash").owed, of("cash").spent_ever) == (0, 2_000)


def test_money_in_the_tenants_currency_is_worth_itself(scene, anna):
    has(anna, 1_234, make_asset("cash", minor_per_unit=100))
    has(anna, 1_234, make_asset("rough", kind="money", currency="RUB", scale=1, minor_per_unit=1))
    has(anna, 1_234, make_asset("dollars", kind="money", currency="USD", scale=2, minor_per_unit=9_000))

    worth = {each.asset.code: each.worth_minor(each.owed) for each in liability.liability(at=NOON).assets}

    assert worth == {"points": 0, "cash": 1_234, "rough": 12_340, "dollars": 111_060}


def test_months_are_the_tenants_own(scene, anna):
    # Midnight in Moscow: the last day is 30 June; and the first instant of July is none of June.
    has(anna, 10, scene.points, expires_at=datetime(2026, 6, 30, 21, tzinfo=UTC))
    has(anna, 20, scene.points, expires_at=datetime(2026, 7, 1, 21, tzinfo=UTC))
    scene.owe(anna, status="pending", given=5, matures_at=NOON - DAY)
    scene.owe(anna, status="pending", given=6, matures_at=datetime(2026, 3, 31, 21, tzinfo=UTC))

    months = {month.begins: (month.expiring, month.maturing) for month in of().months}

    assert len(months) == 13
    assert {first: figures for first, figures in months.items() if any(figures)} == {
        date(2026, 3, 1): (0, 5),
        date(2026, 4, 1): (0, 6),
        date(2026, 6, 1): (10, 0),
        date(2026, 7, 1): (20, 0),
    }


def test_what_goes_after_days_of_rest_has_no_month(scene, anna):
    Asset.objects.filter(code="points").update(expiry="idle", expiry_count=90)
    has(anna, 10, scene.points)

    assert (of().idle, of().never) == (10, 0)


def test_breakage_is_what_expired_of_all_whose_fate_is_decided(scene, anna):
    mug = Gift.objects.create(code="mug", kind="product", name="Mug")
    has(anna, 1_000, scene.points, expires_at=NOON + 30 * DAY)
    has(anna, 50, scene.points)
    expire(anna, scene.points, 100)
    bought = spend(anna, scene.points, 250, mug)
    with transaction():
        back = Move("back", "return", anna.pk, scene.points.pk, 50, other="spend", redemption_id=bought.pk)
        ledger.post(moves=[back], at=NOON)

    owed = of()

    # 100 expired, 250 − 50 were spent: one in three. Of the 650 that can expire a third will.
    assert (owed.expired_ever, owed.spent_ever, owed.breakage_bps) == (100, 200, 3_333)
    assert (owed.outstanding, owed.never, owed.breakage_expected) == (750, 100, 650 * 3_333 // 10_000)
    assert ledger.verify() == []


def test_things_are_owed_at_their_value_or_cost(scene, anna):
    cafe = Gift.objects.create(code="cafe", kind="certificate", name="Café", cost_minor=1)
    mug = Gift.objects.create(code="mug", kind="product", name="Mug", cost_minor=30_000)
    entitlement(anna, cafe, "waiting", 1, value_minor=50_000)
    entitlement(anna, cafe, "issued", 2, value_minor=100_000)
    entitlement(anna, mug, "placed", 3)
    entitlement(anna, mug, "delivered", 4)

    things = {each.kind: each for each in liability.liability(at=NOON).things}

    assert [(things[kind].waiting, things[kind].waiting_minor) for kind in things] == [(1, 50_000), (1, 30_000)]
    assert [(things[kind].unused, things[kind].unused_minor) for kind in things] == [(1, 100_000), (0, 0)]
    assert liability.liability(at=NOON).things_minor == 180_000


def test_it_takes_four_statements_however_much_there_is(scene, anna):
    for code in ("stars", "gems"):
        has(anna, 5, make_asset(code))

    with CaptureQueriesContext(connection) as seen:
        liability.liability(at=NOON)

    assert len(seen) == 4


# The page


@pytest.mark.parametrize("role", ["admin", "marketer", "analyst", "moderator"])
def test_the_page_is_read_and_saved_as_a_table(scene, anna, role):
    has(anna, 1_234, scene.points, expires_at=NOON + 3650 * DAY)
    browser = browser_of(staff_of(role))

    page = browser.get(PAGE).content.decode()
    saved = browser.post(f"{PAGE}export/")

    assert ">1,234<" in page
    assert "RUB\N{NO-BREAK SPACE}1,234" in page
    assert saved["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(saved.content.decode().removeprefix("\ufeff"))))
    assert rows[:2] == [
        ["what", "figure", "units", "worth_minor", "currency"],
        ["points", "owed", "1234", "123400", "RUB"],
    ]


def test_a_page_of_an_account_is_its_members(scene, anna):
    has(anna, 5, scene.points)
    browser = browser_of(staff_of("analyst"))
    (number,) = [row.id for row in _accounts(anna)]

    assert browser.get(f"{PAGE}{number}/change/").headers["Location"] == f"/admin/members/member/{anna.pk}/change/"
    assert browser.get(f"{PAGE}999999/change/").status_code == 404
    assert browser.get(f"{PAGE}add/").status_code == 403


def test_a_table_has_no_formula():
    text = sheets.sheet(header=["=a"], rows=[["+b", -1, None]])

    assert text == "\ufeff'=a\r\n'+b,-1,\r\n"


def _accounts(member):
    from rewards.models import Account  # noqa: PLC0415

    return Account.objects.filter(member=member)

from datetime import timedelta

import pytest

from core.db import transaction
from events.models import Event
from members.models import Member
from rewards import ledger, payouts
from rewards.ledger import InsufficientBalance, Move
from rewards.models import Asset, Lot, Posting, Redemption
from rewards.payouts import InvalidPayout, NotMoney, PayoutSettled, Standing, Totals
from rewards.redemptions import KeyReused, UnknownRedemption
from rewards.tests.stage import NOON
from rewards.tests.units import MARTA, has, make_asset
from tenants.staff.models import AuditEntry
from tests.races import race

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def cash(scene):
    return make_asset("cash")


@transaction
def prepare(asset, *, key="march", at=NOON):
    return payouts.prepare(asset=asset, key=key, by=MARTA, at=at)


@transaction
def settle(payout, reference="PAY-1", at=NOON):
    return payouts.settle(redemption=payout, reference=reference, by=MARTA, at=at)


@transaction
def fail(payout, reason="The account is closed.", at=NOON):
    return payouts.fail(redemption=payout, reason=reason, by=MARTA, at=at)


def cash_of(member):
    return ledger.balance_of(member_id=member.pk, asset_code="cash")


# Who can be paid


def test_payable_is_what_has_come_together(cash, scene, anna, boris):
    has(anna, 1_000, cash)
    has(boris, 999, cash)
    scene.member("clara")

    assert payouts.payable(asset=cash, at=NOON) == [Standing(anna.pk, 1_000, "payable")]
    assert payouts.standings(asset=cash, at=NOON) == [
        Standing(anna.pk, 1_000, "payable"),
        Standing(boris.pk, 999, "small"),
    ]
    assert payouts.totals(asset=cash, at=NOON) == Totals(999, 1_000, 0, 0, 1, 1)


def test_without_a_smallest_payout_anything_is_payable(scene, anna):
    cash = make_asset("cash", payout_min=None)
    has(anna, 1, cash)

    assert payouts.payable(asset=cash, at=NOON) == [Standing(anna.pk, 1, "payable")]


def test_nobody_is_paid_while_blocked_or_before_a_moderator(cash, scene, anna, boris):
    for member in (anna, boris):
        has(member, 5_000, cash)
    Member.objects.filter(pk=anna.pk).update(status="blocked")
    scene.owe(boris, status="flagged")

    assert payouts.payable(asset=cash, at=NOON) == []
    assert {(each.member_id, each.status) for each in payouts.standings(asset=cash, at=NOON)} == {
        (anna.pk, "blocked"),
        (boris.pk, "flagged"),
    }
    assert prepare(cash) == []


def test_what_has_expired_is_not_payable_before_the_night_has_taken_it(cash, anna):
    has(anna, 1_500, cash, expires_at=NOON)
    has(anna, 1_200, cash, expires_at=NOON + DAY)

    assert payouts.payable(asset=cash, at=NOON) == [Standing(anna.pk, 1_200, "payable")]
    prepare(cash)
    assert cash_of(anna) == 1_500
    assert ledger.verify() == []


def test_a_debt_is_not_payable(cash, anna):
    has(anna, 500, cash)
    has(anna, -2_000, cash)

    assert payouts.standings(asset=cash, at=NOON) == []


def test_points_are_not_paid_out(scene, anna):
    scene.owe(anna, status="granted", given=5_000)

    with pytest.raises(NotMoney):
        prepare(Asset.objects.get(code="points"))

    assert not Redemption.objects.exists()


# Set aside


def test_a_run_sets_aside_all_that_can_be_paid(cash, anna, boris):
    has(anna, 1_000, cash)
    has(boris, 2_500, cash)

    made = prepare(cash)

    assert [(each.member_id, each.amount, each.status) for each in made] == [
        (anna.pk, 1_000, "reserved"),
        (boris.pk, 2_500, "reserved"),
    ]
    assert (cash_of(anna), cash_of(boris)) == (0, 0)
    assert payouts.totals(asset=cash, at=NOON) == Totals(0, 0, 3_500, 0, 0, 0)
    assert {each.target.kind for each in Posting.objects.filter(reason="reserve")} == {"escrow"}
    assert Event.objects.filter(kind="payout.prepared").count() == 2
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.changes) == (
        "payout.prepared",
        "asset:cash",
        {"payouts": 2, "amount": 3_500, "key": "march"},
    )
    assert ledger.verify() == []


def test_the_same_run_again_gives_what_it_made(cash, anna):
    has(anna, 1_000, cash)
    first = prepare(cash)
    has(anna, 3_000, cash)

    assert [each.pk for each in prepare(cash)] == [each.pk for each in first]
    assert cash_of(anna) == 3_000
    assert [each.amount for each in prepare(cash, key="april")] == [3_000]


def test_one_key_does_not_begin_another(cash, anna):
    has(anna, 1_000, cash)
    prepare(cash, key="m")
    has(anna, 1_100, cash)

    assert [each.amount for each in prepare(cash, key="m.2")] == [1_100]


def test_a_key_is_for_one_asset(cash, anna):
    dollars = make_asset("dollars", kind="money", currency="USD", scale=2)
    has(anna, 1_000, cash)
    prepare(cash)
    has(anna, 7, dollars)

    with pytest.raises(KeyReused):
        prepare(dollars)

    assert Redemption.objects.count() == 1


@pytest.mark.parametrize("key", ["", "a:b", "a b", "%", "x" * 101])
def test_an_odd_key_is_refused(cash, anna, key):
    has(anna, 1_000, cash)

    with pytest.raises(InvalidPayout):
        prepare(cash, key=key)

    assert cash_of(anna) == 1_000


def test_a_run_takes_as_many_statements_for_many_as_for_one(cash, scene, django_assert_max_num_queries):
    for number in range(30):
        has(scene.member(f"m{number}"), 2_000, cash)

    with django_assert_max_num_queries(16):
        prepare(cash)


# Paid


def test_what_is_paid_has_its_reference(cash, anna):
    has(anna, 1_000, cash)
    (payout,) = prepare(cash)

    paid = settle(payout, " PAY-17 ", at=NOON + DAY)

    assert (paid.status, paid.captured, paid.reference, paid.settled_at) == (
        "captured",
        1_000,
        "PAY-17",
        NOON + DAY,
    )
    posting = Posting.objects.get(reason="payout")
    assert (posting.source.kind, posting.target.kind, posting.amount) == ("escrow", "spend", 1_000)
    assert payouts.totals(asset=cash, at=NOON) == Totals(0, 0, 0, 1_000, 0, 0)
    assert Event.objects.get(kind="payout.paid").data == {
        "payout_id": payout.pk,
        "asset": "cash",
        "amount": 1_000,
    }
    assert AuditEntry.objects.latest("pk").changes["reference"] == "PAY-17"
    assert ledger.verify() == []


def test_paid_once_more_is_paid_once(cash, anna):
    has(anna, 1_000, cash)
    (payout,) = prepare(cash)
    settle(payout)

    assert settle(payout).reference == "PAY-1"
    with pytest.raises(PayoutSettled, match="PAY-1"):
        settle(payout, "PAY-2")
    with pytest.raises(PayoutSettled):
        fail(payout)
    assert Posting.objects.filter(reason="payout").count() == 1
    assert ledger.verify() == []


@pytest.mark.parametrize("reference", ["", "  ", "x" * 201])
def test_a_payment_needs_a_reference(cash, anna, reference):
    has(anna, 1_000, cash)
    (payout,) = prepare(cash)

    with pytest.raises(InvalidPayout):
        settle(payout, reference)

    payout.refresh_from_db()
    assert payout.status == "reserved"


def test_what_is_set_aside_for_an_order_is_no_payout(cash, anna):
    order = Redemption.objects.create(
        key="o", purpose="order", member=anna, asset=cash, amount=5, status="reserved", created_at=NOON
    )

    for act in (settle, fail):
        with pytest.raises(UnknownRedemption):
            act(order)


# Failed


def test_what_fails_comes_back_with_its_old_expiry(cash, anna):
    has(anna, 700, cash, expires_at=NOON + 5 * DAY)
    has(anna, 800, cash)
    (payout,) = prepare(cash)

    failed = fail(payout, at=NOON + DAY)

    assert (failed.status, failed.note, failed.captured) == ("released", "The account is closed.", 0)
    assert cash_of(anna) == 1_500
    lots = Lot.objects.filter(remaining__gt=0).values_list("remaining", "expires_at")
    assert sorted(lots, key=lambda lot: lot[0]) == [(700, NOON + 5 * DAY), (800, None)]
    assert ledger.verify() == []


def test_failed_once_more_comes_back_once(cash, anna):
    has(anna, 1_000, cash)
    (payout,) = prepare(cash)
    fail(payout)

    assert fail(payout).status == "released"
    with pytest.raises(PayoutSettled):
        settle(payout)
    assert cash_of(anna) == 1_000
    assert ledger.verify() == []


def test_a_failure_needs_a_reason(cash, anna):
    has(anna, 1_000, cash)
    (payout,) = prepare(cash)

    with pytest.raises(InvalidPayout):
        fail(payout, "  ")

    assert cash_of(anna) == 0


# Races


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_set_aside_once(scene, anna):
    cash = make_asset("cash")
    has(anna, 2_000, cash)

    made = race(*[lambda key=key: payouts.prepare(asset=cash, key=key, by=MARTA, at=NOON) for key in "abcd"])

    assert sorted(len(each) for each in made) == [0, 0, 0, 1]
    assert cash_of(anna) == 0
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_of_paid_and_failed_at_once_one_holds(scene, anna):
    cash = make_asset("cash")
    has(anna, 2_000, cash)
    (payout,) = prepare(cash)

    results = race(
        lambda: payouts.settle(redemption=payout, reference="P", by=MARTA, at=NOON),
        lambda: payouts.fail(redemption=payout, reason="no", by=MARTA, at=NOON),
    )

    assert sorted(type(each).__name__ for each in results) == ["PayoutSettled", "Redemption"]
    payout.refresh_from_db()
    assert cash_of(anna) == (0 if payout.status == "captured" else 2_000)
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_a_run_and_a_spend_at_once_do_not_both_take_the_balance(scene, anna):
    cash = make_asset("cash")
    has(anna, 2_000, cash)
    order = Redemption.objects.create(
        key="o", purpose="order", member=anna, asset=cash, amount=2_000, status="reserved", created_at=NOON
    )

    def spend():
        from core.db import current_schema  # noqa: PLC0415
        from members import people  # noqa: PLC0415

        people.lock(current_schema())
        key = {"other": "escrow", "redemption_id": order.pk}
        ledger.post(moves=[Move("spend", "reserve", anna.pk, cash.pk, -2_000, **key)], at=NOON)
        return "spent"

    spent, made = race(spend, lambda: payouts.prepare(asset=cash, key="k", by=MARTA, at=NOON))

    assert (spent == "spent", made) in ((True, []), (False, made))
    assert isinstance(spent, InsufficientBalance) == bool(made)
    assert cash_of(anna) == 0

from datetime import timedelta

import pytest

from core.db import transaction
from events.models import Event
from members.models import Member
from rewards import ledger, redemptions, reservations
from rewards.models import Posting, Redemption
from rewards.redemptions import Used
from rewards.reservations import Order, Wanted
from rewards.tests.selling import BOT, earn, left_of
from rewards.tests.stage import NOON, Stage
from tests.races import race

JUNE = NOON + timedelta(days=80)
JULY = NOON + timedelta(days=110)


@transaction
def reserve(member, amount=60, *, key="r-1", at=NOON, **told):
    wanted = Wanted(key=key, member_id=member.pk, amount=amount, order_number="1001", **told)
    return reservations.reserve(wanted=wanted, actor=BOT, at=at)


@transaction
def capture(made, amount=None, *, at=NOON):
    return reservations.capture(redemption_id=made.pk, amount=amount, at=at)


@transaction
def release(made, *, at=NOON):
    return reservations.release(redemption_id=made.pk, at=at)


@transaction
def give_back(made, amount, *, key="back-1", at=NOON):
    return reservations.give_back(redemption_id=made.pk, amount=amount, key=key, at=at)


def balance_of(member):
    return ledger.balance_of(member_id=member.pk)


def facts():
    return list(Event.objects.filter(kind__startswith="redemption.").order_by("pk").values_list("kind", flat=True))


# The pure part


USES = [Used(7, 30, None), Used(5, 20, JULY), Used(3, 10, JUNE)]


@pytest.mark.parametrize(
    ("skipped", "amount", "expected"),
    [
        (0, 60, USES),
        (0, 10, [Used(7, 10, None)]),
        (30, 25, [Used(5, 20, JULY), Used(3, 5, JUNE)]),
        (45, 1, [Used(5, 1, JULY)]),
        (60, 5, []),
    ],
)
def test_what_was_used_last_goes_back_first_and_each_unit_once(skipped, amount, expected):
    assert list(redemptions.portions(uses=USES, skipped=skipped, amount=amount)) == expected


# What an order may cost


def test_a_quote_takes_no_more_than_the_member_has(scene, anna):
    earn(anna, 70)

    quote = reservations.quote(order=Order(anna.pk, 50_000, "RUB"), at=NOON)

    assert (quote.available, quote.units, quote.worth_minor, quote.to_pay_minor) == (70, 70, 7_000, 43_000)


@pytest.mark.parametrize(
    ("amount_minor", "share_bps", "units", "worth_minor"),
    [(5_000, 10_000, 50, 5_000), (5_099, 10_000, 50, 5_000), (5_000, 3_333, 16, 1_600), (99, 10_000, 0, 0)],
)
def test_a_quote_is_rounded_down_and_within_the_share(scene, anna, amount_minor, share_bps, units, worth_minor):
    earn(anna, 500)

    quote = reservations.quote(order=Order(anna.pk, amount_minor, "RUB", share_bps=share_bps), at=NOON)

    assert (quote.units, quote.worth_minor, quote.to_pay_minor) == (units, worth_minor, amount_minor - worth_minor)


def test_a_quote_of_points_with_digits_counts_what_one_whole_is_worth(scene, anna):
    scene.points.scale = 2
    scene.points.save()
    earn(anna, 1_250)

    quote = reservations.quote(order=Order(anna.pk, 1_000, "RUB"), at=NOON)

    assert (quote.units, quote.worth_minor) == (1_000, 1_000)


def test_a_quote_leaves_out_what_has_expired(scene, anna):
    earn(anna, 70, expires_at=JUNE)

    assert reservations.quote(order=Order(anna.pk, 50_000, "RUB"), at=JUNE).units == 0


def test_an_order_in_another_currency_is_not_quoted(scene, anna):
    with pytest.raises(reservations.OtherCurrency):
        reservations.quote(order=Order(anna.pk, 50_000, "USD"), at=NOON)


def test_an_asset_that_is_not_there_is_not_quoted(scene, anna):
    with pytest.raises(reservations.UnknownAsset):
        reservations.quote(order=Order(anna.pk, 50_000, "RUB", asset_code="stars"), at=NOON)


# Setting aside


def test_what_is_set_aside_is_no_longer_the_members(scene, anna):
    earn(anna, 100)

    made = reserve(anna)

    assert (made.status, made.amount, made.captured, made.expires_at) == (
        "reserved",
        60,
        0,
        NOON + timedelta(minutes=30),
    )
    assert balance_of(anna) == 40
    assert ledger.verify() == []
    assert facts() == ["redemption.reserved"]


def test_the_same_request_sets_aside_once(scene, anna):
    earn(anna, 100)

    assert reserve(anna).pk == reserve(anna).pk
    assert balance_of(anna) == 40


def test_the_same_key_for_another_amount_is_refused(scene, anna):
    earn(anna, 100)
    reserve(anna)

    with pytest.raises(redemptions.KeyReused):
        reserve(anna, 10)

    assert (balance_of(anna), Redemption.objects.count()) == (40, 1)


def test_somebody_blocked_spends_nothing_on_an_order(scene, anna):
    earn(anna, 100)
    Member.objects.filter(pk=anna.pk).update(status="blocked")

    quote = reservations.quote(order=Order(anna.pk, 50_000, "RUB"), at=NOON)
    with pytest.raises(reservations.MemberBlocked):
        reserve(anna)

    assert (quote.available, quote.units, quote.to_pay_minor) == (0, 0, 50_000)
    assert (balance_of(anna), Redemption.objects.count()) == (100, 0)


def test_no_key_of_a_client_can_be_that_of_a_payout(scene, anna):
    earn(anna, 100)

    with pytest.raises(redemptions.KeyReused):
        reserve(anna, key=f"payout:march:{anna.pk}")

    assert (balance_of(anna), Redemption.objects.count()) == (100, 0)


def test_nobody_sets_aside_more_than_they_have(scene, anna):
    earn(anna, 59)

    with pytest.raises(ledger.InsufficientBalance):
        reserve(anna)

    assert (balance_of(anna), Redemption.objects.count()) == (59, 0)


# Capture and release


def test_a_capture_spends_what_was_set_aside(scene, anna):
    earn(anna, 100)
    made = reserve(anna)

    captured = capture(made)

    assert (captured.status, captured.captured, captured.settled_at) == ("captured", 60, NOON)
    assert balance_of(anna) == 40
    assert ledger.verify() == []


def test_a_smaller_capture_gives_back_the_rest_that_lives_longest(scene, anna):
    earn(anna, 40, expires_at=JUNE)
    earn(anna, 40, expires_at=JULY)
    made = reserve(anna, 80)

    captured = capture(made, 50)

    assert captured.captured == 50
    assert left_of(anna) == [(30, JULY)]
    assert ledger.verify() == []


def test_a_capture_told_twice_spends_once(scene, anna):
    earn(anna, 100)
    made = reserve(anna)
    capture(made, 50)

    again = capture(made, 50)

    assert (again.captured, balance_of(anna)) == (50, 50)
    assert facts() == ["redemption.reserved", "redemption.captured"]


def test_a_second_capture_of_another_amount_is_refused(scene, anna):
    earn(anna, 100)
    made = reserve(anna)
    capture(made, 50)

    with pytest.raises(reservations.NotSetAside):
        capture(made, 10)

    assert balance_of(anna) == 50


def test_nothing_is_captured_beyond_what_was_set_aside(scene, anna):
    earn(anna, 100)
    made = reserve(anna)

    with pytest.raises(reservations.MoreThanSetAside):
        capture(made, 61)

    assert (balance_of(anna), Redemption.objects.get().status) == (40, "reserved")


def test_a_release_gives_everything_back_with_its_old_expiry(scene, anna):
    earn(anna, 40, expires_at=JUNE)
    earn(anna, 60)
    made = reserve(anna, 70)

    released = release(made, at=NOON + timedelta(minutes=5))

    assert released.status == "released"
    assert left_of(anna) == [(40, JUNE), (30, None), (30, None)]
    assert release(made).status == "released"
    assert balance_of(anna) == 100
    assert ledger.verify() == []


def test_what_was_captured_is_not_released_and_the_other_way_round(scene, anna):
    earn(anna, 120)
    first, second = reserve(anna), reserve(anna, key="r-2")
    capture(first)
    release(second)

    with pytest.raises(reservations.NotSetAside):
        release(first)
    with pytest.raises(reservations.NotSetAside):
        capture(second)

    assert balance_of(anna) == 60


def test_nothing_is_captured_once_its_time_is_over(scene, anna):
    earn(anna, 100)
    made = reserve(anna)

    with pytest.raises(reservations.Lapsed):
        capture(made, at=made.expires_at)

    assert Redemption.objects.get().status == "reserved"


def test_what_lapsed_goes_back_by_itself_and_is_then_not_captured(scene, anna):
    earn(anna, 100)
    made = reserve(anna)
    reserve(anna, 10, key="r-2", at=NOON + timedelta(minutes=1))
    assert not reservations.is_any_due(at=made.expires_at - timedelta(seconds=1))
    assert reservations.is_any_due(at=made.expires_at)

    with transaction():
        released = reservations.release_due(schema="t_acme", limit=10, at=made.expires_at)

    assert (released, balance_of(anna)) == (1, 90)
    with pytest.raises(reservations.Lapsed):
        capture(made, at=made.expires_at)
    assert ledger.verify() == []


# Given back


def test_an_order_given_back_in_parts_returns_what_it_cost_and_no_more(scene, anna):
    earn(anna, 40, expires_at=JUNE)
    earn(anna, 40, expires_at=JULY)
    made = reserve(anna, 80)
    capture(made, 60)

    give_back(made, 25, key="refund-1", at=NOON + timedelta(days=2))
    # The capture has released the 20 of July that were set aside last; the other 20 come first now.
    assert left_of(anna) == [(5, JUNE), (20, JULY), (20, JULY)]
    with pytest.raises(reservations.MoreThanSpent):
        give_back(made, 36, key="refund-2")
    last = give_back(made, 35, key="refund-2")

    assert last.status == "returned"
    assert balance_of(anna) == 80
    assert sum(left for left, expires_at in left_of(anna) if expires_at == JUNE) == 40
    assert ledger.verify() == []


def test_the_same_return_told_twice_counts_once(scene, anna):
    earn(anna, 100)
    made = reserve(anna)
    capture(made)
    give_back(made, 10)

    give_back(made, 10)
    with pytest.raises(redemptions.KeyReused):
        give_back(made, 20)

    assert balance_of(anna) == 50


def test_a_key_that_begins_like_another_is_another(scene, anna):
    earn(anna, 100)
    made = reserve(anna)
    capture(made)

    give_back(made, 10, key="a")
    give_back(made, 10, key="a:1")

    assert balance_of(anna) == 60


def test_nothing_is_given_back_of_what_was_never_spent(scene, anna):
    earn(anna, 100)
    made = reserve(anna)

    with pytest.raises(reservations.MoreThanSpent):
        give_back(made, 1)

    assert Posting.objects.filter(reason="return").count() == 0


def test_a_purchase_is_no_reservation(scene, anna):
    with pytest.raises(redemptions.UnknownRedemption), transaction():
        reservations.capture(redemption_id=7, amount=None, at=NOON)


# Races


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_who_spend_a_whole_balance_at_once_one_does():
    anna = Stage().member("anna")
    earn(anna, 100)

    def spend(nth):
        wanted = Wanted(key=f"r-{nth}", member_id=anna.pk, amount=100)
        return lambda: reservations.reserve(wanted=wanted, actor=BOT, at=NOON)

    results = race(*(spend(nth) for nth in range(16)))

    assert sum(isinstance(each, Redemption) for each in results) == 1
    assert sum(isinstance(each, ledger.InsufficientBalance) for each in results) == 15
    assert (balance_of(anna), Redemption.objects.count()) == (0, 1)
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_a_capture_and_a_release_at_once_do_not_both_happen():
    anna = Stage().member("anna")
    earn(anna, 100)
    made = reserve(anna)

    results = race(
        lambda: reservations.capture(redemption_id=made.pk, amount=None, at=NOON),
        lambda: reservations.release(redemption_id=made.pk, at=NOON),
    )

    assert sum(isinstance(each, reservations.NotSetAside) for each in results) == 1
    assert balance_of(anna) in {40, 100}
    assert ledger.verify() == []

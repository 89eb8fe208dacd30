"""Discount codes: made by a pattern or taken from the stock, good for one order, given back with the order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.db import transaction
from events.models import Event
from rewards import entitlements, redemptions
from rewards.actors import Actor
from rewards.certificates import stock
from rewards.kinds.discount import checkout, patterns
from rewards.kinds.discount.checkout import Order
from rewards.models import Entitlement, StockCode
from rewards.tests import gifts
from rewards.tests.stage import NOON
from tests.races import race

pytestmark = pytest.mark.django_db

SHOP = Actor("key", "checkout")


@pytest.fixture
def coffee(acme):
    return gifts.gift("discount", code="coffee", terms={"order_min_minor": 1_000})


@pytest.fixture
def code(coffee, anna) -> str:
    return entitlements.code_of(gifts.give(coffee, anna)[0])


def order(amount_minor: int = 3_333, currency: str = "RUB", **columns: Any) -> Order:
    return Order(**{"amount_minor": amount_minor, "currency": currency, "number": "1001", **columns})


def redeem(code: str, *, key: str = "key-1", at: datetime = NOON, **columns: Any) -> checkout.Worth:
    with transaction():
        return checkout.redeem(code=code, order=order(**columns), key=key, actor=SHOP, at=at)


def release(code: str, number: str = "1001", *, at: datetime = NOON) -> Entitlement:
    with transaction():
        return checkout.release(code=code, order_number=number, actor=SHOP, at=at)


def the_code() -> Entitlement:
    return Entitlement.objects.get(kind="discount")


# Patterns


def test_a_pattern_is_filled_with_what_looks_like_nothing_else():
    drawn = {patterns.draw("COFFEE-####-????") for _ in range(300)}

    assert len(drawn) == 300
    assert {each[:7] for each in drawn} == {"COFFEE-"}
    assert set("".join(each[7:11] for each in drawn)) == set("23456789")
    assert set("".join(each[12:] for each in drawn)) == set("ABCDEFGHJKMNPQRSTVWXYZ")


@pytest.mark.parametrize("pattern", ["COFFEE-####-????", "????????", "GROOVE-????-####", "##########"])
def test_takes_a_pattern_that_nobody_guesses(pattern):
    assert patterns.problem(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "begins"),
    [
        ("COFFEE", "This pattern has so few codes"),
        ("COFFEE-####", "This pattern has so few codes"),
        ("########", "This pattern has so few codes"),
        ("coffee-####-????", "A pattern has capital letters"),
        ("КОФЕ-####-????", "A pattern has capital letters"),
        ("COFFEE ####-????", "A pattern has capital letters"),
        ("?" * 41, "A pattern has at most 40"),
    ],
)
def test_says_what_is_wrong_with_a_pattern(pattern, begins):
    assert str(patterns.problem(pattern)).startswith(begins)


# Giving


def test_makes_a_code_of_the_pattern_that_is_good_until_a_local_midnight(coffee, anna):
    (given,) = gifts.give(coffee, anna)

    assert entitlements.code_of(given).startswith("COFFEE-")
    # The sixtieth day after 17 March is the last, in Moscow.
    assert given.valid_until == datetime(2026, 5, 16, 21, tzinfo=UTC)


def test_draws_again_when_a_code_is_taken(coffee, anna, monkeypatch):
    draws = iter(["COFFEE-2222-AAAA", "COFFEE-2222-AAAA", "COFFEE-3333-AAAA"])
    monkeypatch.setattr(patterns, "draw", lambda pattern: next(draws))

    first, second = gifts.give(coffee, anna)[0], gifts.give(coffee, anna)[0]

    assert [entitlements.code_of(each) for each in (first, second)] == ["COFFEE-2222-AAAA", "COFFEE-3333-AAAA"]


def test_of_many_that_are_given_at_once_only_those_are_drawn_again_whose_code_is_taken(coffee, anna, monkeypatch):
    draws = iter(["C-2", "C-2", "C-3", "C-3", "C-4", "C-5"])
    monkeypatch.setattr(patterns, "draw", lambda pattern: next(draws))

    alone = gifts.give(coffee, anna)[0]
    given = gifts.give(coffee, anna, anna, anna)

    assert [entitlements.code_of(each) for each in (alone, *given)] == ["C-2", "C-4", "C-3", "C-5"]


def test_what_finds_no_free_code_of_its_pattern_waits_and_the_others_get_theirs(coffee, anna, monkeypatch, caplog):
    monkeypatch.setattr(patterns, "draw", lambda pattern: "C-2")

    given = gifts.give(coffee, anna, anna)

    assert gifts.statuses(*given) == ["issued", "waiting"]
    assert [record.levelname for record in caplog.records if "hardly a code" in record.message] == ["WARNING"]


def put(gift: Any, *codes: str) -> None:
    rows = [
        (0, entitlements.seal(code), entitlements.index_of(kind=gift.kind, gift_id=gift.pk, code=code), None)
        for code in codes
    ]
    with transaction():
        stock.put(gift=gift, rows=rows, batch="upload", at=NOON)


def test_takes_codes_of_the_stock_in_order_and_waits_for_more(anna, boris):
    gift = gifts.gift("discount", terms={"pattern": ""})
    put(gift, "FIRST-1", "SECOND-2")

    given = gifts.give(gift, anna, boris, anna)

    assert [each.status for each in given] == ["issued", "issued", "waiting"]
    assert [entitlements.code_of(each) for each in given] == ["FIRST-1", "SECOND-2", ""]

    put(gift, "THIRD-3")
    with transaction():
        stock.hand_out(gift_ids=[gift.pk], at=NOON)

    assert entitlements.code_of(Entitlement.objects.get(pk=given[2].pk)) == "THIRD-3"


def test_a_code_of_the_stock_that_nobody_saw_goes_back_there_and_to_whoever_waits(anna, boris):
    gift = gifts.gift("discount", terms={"pattern": ""})
    put(gift, "ONLY-1")
    first, second = gifts.give(gift, anna, boris)

    assert gifts.stop(first) == {}

    assert gifts.statuses(first, second) == ["cancelled", "issued"]
    assert StockCode.objects.get().entitlement_id == second.pk


def test_a_code_of_the_stock_that_was_seen_is_lost(anna):
    gift = gifts.gift("discount", terms={"pattern": ""})
    put(gift, "ONLY-1")
    (given,) = gifts.give(gift, anna)
    Entitlement.objects.update(shown_at=NOON)

    assert gifts.stop(given) == {given.pk: "shown"}

    assert gifts.statuses(given) == ["issued"]


def test_a_code_of_ours_can_be_cancelled_though_it_was_seen(coffee, anna, code):
    Entitlement.objects.update(shown_at=NOON)

    assert gifts.stop(the_code()) == {}

    with pytest.raises(checkout.CodeCancelled):
        redeem(code)


def test_no_two_gifts_have_the_same_code(anna):
    coffee, tea = (gifts.gift("discount", terms={"pattern": ""}) for _ in range(2))
    put(coffee, "SAME-1")
    put(tea, "SAME-1")

    first, second = gifts.give(coffee, anna)[0], gifts.give(tea, anna)[0]

    assert gifts.statuses(first, second) == ["issued", "waiting"]
    assert StockCode.objects.count() == 1


def test_a_code_of_the_stock_that_was_drawn_meanwhile_is_passed_over(coffee, anna, monkeypatch):
    tea = gifts.gift("discount", terms={"pattern": ""})
    put(tea, "COFFEE-2222-AAAA", "TEA-2")
    monkeypatch.setattr(patterns, "draw", lambda pattern: "COFFEE-2222-AAAA")
    drawn, taken = gifts.give(coffee, anna)[0], gifts.give(tea, anna)[0]

    assert [entitlements.code_of(each) for each in (drawn, taken)] == ["COFFEE-2222-AAAA", "TEA-2"]


# At the checkout


@pytest.mark.parametrize(
    ("terms", "amount_minor", "expected"),
    [
        ({"type": "percent", "rate_bps": 1_500}, 3_333, (499, False)),  # 499.95
        ({"type": "percent", "rate_bps": 10_000}, 3_333, (3_333, False)),
        ({"type": "sum", "amount_minor": 500}, 3_333, (500, False)),
        ({"type": "sum", "amount_minor": 500}, 300, (300, False)),
        ({"type": "free_delivery"}, 3_333, (0, True)),
    ],
)
def test_takes_off_what_the_terms_say_rounded_down(terms, amount_minor, expected):
    assert checkout.worth_of(terms, amount_minor=amount_minor) == expected


def test_a_good_code_is_good_however_it_is_typed_and_nothing_changes(code):
    typed = f" {code.lower().replace('-', ' ')} "

    worth = checkout.check(code=typed, order=order(), at=NOON)

    assert (worth.takes_off_minor, worth.is_free_delivery) == (499, False)
    assert the_code().status == "issued"


def test_what_was_promised_holds_when_the_gift_says_something_else(coffee, code):
    coffee.terms = {"type": "percent", "rate_bps": 100}
    coffee.save()

    assert checkout.check(code=code, order=order(), at=NOON).takes_off_minor == 499


@pytest.mark.parametrize(
    ("columns", "failure"),
    [
        ({"amount_minor": 999}, checkout.OrderTooSmall),
        ({"currency": "USD"}, checkout.WrongCurrency),
        ({"member_id": 0}, checkout.CodeOfAnother),
        ({"at": datetime(2026, 5, 16, 21, tzinfo=UTC)}, checkout.CodeExpired),
    ],
)
def test_says_why_a_code_is_not_good_and_uses_nothing(code, columns, failure):
    at = columns.pop("at", NOON)

    with pytest.raises(failure):
        redeem(code, at=at, **columns)

    assert the_code().status == "issued"
    assert not Event.objects.filter(kind="entitlement.used").exists()


def test_nobody_has_a_code_that_was_made_up(code):
    with pytest.raises(checkout.CodeNotFound):
        redeem("COFFEE-2222-AAAA")


def test_a_percentage_without_a_minimum_is_good_in_any_currency(anna):
    (given,) = gifts.give(gifts.gift("discount"), anna)

    assert redeem(entitlements.code_of(given), currency="USD").takes_off_minor == 499


def test_uses_a_code_for_one_order(code):
    worth = redeem(code)

    found = the_code()
    assert (found.status, found.used_for, found.used_at, worth.takes_off_minor) == ("used", "1001", NOON, 499)
    told = Event.objects.get(kind="entitlement.used")
    assert (told.data["order"], told.data["takes_off_minor"], told.data["actor"]) == ("1001", 499, "checkout")
    with pytest.raises(checkout.CodeUsed):
        redeem(code, key="key-2", number="1002")
    with pytest.raises(checkout.CodeUsed):
        checkout.check(code=code, order=order(number="1002"), at=NOON)
    assert the_code().used_for == "1001"


@pytest.mark.parametrize("key", ["key-1", "key-2"])
def test_the_same_order_gets_the_same_answer(code, key):
    first = redeem(code)

    again = redeem(code, key=key, at=NOON + timedelta(days=1))

    assert (again.takes_off_minor, again.entitlement.used_at) == (first.takes_off_minor, NOON)
    assert Event.objects.filter(kind="entitlement.used").count() == 1


def test_a_key_is_for_one_redemption(coffee, anna, code):
    redeem(code)
    other = entitlements.code_of(gifts.give(coffee, anna)[0])

    with pytest.raises(redemptions.KeyReused):
        redeem(code, amount_minor=5_000)
    with pytest.raises(redemptions.KeyReused):
        redeem(other)

    assert Entitlement.objects.filter(status="used").count() == 1


def test_an_order_that_is_called_off_gives_its_code_back_with_the_old_validity(code):
    until = the_code().valid_until
    redeem(code)

    released = release(code, at=NOON + timedelta(days=3))
    again = release(code, at=NOON + timedelta(days=4))

    assert (released.status, released.valid_until, again.status) == ("issued", until, "issued")
    assert (the_code().used_at, the_code().used_for) == (None, "")
    assert Event.objects.filter(kind="entitlement.released").count() == 1
    assert redeem(code, key="key-2", number="1002").takes_off_minor == 499


def test_the_key_of_what_was_given_back_redeems_nothing(code):
    redeem(code)
    release(code)

    with pytest.raises(checkout.RedemptionReleased):
        redeem(code)

    assert the_code().status == "issued"


def test_a_code_given_back_too_late_has_expired(code):
    redeem(code)

    release(code, at=NOON + timedelta(days=100))

    with pytest.raises(checkout.CodeExpired):
        redeem(code, key="key-2", at=NOON + timedelta(days=100))


def test_only_the_order_that_used_a_code_gives_it_back(code):
    with pytest.raises(checkout.CodeNotUsed):
        release(code)
    redeem(code)
    with pytest.raises(checkout.CodeNotUsed):
        release(code, "1002")

    assert the_code().used_for == "1001"


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_orders_at_once_one_uses_the_code(code):
    def attempt(nth: int) -> Any:
        return lambda: checkout.redeem(
            code=code, order=order(number=f"order-{nth}"), key=f"key-{nth}", actor=SHOP, at=NOON
        )

    results = race(*[attempt(nth) for nth in range(16)])

    won = [each for each in results if isinstance(each, checkout.Worth)]
    assert len(won) == 1
    assert sum(isinstance(each, checkout.CodeUsed) for each in results) == 15
    assert the_code().used_for == won[0].entitlement.used_for
    assert Event.objects.filter(kind="entitlement.used").count() == 1

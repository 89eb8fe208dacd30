from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import money

amounts = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(("currency", "digits"), [("USD", 2), ("RUB", 2), ("CNY", 2), ("JPY", 0), ("KWD", 3)])
def test_a_currency_has_its_own_number_of_digits(currency, digits):
    assert money.digits_of(currency) == digits


@pytest.mark.parametrize("currency", ["", "usd", "XYZ", "US", "DOLLAR"])
def test_there_are_no_other_currencies(currency):
    assert not money.is_currency(currency)
    with pytest.raises(money.UnknownCurrency):
        money.digits_of(currency)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "language", "written"),
    [
        (199_950, "USD", "en", "$1,999.50"),
        (199_950, "RUB", "ru", "1\xa0999,50\xa0₽"),
        (199_950, "CNY", "zh-hans", "¥1,999.50"),
        (-500, "JPY", "en", "-¥500"),
    ],
)
def test_money_is_written_as_people_write_it(amount_minor, currency, language, written):
    assert money.format_money(amount_minor, currency, language) == written


@given(amounts, st.sampled_from(["USD", "JPY", "KWD"]))
def test_minor_and_major_units_say_the_same(amount_minor, currency):
    assert money.to_minor(money.to_major(amount_minor, currency), currency) == amount_minor


def test_an_amount_is_never_rounded_on_the_way_to_minor_units():
    with pytest.raises(money.TooFine):
        money.to_minor(Decimal("19.999"), "USD")


@pytest.mark.parametrize(
    ("amount", "down", "half_up", "up"),
    [(9, 4, 5, 5), (8, 4, 4, 4), (-9, -5, -5, -4), (0, 0, 0, 0), (1, 0, 1, 1), (-1, -1, -1, 0)],
)
def test_each_division_rounds_as_its_name_says(amount, down, half_up, up):
    assert money.divide_down(amount, 2) == down
    assert money.divide_half_up(amount, 2) == half_up
    assert money.divide_up(amount, 2) == up


@given(amounts, st.integers(1, 10**6))
def test_the_nearest_lies_between_down_and_up(amount, by):
    assert money.divide_down(amount, by) <= money.divide_half_up(amount, by) <= money.divide_up(amount, by)


def test_a_share_is_counted_in_basis_points():
    assert money.share_down(1_999, rate_bps=250) == 49
    assert money.share_half_up(1_999, rate_bps=250) == 50

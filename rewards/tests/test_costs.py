"""What a reward costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards import assets, costs
from rewards.costs import Price
from rewards.tests.units import make_asset

POINT = Price(150)
THIRD = Price(100, 3)


@pytest.mark.parametrize(("price", "units", "cost_minor"), [(POINT, 10, 1_500), (THIRD, 1, 34), (THIRD, 3, 100)])
def test_a_cost_is_rounded_up(price, units, cost_minor):
    assert price.cost_of(units) == cost_minor


@pytest.mark.parametrize(("cost_minor", "units"), [(0, 0), (33, 0), (34, 1), (99, 2), (100, 3), (10_000, 5)])
def test_what_a_cost_is_enough_for_is_rounded_down(cost_minor, units):
    assert THIRD.units_for(cost_minor, units=5) == units


def test_what_is_free_is_given_whole():
    assert costs.FREE.units_for(0, units=5) == 5


@given(minor=st.integers(1, 10**6), per=st.integers(1, 10**6), budget=st.integers(0, 10**9))
def test_what_a_cost_is_enough_for_costs_no_more_and_one_more_would(minor, per, budget):
    price = Price(minor, per)
    units = price.units_for(budget, units=10**18)

    assert price.cost_of(units) <= budget < price.cost_of(units + 1)


@pytest.mark.parametrize(("reversed_", "left"), [(0, 100), (1, 86), (2, 72), (7, 0)])
def test_what_is_taken_back_frees_its_share_of_the_cost_rounded_down(reversed_, left):
    assert costs.left(cost_minor=100, given=7, reversed=reversed_) == left


@pytest.mark.parametrize(
    ("kind", "cost_minor", "given_", "cost"),
    [
        ("certificate", 1, 50_000, 50_000),
        ("pool", None, 50_000, 50_000),
        ("product", 30_000, 1, 30_000),
        ("content", None, 1, 0),
    ],
)
def test_a_certificate_costs_its_value_and_other_gifts_what_one_costs(kind, cost_minor, given_, cost):
    assert costs.of_gift(kind=kind, cost_minor=cost_minor).cost_of(given_) == cost


@pytest.mark.django_db
@pytest.mark.parametrize(("currency", "cost"), [("RUB", 1_250), ("USD", 1_000)])
def test_money_of_the_tenants_own_currency_is_worth_itself(acme, currency, cost):
    cash = make_asset("cash", kind="money", currency="RUB", scale=2, minor_per_unit=80)

    assert assets.price_of(cash, currency=currency).cost_of(1_250) == cost

"""How much a rule gives."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.amounts import Worth, multiplied, percent_of, step_of, units_due
from campaigns.definitions import Tier
from campaigns.tests.offers import rule

LADDER = (
    Tier(from_count=1, amount_points=100),
    Tier(from_count=5, amount_points=150),
    Tier(from_count=10, amount_points=200),
)


def due(*, tiers=(), order_minor=None, minor_per_point=100, nth=1, **told):
    return units_due(rule(**told), tiers, order_minor=order_minor, worth=Worth(minor_per_point), nth=nth)


@pytest.mark.parametrize(
    ("order_minor", "worth", "units"),
    [
        (100_00, Worth(100, scale=2), 500),
        (99_99, Worth(100, scale=2), 499),
        (99_99, Worth(100, scale=2, rounding="half_up"), 500),
        (99_90, Worth(100, scale=2, rounding="half_up"), 500),  # 499.5
        (99_89, Worth(100, scale=2, rounding="half_up"), 499),
        (9_99, Worth(100, rounding="half_up"), 0),
        (10_00, Worth(100, rounding="half_up"), 1),  # half a point
        (100_00, Worth(250, scale=1), 20),
    ],
)
def test_a_percentage_in_units_of_any_asset(order_minor, worth, units):
    assert percent_of(order_minor, rate_bps=500, worth=worth) == units


@given(
    order_minor=st.integers(0, 10**12),
    rate_bps=st.integers(1, 10_000),
    minor_per_unit=st.integers(1, 10_000),
    scale=st.integers(0, 4),
)
def test_half_up_is_the_nearest(order_minor, rate_bps, minor_per_unit, scale):
    exact = Fraction(order_minor * rate_bps * 10**scale, 10_000 * minor_per_unit)

    rounded = percent_of(order_minor, rate_bps=rate_bps, worth=Worth(minor_per_unit, scale, "half_up"))

    assert rounded == int(exact + Fraction(1, 2))


@pytest.mark.parametrize(("units", "bps", "expected"), [(100, 12_500, 125), (3, 12_500, 3), (7, 10_000, 7)])
def test_a_level_multiplies_rounded_down(units, bps, expected):
    assert multiplied(units, multiplier_bps=bps) == expected


def test_a_fixed_amount_is_what_it_says():
    assert due(amount_points=250, order_minor=1, nth=9) == 250


@pytest.mark.parametrize(
    ("order_minor", "rate_bps", "minor_per_point", "points"),
    [
        (100_00, 500, 100, 5),
        (119_99, 500, 100, 5),
        (120_00, 500, 100, 6),
        (19_99, 500, 100, 0),
        (100_00, 250, 1, 250),
        (1_000, 10_000, 1, 1_000),
        (1, 1, 1, 0),
        (0, 500, 100, 0),
        (-100_00, 500, 100, 0),
        (None, 500, 100, 0),
    ],
)
def test_a_percentage_is_rounded_down_to_whole_points(order_minor, rate_bps, minor_per_point, points):
    given_ = due(
        amount_kind="percent",
        amount_points=None,
        rate_bps=rate_bps,
        order_minor=order_minor,
        minor_per_point=minor_per_point,
    )

    assert given_ == points


@given(order_minor=st.integers(0, 10**12), rate_bps=st.integers(1, 10_000), minor_per_point=st.integers(1, 10_000))
def test_a_percentage_is_less_than_a_point_below_what_is_due_and_never_above(order_minor, rate_bps, minor_per_point):
    exact = Fraction(order_minor * rate_bps, 10_000 * minor_per_point)

    assert 0 <= exact - percent_of(order_minor, rate_bps=rate_bps, worth=Worth(minor_per_point)) < 1


@given(one=st.integers(0, 10**9), other=st.integers(0, 10**9), rate_bps=st.integers(1, 10_000))
def test_an_order_in_two_parts_never_earns_more_than_whole(one, other, rate_bps):
    parts = sum(percent_of(each, rate_bps=rate_bps, worth=Worth(100)) for each in (one, other))

    assert parts <= percent_of(one + other, rate_bps=rate_bps, worth=Worth(100))


@pytest.mark.parametrize(("nth", "points"), [(0, 0), (1, 100), (4, 100), (5, 150), (9, 150), (10, 200), (1_000, 200)])
def test_a_ladder_pays_what_its_last_reached_step_says(nth, points):
    assert due(amount_kind="tiers", amount_points=None, tiers=LADDER, nth=nth) == points
    assert step_of(LADDER[::-1], nth=nth) == points


def test_a_ladder_without_steps_pays_nothing():
    assert due(amount_kind="tiers", amount_points=None) == 0


def test_an_amount_nobody_knows_is_nothing():
    assert due(amount_kind="moon") == 0

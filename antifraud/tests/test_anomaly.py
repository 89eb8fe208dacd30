"""What is far more than usual: robust for many, the Poisson distribution's own tail for few."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antifraud.stops import anomaly
from antifraud.stops.anomaly import usual_of
from antifraud.stops.minutes import Figure


def counts(*numbers: int) -> list[Figure]:
    return [Figure(number, number) for number in numbers]


def amounts(*pairs: tuple[int, int]) -> list[Figure]:
    return [Figure(*pair) for pair in pairs]


weeks = st.lists(st.integers(0, 100_000), min_size=2, max_size=8).map(lambda numbers: counts(*numbers))


@pytest.mark.parametrize(
    ("usual", "most"),
    [
        # median 100, distances 60 60 0 70 50 → MAD 60: 100 + 3.5 × 60 / 0.6745 = 411.3
        (counts(40, 160, 100, 30, 150), 411),
        # All alike: 40 are taken for the MAD, and no less.
        (counts(100, 100, 100, 100), 307),
        (counts(10, 10, 10, 10), 30),
        # An attack among the weeks moves neither the median nor the MAD by much.
        (counts(90, 110, 100, 5_000, 80), 307),
    ],
)
def test_many_are_compared_by_the_modified_z_score(usual, most):
    found = usual_of(usual)

    assert (found.method, found.most) == ("mad", most)
    assert not found.is_passed_by(Figure(most, most))
    assert found.is_passed_by(Figure(most + 1, most + 1))


@pytest.mark.parametrize(
    ("mean", "fewest"),
    # The first x at which fewer than one window in ten thousand has so many.
    [(0.5, 6), (1, 7), (2, 10), (5, 16), (9, 23)],
)
def test_few_are_compared_by_the_upper_tail_of_poisson(mean, fewest):
    tail = 1 - sum(math.exp(-mean) * mean**x / math.factorial(x) for x in range(fewest))
    wider = 1 - sum(math.exp(-mean) * mean**x / math.factorial(x) for x in range(fewest - 1))

    assert anomaly.poisson_from(mean) == fewest
    assert tail < 1e-4 <= wider


def test_what_never_happened_may_happen_a_few_times():
    found = usual_of(counts(0, 0, 0, 0))

    assert (found.method, found.most, found.things_from) == ("poisson", 5, 6)
    assert not found.is_passed_by(Figure(5, 5))
    assert found.is_passed_by(Figure(6, 6))


def test_few_large_rewards_are_judged_by_their_number():
    # Three rewards of 500 points an hour are usual: four of 10,000 are no crowd, twelve are.
    found = usual_of(amounts((1_500, 3), (1_500, 3), (1_500, 3), (1_500, 3)))

    assert not found.is_passed_by(Figure(40_000, 4))
    assert found.is_passed_by(Figure(120_000, 12))


def test_many_rewards_are_judged_by_their_amount():
    found = usual_of(amounts(*[(5_000, 100)] * 4))

    assert (found.method, found.spread, found.most, found.things_from) == ("mad", 2_000, 15_378, 0)


@pytest.mark.parametrize("things", [10, 50, 1_000, 10**6])
def test_the_floor_is_above_what_chance_alone_does(things):
    assert usual_of(counts(*[things] * 4)).spread > math.sqrt(things)


@given(weeks)
def test_what_was_usual_is_no_anomaly(usual):
    middle = sorted(usual)[(len(usual) - 1) // 2]

    assert not usual_of(usual).is_passed_by(middle)


@given(weeks, st.integers(0, 200_000), st.integers(1, 1_000))
def test_more_than_an_anomaly_is_one(usual, number, more):
    found = usual_of(usual)

    if found.is_passed_by(Figure(number, number)):
        assert found.is_passed_by(Figure(number + more, number + more))


@given(weeks, st.randoms(use_true_random=False))
def test_the_order_of_the_weeks_does_not_matter(usual, random):
    shuffled = random.sample(usual, len(usual))

    found, other = usual_of(usual), usual_of(shuffled)
    assert (found.most, found.things_from, found.spread) == (other.most, other.things_from, other.spread)


@given(st.lists(st.integers(50, 150), min_size=5, max_size=8), st.integers(0, 10**9))
def test_one_wild_week_hides_no_attack(numbers, wild):
    found = usual_of(counts(*numbers[:-1], wild))

    assert found.is_passed_by(Figure(50 * 150, 50 * 150))

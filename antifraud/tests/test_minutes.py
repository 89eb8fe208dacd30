"""What stop rules measure in what happened."""

import pytest

from antifraud.models import StopRule
from antifraud.models import Tally as Row
from antifraud.stops.minutes import COLUMNS, Figure, Tally, figure_of

BUSY = Tally(
    signups=40,
    orders=30,
    order_minor=3_000_000,
    refunds=6,
    rewards=50,
    points=5_000,
    cost_minor=60_100,
    flagged=9,
    refused=10,
    device_signups=30,
    devices=8,
    ip_signups=40,
    ips=25,
)


@pytest.mark.parametrize(
    ("metric", "number", "things"),
    [
        ("rewards", 50, 50),
        ("points", 5_000, 50),
        ("cost", 60_100, 50),
        ("signups", 40, 40),
        ("orders", 30, 30),
        ("flagged_share", 3_166, 19),  # 19 of 60: 31.66 %
        ("refund_share", 2_000, 6),  # 20 %
        ("conversion", 7_500, 30),  # 75 %
        ("order_cost", 2_003, 30),  # 60,100 / 30, rounded down
        ("device_members", 375, 30),  # 3.75 on each
        ("ip_members", 160, 40),
    ],
)
def test_each_metric_has_its_figure(metric, number, things):
    assert figure_of(metric=metric, tally=BUSY, data_min=20) == Figure(number, things)


def test_every_metric_is_measured():
    assert all(figure_of(metric=metric, tally=BUSY, data_min=1) is not None for metric in StopRule.Metric.values)


@pytest.mark.parametrize(
    ("metric", "enough"),
    [
        ("flagged_share", {"rewards": 15, "refused": 5}),
        ("refund_share", {"orders": 20}),
        ("conversion", {"signups": 20}),
        ("order_cost", {"orders": 20}),
        ("device_members", {"device_signups": 20}),
        ("ip_members", {"ip_signups": 20}),
    ],
)
def test_a_share_of_too_little_says_nothing(metric, enough):
    column, number = next(iter(enough.items()))

    assert figure_of(metric=metric, tally=Tally(**enough), data_min=20) is not None
    assert figure_of(metric=metric, tally=Tally(**{**enough, column: number - 1}), data_min=20) is None


def test_of_nothing_there_is_no_share_whatever_is_asked_for():
    assert figure_of(metric="conversion", tally=Tally(), data_min=0) is None
    assert figure_of(metric="rewards", tally=Tally(), data_min=20) == Figure(0, 0)


def test_where_no_device_is_new_all_came_from_one_at_least():
    assert figure_of(metric="device_members", tally=Tally(device_signups=25), data_min=20) == Figure(2_500, 25)


def test_the_columns_are_those_of_the_table():
    assert set(COLUMNS) == {field.name for field in Row._meta.fields} - {"id", "scope", "subject", "minute"}


def test_sums_and_differences_are_by_column():
    few = Tally(orders=1, points=7)

    assert few.plus(Tally(points=3)) == Tally(orders=1, points=10)
    assert few.plus(BUSY).minus(BUSY) == few
    assert few.as_json() == {"orders": 1, "points": 7}

"""Where a stop rule would have tripped, and how that is drawn. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from antifraud.stops import charts
from antifraud.stops.hindsight import Step, replay
from antifraud.stops.minutes import Tally
from antifraud.stops.windows import StopLine

BEGIN = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


def tried(buckets: dict[datetime, int], *, since: datetime = BEGIN, days: int = 10, **told: Any):
    rule = StopLine(**{"id": 1, "metric": "rewards", "threshold": 9, "window_minutes": 60, **told})
    sums = {at: Tally(rewards=count) for at, count in buckets.items()}
    return replay(
        rule=rule, subject="7", buckets=sums, zone=ZoneInfo("Europe/Berlin"), since=since, until=since + days * DAY
    )


def trips(buckets: dict[datetime, int], **told: Any) -> list[tuple[datetime, int | None]]:
    return [(step.at, step.figure) for step in tried(buckets, **told).trips]


def test_it_trips_at_the_end_of_the_hour_that_is_too_much():
    assert trips({BEGIN: 9, BEGIN + 5 * HOUR: 10}) == [(BEGIN + 6 * HOUR, 10)]


def test_a_longer_window_adds_up_its_hours():
    busy = {BEGIN + nth * HOUR: 4 for nth in range(3)}

    assert trips(busy, window_minutes=120) == []
    assert trips(busy, window_minutes=180) == [(BEGIN + 3 * HOUR, 12)]


def test_a_shorter_window_is_looked_at_where_something_happened():
    quarters = {BEGIN: 6, BEGIN + timedelta(minutes=15): 6, BEGIN + timedelta(minutes=45): 10}

    assert trips(quarters, window_minutes=15) == [(BEGIN + HOUR, 10)]
    assert trips(quarters, window_minutes=30) == [(BEGIN + timedelta(minutes=30), 12)]


@pytest.mark.parametrize(
    ("told", "hours"),
    # An hour's rest comes after a day, in which somebody has looked at it, or after it has gone on by itself.
    [
        ({}, [1, 26, 51]),
        ({"resume_minutes": 60}, [1, 3, 5]),
        ({"resume_minutes": 60, "cooldown_minutes": 0}, [1, 2, 3]),
    ],
)
def test_after_a_trip_it_rests(told, hours):
    always = {BEGIN + nth * HOUR: 10 for nth in range(60)}

    assert [at for at, _figure in trips(always, **told)][:3] == [BEGIN + nth * HOUR for nth in hours]


def test_too_little_is_looked_at_once_there_was_anything_and_a_whole_window():
    quiet = {BEGIN + 3 * HOUR: 9, BEGIN + 9 * HOUR: 1}

    found = trips(quiet, comparison="below", threshold=1, window_minutes=120)

    assert found[0] == (BEGIN + 6 * HOUR, 0)


def test_a_share_of_too_little_is_no_figure():
    steps = replay(
        rule=StopLine(id=1, metric="refund_share", threshold=5_000, window_minutes=60, data_min=4),
        subject="",
        buckets={BEGIN: Tally(orders=3, refunds=3), BEGIN + HOUR: Tally(orders=4, refunds=3)},
        zone=UTC,
        since=BEGIN,
        until=BEGIN + 2 * HOUR,
    ).steps

    assert steps == (Step(BEGIN + HOUR, None, 5_000, is_trip=False), Step(BEGIN + 2 * HOUR, 7_500, 5_000, is_trip=True))


def test_an_anomaly_has_its_bound_from_the_weeks_before():
    weeks = {BEGIN + nth * WEEK: 2 for nth in range(9)}
    attacked = {**weeks, BEGIN + 7 * WEEK: 30}

    found = tried(attacked, comparison="anomaly", threshold=3, since=BEGIN + 3 * WEEK, days=40)

    assert [(step.at, step.figure, step.bound) for step in found.trips] == [(BEGIN + 7 * WEEK + HOUR, 30, 9)]
    first = {step.at: step for step in found.steps}
    # In the fourth week there are three to compare with, and four are asked for.
    assert first[BEGIN + 3 * WEEK + HOUR].bound is None
    assert first[BEGIN + 4 * WEEK + HOUR].bound == 9


def test_where_nothing_happened_there_is_nothing_to_see():
    assert tried({}).steps == ()


# Drawn


def test_a_chart_has_lines_and_marks():
    steps = [
        Step(BEGIN + 1 * HOUR, 10, 100, is_trip=False),
        Step(BEGIN + 2 * HOUR, None, 100, is_trip=False),
        Step(BEGIN + 4 * HOUR, 110, 100, is_trip=True),
    ]

    chart = charts.of_steps(steps, since=BEGIN, until=BEGIN + 4 * HOUR)

    assert chart.top == 110
    assert chart.figures == "M180 146.8M720 14.5"
    assert chart.bounds == "M180 27.8L360 27.8L720 27.8"
    assert [(mark.x, mark.at, mark.figure) for mark in chart.marks] == [(720, BEGIN + 4 * HOUR, 110)]


def test_of_more_steps_than_points_the_highest_is_drawn():
    steps = [Step(BEGIN + nth * timedelta(minutes=1), nth % 7, 5, is_trip=False) for nth in range(1, 3_601)]

    chart = charts.of_steps(steps, since=BEGIN, until=BEGIN + 60 * HOUR)

    assert chart.figures.count("L") == charts.POINTS_MAX - 1
    assert chart.top == 6


@pytest.mark.parametrize(
    ("chart", "path"),
    [
        ([], ""),
        ([["x", 5]], ""),
        ([["x", 0], ["x", 5], ["x", 10]], "M0 24L48 12L96 0"),
        ([["x", 0]] * 2, "M0 24L96 24"),
    ],
)
def test_a_spark_is_as_wide_as_its_windows(chart, path):
    assert charts.spark(chart) == path

"""
Real orders, week after week: an honest shop does not trip, and whoever attacks it does.

The orders are those of the CDNOW sample (demo/data/README.md), which knows their days. Their hours are drawn: a shop's
ordinary day, and on Mondays a rush between eight and eleven.
"""

import csv
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from antifraud.stops import hindsight
from antifraud.stops.minutes import Tally
from antifraud.stops.windows import StopLine

ORDERS = Path("demo/data/cdnow_sample.csv")
ZONE = ZoneInfo("America/New_York")
DAY = (1, 1, 1, 1, 1, 2, 3, 5, 7, 9, 10, 10, 10, 9, 9, 9, 9, 9, 10, 11, 11, 9, 6, 3)
MONDAY = (1, 1, 1, 1, 1, 2, 3, 8, 30, 45, 30, 15, 10, 9, 9, 9, 9, 9, 10, 11, 11, 9, 6, 3)
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)


def shop(*, times: int, seed: int) -> dict[datetime, int]:
    """Return the rewards of each hour, one an order, of a shop so many times as large."""
    rng = Random(seed)  # noqa: S311 (orders, not secrets)
    with ORDERS.open(encoding="utf-8") as file:
        days = Counter(row["date"] for row in csv.DictReader(file))
    found: Counter[datetime] = Counter()
    for day, count in sorted(days.items()):
        date = datetime.fromisoformat(day).date()
        hours = rng.choices(range(24), weights=MONDAY if date.weekday() == 0 else DAY, k=count * times)
        found.update(datetime.combine(date, time(hour), tzinfo=ZONE).astimezone(UTC) for hour in hours)
    return dict(found)


def tried(rewards: dict[datetime, int], *, threshold: int, since: datetime) -> hindsight.Replay:
    """Return how the default rule would have fared."""
    rule = StopLine(id=1, metric="rewards", comparison="anomaly", threshold=threshold, window_minutes=60)
    buckets = {hour: Tally(rewards=count) for hour, count in rewards.items()}
    return hindsight.replay(rule=rule, subject="1", buckets=buckets, zone=ZONE, since=since, until=max(rewards) + HOUR)


# On Monday mornings the sample stands above ten an hour, and five times the sample above thirty.
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("times", "threshold"), [(1, 10), (5, 30)])
def test_seventeen_months_of_an_honest_shop_trip_nothing(times, threshold, seed):
    rewards = shop(times=times, seed=seed)

    found = tried(rewards, threshold=threshold, since=min(rewards) + 8 * WEEK)

    mornings = [
        count for hour, count in rewards.items() if (at := hour.astimezone(ZONE)).weekday() == 0 and at.hour == 9
    ]
    assert max(mornings) > threshold
    assert len(found.steps) > 11_000
    assert found.trips == ()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fifty_times_as_many_as_usual_trip_at_any_hour_at_which_there_usually_are_some(seed):
    rewards = shop(times=5, seed=seed)
    rng = Random(seed)  # noqa: S311 (hours, not secrets)
    hours = [hour for hour in sorted(rewards) if hour > min(rewards) + 12 * WEEK]
    for attacked in rng.sample(hours, 25):
        before = [rewards.get(weeks_before(attacked, weeks), 0) for weeks in range(1, 9)]
        usual = max(1, sorted(before)[4])

        found = tried(
            {hour: count for hour, count in rewards.items() if hour < attacked} | {attacked: 50 * usual},
            threshold=30,
            since=attacked - HOUR,
        )

        assert [step.at for step in found.trips] == [attacked + HOUR]


def weeks_before(hour: datetime, weeks: int) -> datetime:
    return (hour.astimezone(ZONE).replace(tzinfo=None) - weeks * WEEK).replace(tzinfo=ZONE).astimezone(UTC)

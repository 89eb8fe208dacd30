"""Where a limit's period begins, by the tenant's clock. Pure."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def start_of(period: str, *, zone: tzinfo, at: datetime) -> datetime:
    """
    Return the first instant of the calendar `period` that `at` lies in.

    `day`, `week` (from Monday) and `month` begin at the zone's midnight, which daylight saving moves; `ever` began in
    1970.
    """
    return EPOCH if period == "ever" else _start_of(period, zone, at)


# Asked several times for each reward.
@lru_cache(maxsize=5000)
def _start_of(period: str, zone: tzinfo, at: datetime) -> datetime:
    day = at.astimezone(zone).date()
    if period == "week":
        day -= timedelta(days=day.weekday())
    elif period == "month":
        day = day.replace(day=1)
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=1000)
def end_of(period: str, *, zone: tzinfo, start: datetime) -> datetime | None:
    """Return the first instant after the `period` that begins at `start`, or None for one whose end does not matter."""
    if period in {"ever", "minute"}:
        return None
    # Counted on the calendar and only then placed in the zone: a day may have 23 or 25 hours, or begin at one o'clock.
    days = {"day": 1, "week": 7, "month": 32}[period]
    following = start.astimezone(zone).date() + timedelta(days=days)
    if period == "month":
        following = following.replace(day=1)
    return datetime.combine(following, time(), tzinfo=zone).astimezone(UTC)

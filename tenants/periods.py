"""Days, weeks, months, quarters and years by the tenant's clock. Pure."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "quarter": 3, "year": 12}


def start_of(period: str, *, zone: tzinfo, at: datetime) -> datetime:
    """
    Return the first instant of the calendar `period` that `at` lies in.

    `day`, `week` (from Monday), `month`, `quarter` and `year` begin at the zone's midnight, which daylight saving
    moves; `ever` began in 1970.
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
    elif period == "quarter":
        day = day.replace(month=day.month - (day.month - 1) % 3, day=1)
    elif period == "year":
        day = day.replace(month=1, day=1)
    return midnight(day, zone=zone)


@lru_cache(maxsize=1000)
def end_of(period: str, *, zone: tzinfo, start: datetime) -> datetime | None:
    """Return the first instant after the `period` that begins at `start`, or None for one whose end does not matter."""
    if period in {"ever", "minute"}:
        return None
    # Counted on the calendar and only then placed in the zone: a day may have 23 or 25 hours, or begin at one o'clock.
    day = start.astimezone(zone).date()
    if period in DAYS:
        return midnight(day + timedelta(days=DAYS[period]), zone=zone)
    return midnight(add_months(day.replace(day=1), months=MONTHS[period]), zone=zone)


def midnight(day: date, *, zone: tzinfo) -> datetime:
    """Return the first instant of a local day, in UTC. Where midnight is skipped it is the first instant after it."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def add_months(day: date, *, months: int) -> date:
    """Return the same day so many months later, or the last of a shorter month: 31 January + 1 is 28 or 29 February."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))

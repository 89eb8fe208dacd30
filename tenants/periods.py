"""Hours, days, weeks, months, quarters and years by the tenant's clock. Pure."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
_SO_MANY_DAYS = " days"
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "quarter": 3, "year": 12}


def start_of(period: str, *, zone: tzinfo, at: datetime) -> datetime:
    """
    Return the first instant of the calendar `period` that `at` lies in.

    `day`, `week` (from Monday), `month`, `quarter` and `year` begin at the zone's midnight, which daylight saving
    moves; so do blocks of days (`block_of`), laid end to end since the year 1. `ever` began in 1970.
    """
    if period == "ever":
        return EPOCH
    if period == "hour":
        return at.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    return _start_of(period, zone, day_of(at, zone=zone))


# Asked several times for each reward, of its instant; an instant is looked up faster than it is moved to a zone.
@lru_cache(maxsize=5000)
def day_of(at: datetime, *, zone: tzinfo) -> date:
    """Return the day that it is by the zone's clock at an instant in UTC."""
    return at.astimezone(zone).date()


# Asked several times for each reward, of few days.
@lru_cache(maxsize=5000)
def _start_of(period: str, zone: tzinfo, day: date) -> datetime:
    length = days_of(period)
    if length:
        day -= timedelta(days=day.toordinal() % length)
    elif period == "week":
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
    if period == "hour":
        end = start + HALF_HOUR
        # Where the clock goes back by half an hour, an hour is one and a half.
        while start_of("hour", zone=zone, at=end) == start:
            end += HALF_HOUR
        return end
    # Counted on the calendar and only then placed in the zone: a day may have 23 or 25 hours, or begin at one o'clock.
    day = start.astimezone(zone).date()
    length = DAYS.get(period) or days_of(period)
    if length:
        return midnight(day + timedelta(days=length), zone=zone)
    return midnight(add_months(day.replace(day=1), months=MONTHS[period]), zone=zone)


def block_of(days: int) -> str:
    """Return the name of the period that is so many days: each window of so many lies in two of them at most."""
    return f"{days}{_SO_MANY_DAYS}"


@lru_cache(maxsize=1000)
def days_of(period: str) -> int | None:
    """Return how many days a block has, or None for what is none."""
    return int(period.removesuffix(_SO_MANY_DAYS)) if period.endswith(_SO_MANY_DAYS) else None


def midnights(blocks: Iterable[tuple[datetime, int]], *, zone: tzinfo) -> dict[datetime, date]:
    """Return the local midnights of all days of the blocks, each told by start and length: ascending, with its day."""
    starts = {(start.astimezone(zone).date(), length) for start, length in blocks}
    days = {first + timedelta(days=nth) for first, length in starts for nth in range(length)}
    return {midnight(day, zone=zone): day for day in sorted(days)}


def midnight(day: date, *, zone: tzinfo) -> datetime:
    """Return the first instant of a local day, in UTC. Where midnight is skipped it is the first instant after it."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def add_months(day: date, *, months: int) -> date:
    """Return the same day so many months later, or the last of a shorter month: 31 January + 1 is 28 or 29 February."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))

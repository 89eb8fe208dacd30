"""Where a limit's period begins, by the tenant's clock. Pure."""

from datetime import UTC, datetime, timedelta, tzinfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def start_of(period: str, *, zone: tzinfo, at: datetime) -> datetime:
    """
    Return the first instant of the calendar `period` that `at` lies in.

    `day`, `week` (from Monday) and `month` begin at the zone's midnight, which daylight saving moves; `ever` began in
    1970.
    """
    if period == "ever":
        return EPOCH
    midnight = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if period == "week":
        midnight -= timedelta(days=midnight.weekday())
    elif period == "month":
        midnight = midnight.replace(day=1)
    return midnight.astimezone(UTC)


def end_of(period: str, *, zone: tzinfo, start: datetime) -> datetime | None:
    """Return the first instant after the `period` that begins at `start`, or None for one whose end does not matter."""
    if period in {"ever", "minute"}:
        return None
    local = start.astimezone(zone).replace(tzinfo=None)
    # Counted on the calendar and only then placed in the zone: a day may have 23 or 25 hours.
    days = {"day": 1, "week": 7, "month": 32}[period]
    following = local + timedelta(days=days)
    if period == "month":
        following = following.replace(day=1)
    return following.replace(tzinfo=zone).astimezone(UTC)

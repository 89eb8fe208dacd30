"""When what has failed is tried again: Svix's schedule, drawn out to three days. Pure."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random
from typing import Final

# After each failure, the first at once after the first.
PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
ATTEMPTS_MAX: Final = len(PAUSES) + 1
# So that what has failed together does not come back together.
JITTER_PERCENT: Final = 10
# A receiver that asks for more time than a pause has gets it, and no more than this.
WAIT_MAX: Final = timedelta(hours=24)
# A webhook that has done nothing but fail for so long is disabled.
PATIENCE: Final = timedelta(hours=24)


def next_at(*, attempts: int, rng: Random, at: datetime, wait: timedelta = timedelta()) -> datetime | None:
    """
    Return when to try again after so many attempts that failed, or None when it was enough.

    `wait` is what the receiver asked for: it makes a pause longer, up to WAIT_MAX, and never shorter.
    """
    if attempts >= ATTEMPTS_MAX:
        return None
    pause = PAUSES[attempts - 1]
    return at + max(pause * (1 + rng.uniform(-JITTER_PERCENT, JITTER_PERCENT) / 100), min(wait, WAIT_MAX))


def wait_of(retry_after: str, *, at: datetime) -> timedelta:
    """
    Return how long a header Retry-After asks to wait: seconds, or a date (RFC 9110, 10.2.3).

    What is neither asks for nothing. `at` is real time.
    """
    given = retry_after.strip()
    if given.isascii() and given.isdigit():
        return timedelta(seconds=min(int(given[:9]), int(WAIT_MAX.total_seconds())))
    try:
        until = parsedate_to_datetime(given).astimezone(at.tzinfo)
    except (ValueError, TypeError, OverflowError):
        # A year or a zone that no calendar has is an overflow.
        return timedelta()
    return max(until - at, timedelta())

"""When what has failed is tried again: Svix's schedule, drawn out to three days. Pure."""

from datetime import datetime, timedelta
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
# A webhook that has done nothing but fail for so long is disabled.
PATIENCE: Final = timedelta(hours=24)


def next_at(*, attempts: int, rng: Random, at: datetime) -> datetime | None:
    """Return when to try again after so many attempts that failed, or None when it was enough."""
    if attempts >= ATTEMPTS_MAX:
        return None
    pause = PAUSES[attempts - 1]
    return at + pause * (1 + rng.uniform(-JITTER_PERCENT, JITTER_PERCENT) / 100)

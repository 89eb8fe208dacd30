"""
Against trying codes until one is good: whoever has asked for too many that nobody has must wait.

It is counted in the cache, in minutes of the clock. Without the cache nobody waits: codes have too many combinations to
be found by chance, and a shop must be able to sell.
"""

import logging
from datetime import datetime
from typing import Final

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

MISSES_MAX: Final = 20
PERIOD_SECONDS: Final = 60


def wait_seconds(*, who: str, at: datetime) -> int:
    """Return for how long somebody must not ask, 0 for not at all."""
    try:
        misses = cache.get(_key(who, at), 0)
    except RedisError:
        logger.warning("Guesses of codes are not counted: the cache does not answer.")
        return 0
    return PERIOD_SECONDS - int(at.timestamp()) % PERIOD_SECONDS if misses >= MISSES_MAX else 0


def note_miss(*, who: str, at: datetime) -> None:
    """Count that somebody has asked for a code that nobody has."""
    key = _key(who, at)
    try:
        cache.add(key, 0, timeout=2 * PERIOD_SECONDS)
        cache.incr(key)
    except (RedisError, ValueError):
        # ValueError: it was forgotten between the two.
        logger.warning("A guess of a code was not counted.")


def _key(who: str, at: datetime) -> str:
    return f"guesses:{who}:{int(at.timestamp()) // PERIOD_SECONDS}"

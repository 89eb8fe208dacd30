"""
Against trying until something is found: whoever has asked for too much that nobody has must wait.

It is counted in the cache, in minutes of the clock. Without the cache nobody waits: what can be asked for has too many
combinations to be found by chance, and a shop must be able to sell.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError
from rest_framework.exceptions import Throttled

from core.errors import NotFound

logger = logging.getLogger(__name__)

T = TypeVar("T")

MISSES_MAX: Final = 20
PERIOD_SECONDS: Final = 60


class TooManyGuesses(Throttled):
    """Somebody has asked for too much that nobody has."""

    default_code = "too_many_guesses"
    default_detail = _("Too many of those that were asked for do not exist. Try again in a minute.")
    extra_detail_singular = extra_detail_plural = ""


def unless_guessing(
    act: Callable[[], T], *, who: str, missing: type[NotFound], misses_max: int = MISSES_MAX, at: datetime
) -> T:
    """
    Look something up for `who`, and count it if it is `missing`. What is asked for by `who` is part of the name.

    :raises TooManyGuesses: instead, when there were `misses_max` of these in this minute.
    """
    if wait := wait_seconds(who=who, misses_max=misses_max, at=at):
        raise TooManyGuesses(wait=wait)
    try:
        return act()
    except missing:
        note_miss(who=who, at=at)
        raise


def wait_seconds(*, who: str, misses_max: int = MISSES_MAX, at: datetime) -> int:
    """Return for how long somebody must not ask, 0 for not at all."""
    try:
        misses = cache.get(_key(who, at), 0)
    except RedisError:
        logger.warning("Guesses are not counted: the cache does not answer.")
        return 0
    return PERIOD_SECONDS - int(at.timestamp()) % PERIOD_SECONDS if misses >= misses_max else 0


def note_miss(*, who: str, at: datetime) -> None:
    """Count that somebody has asked for what nobody has."""
    key = _key(who, at)
    try:
        cache.add(key, 0, timeout=2 * PERIOD_SECONDS)
        cache.incr(key)
    except (RedisError, ValueError):
        # ValueError: it was forgotten between the two.
        logger.warning("A guess was not counted.")


def _key(who: str, at: datetime) -> str:
    return f"guesses:{who}:{int(at.timestamp()) // PERIOD_SECONDS}"

"""
Valkey, for what may be forgotten. It may be away at any time, and whoever asks it goes on without it.

A process that found it away does not look again at once: to wait for it in every request would be worse than its lack.
"""

import time
from functools import lru_cache
from typing import Final

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_SECONDS: Final = 0.25


class Breaker:
    """Says until when this process does not try again what has just failed."""

    def __init__(self, *, rest_seconds: float) -> None:
        self.rest_seconds = rest_seconds
        # As time.monotonic has it.
        self.until = 0.0

    @property
    def is_open(self) -> bool:
        """Tell whether it is too early to try."""
        return time.monotonic() < self.until

    def trip(self) -> bool:
        """Rest from now on. Of those who fail at once the first is told True: it is theirs to say so."""
        is_first = not self.is_open
        self.until = time.monotonic() + self.rest_seconds
        return is_first

    def reset(self) -> None:
        """Try again at once."""
        self.until = 0.0


def client() -> Redis:
    """Return this process's client. What it asks is answered within TIMEOUT_SECONDS, or fails."""
    return _client_at(settings.CACHES["default"]["LOCATION"])


@lru_cache(maxsize=4)
def _client_at(location: str) -> Redis:
    return Redis.from_url(
        location,
        socket_connect_timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        # The library would try three more times, and longer each time.
        retry=Retry(NoBackoff(), 0),
    )

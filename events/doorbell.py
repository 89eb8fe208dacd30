"""
Tells a tenant's worker that something waits. The rows are the truth: a lost ring costs the time to the next sweep.

Many rings in a short time are one. A worker that `answer`s as it begins hears of all that came later; what came
before, it finds in the table.
"""

import logging
import time
from functools import lru_cache
from typing import Final

from celery import current_app
from django.conf import settings
from redis import Redis

logger = logging.getLogger(__name__)

TASK: Final = "events.handle_waiting"
QUIET_MS: Final = 200
TIMEOUT_SECONDS: Final = 0.25
# A broker that is away must not hold up every request: after one that failed, nobody rings for a while.
GIVE_UP_SECONDS: Final = 5.0


class _Broken:
    """Until when this process does not try (`time.monotonic`)."""

    until: float = 0.0


def ring(schema: str) -> None:
    """Wake the worker of a tenant, once what waits is committed. It never fails."""
    if time.monotonic() < _Broken.until:
        return
    try:
        if _valkey().set(_name(schema), 1, nx=True, px=QUIET_MS):
            current_app.send_task(TASK, kwargs={"schema_name": schema}, ignore_result=True, retry=False)
    except Exception:
        # Whatever is wrong with the broker, the event is recorded, and the sender must hear so.
        _Broken.until = time.monotonic() + GIVE_UP_SECONDS
        logger.exception("The worker could not be woken; the sweep will find what waits.")


def answer(schema: str) -> None:
    """Let the next event ring at once. A worker says this before it looks for what waits. It never fails."""
    try:
        _valkey().delete(_name(schema))
    except Exception:
        logger.exception("The doorbell could not be answered; it falls silent by itself.")


def _name(schema: str) -> str:
    return f"doorbell:{schema}"


@lru_cache(maxsize=1)
def _valkey() -> Redis:
    location = settings.CACHES["default"]["LOCATION"]
    return Redis.from_url(location, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS)

"""
Tells a tenant's worker that something waits. The rows are the truth: a lost ring costs the time to the next sweep.

Many rings in a short time are one. A worker that `answer`s as it begins hears of all that came later; what came
before, it finds in the table.
"""

import logging
from typing import Final

from celery import current_app

from core import valkey

logger = logging.getLogger(__name__)

TASK: Final = "events.handle_waiting"
QUIET_MS: Final = 200
# A ring that nobody has heard for so long is not kept for whoever comes: the sweep has rung since.
EXPIRES_SECONDS: Final = 60
# A broker that is away must not hold up every request: after one that failed, nobody rings for a while.
breaker: Final = valkey.Breaker(rest_seconds=5.0)


def ring(schema: str, *, task: str = TASK) -> None:
    """Wake the worker of a tenant, or whoever does another task, once what waits is committed. It never fails."""
    if breaker.is_open:
        return
    try:
        if valkey.client().set(_name(schema, task), 1, nx=True, px=QUIET_MS):
            current_app.send_task(
                task, kwargs={"schema_name": schema}, ignore_result=True, retry=False, expires=EXPIRES_SECONDS
            )
    except Exception:
        # Whatever is wrong with the broker, the event is recorded, and the sender must hear so.
        breaker.trip()
        logger.exception("The worker could not be woken; the sweep will find what waits.")


def answer(schema: str, *, task: str = TASK) -> None:
    """Let the next event ring at once. A worker says this before it looks for what waits. It never fails."""
    try:
        valkey.client().delete(_name(schema, task))
    except Exception:
        logger.exception("The doorbell could not be answered; it falls silent by itself.")


def _name(schema: str, task: str) -> str:
    return f"doorbell:{task}:{schema}"

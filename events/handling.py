"""
The way of waiting events: claimed in batches, given to the consumers in settings, finished in the same transaction.

Whatever crashes, the transaction is gone and the events are waiting as before: nothing is scored twice and nothing is
lost. A batch that fails is halved until the poisonous event stands alone, so that it holds up nobody.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import OperationalError
from django.utils.module_loading import import_string

from core import db
from events import claims
from events.claims import Claimed, Outcome, Parked
from members import people

# As many as the largest request brings. A batch is locked for about a tenth of a second; what it costs whatever its
# size, which is planning its statements, is shared by more events.
BATCH = 500
RETRY = timedelta(seconds=2)

logger = logging.getLogger(__name__)

# A consumer takes the claimed events, in the order in which they came, inside their transaction.
type_of_consumer = Callable[[Sequence[Claimed], datetime], Outcome]


def handle_batch(*, schema: str, at: datetime, limit: int = BATCH, only: Sequence[int] | None = None) -> int:
    """
    Handle up to `limit` waiting events of the current tenant, and return how many were taken.

    :raises events.claims.Busy: if another worker is at this tenant: it will find them.
    """
    taken: list[int] = []
    try:
        return _handle(schema=schema, at=at, limit=limit, only=only, taken=taken)
    except (claims.Busy, OperationalError):
        # Not the events' fault: a deadlock, a time-out, a server that went away. They wait for the next ring or sweep.
        raise
    except Exception as error:
        if not taken:
            raise
        if len(taken) == 1:
            logger.exception("An event could not be handled.", extra={"event_id": taken[0], "schema": schema})
            _park(schema=schema, event_id=taken[0], error=error, at=at)
            return 1
        logger.warning(
            "A batch could not be handled; it is tried again in halves.", exc_info=True, extra={"schema": schema}
        )
    middle = len(taken) // 2
    return sum(
        handle_batch(schema=schema, at=at, limit=len(part), only=part) for part in (taken[:middle], taken[middle:])
    )


@db.transaction
def _handle(*, schema: str, at: datetime, limit: int, only: Sequence[int] | None, taken: list[int]) -> int:
    claimed = _claim(schema=schema, limit=limit, only=only, at=at)
    taken.extend(each.id for each in claimed)
    if claimed:
        for outcome in [consume(claimed, at) for consume in _consumers()]:
            claims.finish(outcome=outcome, at=at)
    return len(claimed)


@db.transaction
def _park(*, schema: str, event_id: int, error: Exception, at: datetime) -> None:
    for each in _claim(schema=schema, limit=1, only=[event_id], at=at):
        next_at = claims.next_attempt(attempts=each.attempts, step=RETRY, at=at)
        why = f"{type(error).__name__}: {error}"
        claims.finish(outcome=Outcome(parked=[Parked(each.id, why, next_at)]), at=at)


def _claim(*, schema: str, limit: int, only: Sequence[int] | None, at: datetime) -> list[Claimed]:
    return claims.claim(lock_class=people.LOCK_CLASS, lock_key=people.lock_key(schema), limit=limit, only=only, at=at)


@cache
def _consumers() -> tuple[type_of_consumer, ...]:
    return tuple(import_string(path) for path in settings.EVENT_CONSUMERS)

"""
The ways on which deliveries go out: one after the other on each, and several to a webhook that is known to keep up.

Whoever delivers has so many threads and no more, and a receiver that falls silent is not known to be in trouble before
ten seconds are over. So they are shared among tenants (integrations.webhooks.shares), and however many receivers of one
are silent, or of several, the others' messages go out at once:

    all                      a tenant has no more than are free
    not known to be quick    three quarters; of these a tenant has a quarter of all at most
    failing or slow          half; of these a tenant has an eighth of all at most

Who is refused a lane has another turn at the next sweep, in another order. While more than half of the threads are busy
nobody has more than one.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from random import Random
from threading import BoundedSemaphore
from typing import Any, Final, NamedTuple

from django.conf import settings

from core import valkey
from core.db import current_schema, fetch
from integrations.webhooks import claims, outcomes
from integrations.webhooks.claims import AT_ONCE, LEASE
from integrations.webhooks.shares import Share
from tenants import clock

logger = logging.getLogger(__name__)

# A webhook that takes so long to answer is slow.
SLOW_MS: Final = 2_000
QUICK, SLOW = "quick", "slow"
# So long it is remembered which it was. A slow one is asked again soon; a quick one has lost little trust in an hour.
REMEMBERED: Final = {QUICK: timedelta(hours=1), SLOW: timedelta(seconds=60)}
THREADS: Final[int] = settings.WEBHOOK_THREADS
HALF: Final = THREADS // 2
QUARTER: Final = max(1, THREADS // 4)
EIGHTH: Final = max(1, THREADS // 8)
_all: Final = Share(size=THREADS)
_unproved: Final = Share(size=max(1, THREADS - QUARTER), most=QUARTER)
_troubled: Final = Share(size=HALF, most=EIGHTH)
# As long as one of these is to be had, fewer than half of the threads wait for receivers.
_easy: Final = BoundedSemaphore(HALF)
_breaker: Final = valkey.Breaker(rest_seconds=5.0)


class Due(NamedTuple):
    """A webhook for which something is due, and how many lanes may be opened to it."""

    endpoint_id: int
    lanes: int


def is_any_due(*, at: datetime) -> bool:
    """Tell whether the current tenant has anything to deliver. Costs one look at an index for each webhook."""
    return bool(fetch(ANY_DUE, {"at": at}))


def find_due(*, at: datetime) -> list[Due]:
    """Return the current tenant's webhooks for which something is due, and more may be on its way than is."""
    rows = fetch(DUE, {"at": at, "until": at + LEASE, "most": AT_ONCE})
    return [Due(row.id, lanes) for row in rows if (lanes := min(row.due, _at_once(row) - row.busy)) > 0]


@contextmanager
def opened(*, endpoint_id: int) -> Iterator[bool]:
    """Tell whether a lane to a webhook may be used in this process now, and keep it for as long as the block lasts."""
    schema = current_schema()
    with ExitStack() as held:
        is_free = all(held.enter_context(share.taken(schema)) for share in _shares_of(endpoint_id))
        if not is_free:
            held.close()
        yield is_free


def deliver_one(*, endpoint_id: int, rng: Random, at: datetime) -> outcomes.Outcome | None:
    """
    Send what has waited longest for a webhook, and return what came of it; None where there is nothing to be sent now.

    It has transactions of its own, before and after, and none while it sends.
    """
    with _counted() as is_easy:
        one_by_one = not is_easy or pace_of(endpoint_id) != QUICK
        claimed = claims.claim(endpoint_id=endpoint_id, one_by_one=one_by_one, at=at)
        if claimed is None:
            return None
        outcome = outcomes.of_attempt(
            url=claimed.url,
            message_id=claimed.message_id,
            body=claimed.body,
            secrets=claimed.secrets,
            attempt=claimed.attempts + 1,
            # A sandbox's clock may be ahead of everybody's, and receivers go by everybody's.
            at=clock.real(at),
        )
    _note_pace(endpoint_id, outcome)
    claims.settle(claimed=claimed, outcome=outcome, rng=rng, at=at)
    return outcome


def is_slow(outcome: outcomes.Outcome) -> bool:
    """Tell whether an attempt took a receiver so long that its webhook counts as slow."""
    return (outcome.latency_ms or 0) >= SLOW_MS


@contextmanager
def _counted() -> Iterator[bool]:
    """Count a thread as busy, and tell whether fewer than half of them are."""
    is_easy = _easy.acquire(blocking=False)
    try:
        yield is_easy
    finally:
        if is_easy:
            _easy.release()


def pace_of(endpoint_id: int) -> str:
    """Return whether a webhook was quick or slow lately, as far as anybody remembers: of a new one nothing is known."""
    if _breaker.is_open:
        return ""
    try:
        found: Any = valkey.client().get(_name(endpoint_id))
    except Exception:
        _lost()
        return ""
    return found.decode() if found else ""


def _shares_of(endpoint_id: int) -> tuple[Share, ...]:
    pace = pace_of(endpoint_id)
    if pace == SLOW or bool(fetch(FAILING, {"id": endpoint_id})):
        return _all, _unproved, _troubled
    return (_all,) if pace == QUICK else (_all, _unproved)


def _at_once(row: Any) -> int:
    if row.is_failing or pace_of(row.id) != QUICK:
        return 1
    with _counted() as is_easy:
        return AT_ONCE if is_easy else 1


def _note_pace(endpoint_id: int, outcome: outcomes.Outcome) -> None:
    if _breaker.is_open:
        return
    try:
        if is_slow(outcome) or outcome.is_delivered:
            pace = SLOW if is_slow(outcome) else QUICK
            valkey.client().set(_name(endpoint_id), pace, px=REMEMBERED[pace])
        else:
            valkey.client().delete(_name(endpoint_id))
    except Exception:
        _lost()


def _lost() -> None:
    if _breaker.trip():
        logger.exception("How quick webhooks are is not known; to each goes one message at a time.")


def _name(endpoint_id: int) -> str:
    return f"webhook-pace:{current_schema()}:{endpoint_id}"


ANY_DUE: Final = """
SELECT FROM integrations_endpoint e WHERE e.status = 'active' AND EXISTS (
    SELECT FROM integrations_delivery d WHERE d.endpoint_id = e.id AND d.status = 'waiting' AND d.next_at <= %(at)s
) LIMIT 1
"""

DUE: Final = """
SELECT e.id, e.failing_since IS NOT NULL AS is_failing, due.count::int AS due, busy.count::int AS busy
FROM integrations_endpoint e
CROSS JOIN LATERAL (
    SELECT count(*) FROM (
        SELECT FROM integrations_delivery d
        WHERE d.endpoint_id = e.id AND d.status = 'waiting' AND d.next_at <= %(at)s LIMIT %(most)s
    ) first
) due
CROSS JOIN LATERAL (
    SELECT count(*) FROM integrations_delivery d
    WHERE d.endpoint_id = e.id AND d.status = 'waiting' AND d.next_at > %(at)s AND d.next_at <= %(until)s
        AND d.claimed_until > %(at)s
) busy
WHERE e.status = 'active' AND due.count > 0 ORDER BY e.id
"""

FAILING: Final = "SELECT FROM integrations_endpoint WHERE id = %(id)s AND failing_since IS NOT NULL"

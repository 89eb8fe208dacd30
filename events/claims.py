"""Take waiting events to be handled, and say what became of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from core import db
from events import facts
from events.facts import Fact

ATTEMPTS_MAX = 8
ERROR_LENGTH_MAX = 500


class Claimed(NamedTuple):
    """
    An event that this transaction alone may handle. Instants are UTC.

    Of whom a fact of our own tells is known: `member_id`. Whoever reports tells their `identities` instead.
    """

    id: int
    key: str
    kind: str
    identities: Sequence[Mapping[str, str]]
    business_key: str | None
    occurred_at: datetime
    data: Mapping[str, Any]
    is_history: bool
    attempts: int
    depth: int
    member_id: int | None


class Handled(NamedTuple):
    """What became of one event: whom it turned out to be about, and why each rule did or did not reward it."""

    event_id: int
    member_id: int
    trace: Sequence[Any]


class Parked(NamedTuple):
    """An event that came too early: try again at `next_at`, or call it failed when there is none."""

    event_id: int
    error: str
    next_at: datetime | None


class Outcome(NamedTuple):
    """
    What a consumer made of a batch. An event that is neither handled nor parked is left for the next batch.

    Those that are `woken` were parked before, or have failed: what they lacked has come, and they begin anew.
    """

    handled: Sequence[Handled] = ()
    parked: Sequence[Parked] = ()
    woken: Sequence[int] = ()
    facts: Sequence[Fact] = ()


# The advisory lock and the claim are one statement. Its snapshot is older than the lock, which is harmless: FOR UPDATE
# reads the newest version of each row again, so an event that the previous holder has just finished is not returned.
CLAIM = """
WITH gate AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(%(lock_class)s, %(lock_key)s) AS is_ours)
SELECT gate.is_ours, waiting.* FROM gate LEFT JOIN LATERAL (
    SELECT e.id, e.key, e.kind, e.identities, e.business_key, e.occurred_at, e.data, e.is_history, e.attempts, e.depth,
        e.member_id
    FROM events_event e
    WHERE e.status = 'waiting' AND e.id IN (
        (SELECT id FROM events_event WHERE status = 'waiting' AND next_at IS NULL
         AND (%(only)s::bigint[] IS NULL OR id = ANY(%(only)s::bigint[])) ORDER BY id LIMIT %(limit)s)
        UNION ALL
        (SELECT id FROM events_event WHERE status = 'waiting' AND next_at <= %(at)s
         AND (%(only)s::bigint[] IS NULL OR id = ANY(%(only)s::bigint[])) ORDER BY next_at, id LIMIT %(limit)s / 4 + 1))
    ORDER BY e.id FOR UPDATE SKIP LOCKED
) waiting ON gate.is_ours
"""

# Updates and inserts in one statement: the events are marked and the facts that follow from them are recorded.
FINISH = """
WITH handled AS (
    UPDATE events_event e SET status = 'handled', member_id = h.member_id, trace = h.trace, handled_at = %(at)s,
        next_at = NULL, error = ''
    FROM ROWS FROM (unnest(%(ids)s::bigint[], %(member_ids)s::bigint[]), jsonb_array_elements(%(traces)s::jsonb))
        AS h (id, member_id, trace)
    WHERE e.id = h.id
),
"""
PARK = """
parked AS (
    UPDATE events_event e SET status = CASE WHEN p.next_at IS NULL THEN 'failed' ELSE 'waiting' END,
        attempts = e.attempts + 1, next_at = p.next_at, error = p.error
    FROM unnest(%(parked_ids)s::bigint[], %(errors)s::text[], %(next_ats)s::timestamptz[]) AS p (id, error, next_at)
    WHERE e.id = p.id
),
"""
REPORTED = "SELECT id, key, kind FROM events_event WHERE id = ANY(%(ids)s::bigint[]) AND source = 'api' ORDER BY id"
# As if they had just come: those go first that came first. Somebody may have given one another chance meanwhile.
WAKE = """
woken AS (
    UPDATE events_event e SET status = 'waiting', attempts = 0, next_at = NULL, error = ''
    WHERE e.id = ANY(%(woken_ids)s::bigint[]) AND e.status <> 'handled'
),
"""


class Busy(Exception):
    """Another worker holds the tenant: it will find what is waiting."""


@db.in_transaction
def claim(*, lock_class: int, lock_key: int, limit: int, only: Sequence[int] | None, at: datetime) -> list[Claimed]:
    """
    Lock the tenant and up to `limit` waiting events, oldest first, until the end of the transaction.

    With `only`, no others than these are taken: a batch that failed is tried again in parts.

    :raises Busy: if another transaction holds the tenant.
    """
    rows = db.fetch(
        CLAIM,
        {
            "lock_class": lock_class,
            "lock_key": lock_key,
            "limit": limit,
            "only": None if only is None else list(only),
            "at": at,
        },
    )
    if not rows[0].is_ours:
        raise Busy
    # The statement names the columns in the order of the fields.
    return [Claimed._make(row[1:]) for row in rows if row.id is not None]


@db.in_transaction
def finish(*, outcome: Outcome, at: datetime) -> None:
    """Say what became of the claimed events, and record the facts that follow from them, in one statement."""
    facts.record_with(
        clauses=FINISH + (PARK if outcome.parked else "") + (WAKE if outcome.woken else ""),
        params={
            "ids": [each.event_id for each in outcome.handled],
            "member_ids": [each.member_id for each in outcome.handled],
            "traces": db.json_text([each.trace for each in outcome.handled]),
            "parked_ids": [each.event_id for each in outcome.parked],
            "errors": [each.error[:ERROR_LENGTH_MAX] for each in outcome.parked],
            "next_ats": [each.next_at for each in outcome.parked],
            "woken_ids": list(outcome.woken),
        },
        facts=[*outcome.facts, *_given_up(outcome.parked, at=at)],
        at=at,
    )


def next_attempt(*, attempts: int, step: timedelta, attempts_max: int = ATTEMPTS_MAX, at: datetime) -> datetime | None:
    """Return when to try again after `attempts` failures, each wait twice the last, or None when it was enough."""
    return None if attempts + 1 >= attempts_max else at + step * 2**attempts


def _given_up(parked: Sequence[Parked], *, at: datetime) -> list[Fact]:
    """Return the facts that reported events have failed. That one of our own has is none, or they might never end."""
    # The lines after the first are details, such as a row's values. A fact stands for ever, and shall not keep them.
    errors = {each.event_id: each.error.partition("\n")[0][:ERROR_LENGTH_MAX] for each in parked if not each.next_at}
    rows = db.fetch(REPORTED, {"ids": list(errors)}) if errors else []
    return [
        Fact(
            kind="event.failed",
            # Who is tried again may fail again.
            key=f"event:{row.id}:failed:{at.isoformat()}",
            data={"event_id": row.id, "key": row.key, "kind": row.kind, "error": errors[row.id]},
            cause_id=row.id,
            depth=1,
        )
        for row in rows
    ]


def is_any_waiting(*, at: datetime) -> bool:
    """Say whether an event of the current tenant waits and may be handled by now."""
    rows = db.fetch(
        """
        SELECT EXISTS (SELECT FROM events_event WHERE status = 'waiting' AND next_at IS NULL)
            OR EXISTS (SELECT FROM events_event WHERE status = 'waiting' AND next_at <= %(at)s) AS found
        """,
        {"at": at},
    )
    return bool(rows[0].found)

"""Records what is reported, each event once: the same key again is the same event, however many send it at once."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import OperationalError, connection
from django.utils.translation import gettext_lazy as _
from psycopg2.errors import DeadlockDetected

from core import db
from core.errors import Conflict, Failure, Unprocessable
from events import doorbell
from events.reports import Report

ATTEMPTS_MAX: Final = 3
PAUSE_SECONDS: Final = 0.1

# Ids are drawn in the order of the request, because events are handled in the order of their ids. Rows are written in
# the order of what must be unique: two requests with the same events in opposite order would else wait for each other.
# It is one statement, so it is a transaction of its own: when it returns, the rows are there for good.
INSERT: Final = """
WITH sent AS MATERIALIZED (
    SELECT nextval((SELECT pg_get_serial_sequence('events_event', 'id'))) AS id, report.*
    FROM ROWS FROM (unnest(%(keys)s::text[], %(kinds)s::text[], %(fingerprints)s::text[], %(business_keys)s::text[],
            %(occurred_ats)s::timestamptz[], %(are_history)s::boolean[]),
            jsonb_array_elements(%(identities)s::jsonb), jsonb_array_elements(%(data)s::jsonb))
        AS report (key, kind, fingerprint, business_key, occurred_at, is_history, identities, data)
)
INSERT INTO events_event (id, source, key, kind, fingerprint, identities, business_key, occurred_at, received_at, data,
    is_history, depth, status, attempts, error, trace)
SELECT id, 'api', key, kind, fingerprint, identities, business_key, occurred_at, %(at)s, data, is_history,
    0, 'waiting', 0, '', '[]'
FROM sent
ORDER BY business_key COLLATE "C" NULLS FIRST, CASE WHEN business_key IS NULL THEN key END COLLATE "C", id
ON CONFLICT DO NOTHING
RETURNING id, key
"""

# One report alone needs neither order, and half as much time for a plan.
INSERT_ONE: Final = """
INSERT INTO events_event (source, key, kind, fingerprint, identities, business_key, occurred_at, received_at, data,
    is_history, depth, status, attempts, error, trace)
VALUES ('api', %(key)s, %(kind)s, %(fingerprint)s, %(identities)s::jsonb, %(business_key)s, %(occurred_at)s, %(at)s,
    %(data)s::jsonb, %(is_history)s, 0, 'waiting', 0, '', '[]')
ON CONFLICT DO NOTHING
RETURNING id, key
"""

# A second statement and no part of the first: it must see what a twin has committed meanwhile.
FIND: Final = """
SELECT id, key, business_key, fingerprint FROM events_event
WHERE (source = 'api' AND key = ANY(%(keys)s::text[])) OR business_key = ANY(%(business_keys)s::text[])
"""


class KeyReused(Unprocessable):
    """The key was given to another event before."""

    message = _("This key was used for an event with another body. Give each event a key of its own.")


class OrderAlreadyReported(Conflict):
    """The order was reported as paid under another key."""

    message = _("This order_id was reported as paid under another key.")


class RefundAlreadyReported(Conflict):
    """The refund was reported under another key."""

    message = _("This refund_id was reported for the order under another key.")


TWICE: Final[dict[str, type[Conflict]]] = {"order.paid": OrderAlreadyReported, "order.refunded": RefundAlreadyReported}


@dataclass(frozen=True, slots=True)
class Taken:
    """The report is recorded as the event `id`: now, or, where it is a repeat, by an earlier one."""

    id: int
    key: str
    is_repeat: bool


type_of_outcome = Taken | Failure


def record(*, reports: Sequence[Report], at: datetime) -> list[type_of_outcome]:
    """
    Record reports and return what became of each, in their order: durably, but in a transaction of the caller's.

    Of reports with the same key the first is taken. It takes one statement, and one more if any is known already.
    """
    outcomes: dict[int, type_of_outcome] = {}
    while len(outcomes) < len(reports):
        # More than one round takes a request that gives one key to two events, and the first of them was refused.
        pending = {place: report for place, report in enumerate(reports) if place not in outcomes}
        outcomes |= _round(pending, at)
    if any(isinstance(each, Taken) and not each.is_repeat for each in outcomes.values()):
        _ring(db.current_schema())
    return [outcomes[place] for place in range(len(reports))]


def _ring(schema: str) -> None:
    if connection.in_atomic_block:
        db.after_commit(lambda: doorbell.ring(schema))
    else:
        doorbell.ring(schema)


def _round(pending: dict[int, Report], at: datetime) -> dict[int, type_of_outcome]:
    firsts: dict[str, int] = {}
    for place, report in pending.items():
        firsts.setdefault(report.key, place)
    new = _insert([pending[place] for place in firsts.values()], at)
    outcomes: dict[int, type_of_outcome] = {
        firsts[key]: Taken(id=event_id, key=key, is_repeat=False) for key, event_id in new.items()
    }
    known = {place: report for place, report in pending.items() if place not in outcomes}
    return outcomes | _compared(known) if known else outcomes


def _compared(known: dict[int, Report]) -> dict[int, type_of_outcome]:
    """Return what becomes of reports of which something is recorded already. One that is free now is left out."""
    rows = _find(known.values())
    by_key = {row.key: row for row in rows}
    by_business_key = {row.business_key: row for row in rows if row.business_key}
    outcomes: dict[int, type_of_outcome] = {}
    for place, report in known.items():
        if row := by_key.get(report.key):
            is_same = row.fingerprint == report.fingerprint
            outcomes[place] = Taken(row.id, row.key, is_repeat=True) if is_same else KeyReused(extra=_named(row))
        elif row := by_business_key.get(report.business_key):
            outcomes[place] = TWICE[report.kind](extra=_named(row))
    return outcomes


def _insert(reports: Sequence[Report], at: datetime) -> dict[str, int]:
    if len(reports) == 1:
        sql, params = INSERT_ONE, _columns_of_one(reports[0])
    else:
        sql, params = INSERT, _columns(reports)
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            return {row.key: row.id for row in db.fetch(sql, params | {"at": at})}
        except OperationalError as error:
            # Keys given to different orders can still cross. PostgreSQL ends one of the two, which did nothing yet.
            if not isinstance(error.__cause__, DeadlockDetected) or _cannot_retry(attempt):
                raise
            # Or it would have again what the other waits for, before that one is awake.
            time.sleep(attempt * PAUSE_SECONDS)
    raise AssertionError("The last attempt returns or raises.")


def _columns_of_one(report: Report) -> dict[str, Any]:
    return {
        "key": report.key,
        "kind": report.kind,
        "fingerprint": report.fingerprint,
        "identities": db.json_text([one._asdict() for one in report.identities]),
        "business_key": report.business_key,
        "occurred_at": report.occurred_at,
        "data": db.json_text(report.data),
        "is_history": report.is_history,
    }


def _columns(reports: Sequence[Report]) -> dict[str, Any]:
    return {
        "keys": [each.key for each in reports],
        "kinds": [each.kind for each in reports],
        "fingerprints": [each.fingerprint for each in reports],
        "identities": db.json_text([[one._asdict() for one in each.identities] for each in reports]),
        "business_keys": [each.business_key for each in reports],
        "occurred_ats": [each.occurred_at for each in reports],
        "data": db.json_text([each.data for each in reports]),
        "are_history": [each.is_history for each in reports],
    }


def _cannot_retry(attempt: int) -> bool:
    return attempt == ATTEMPTS_MAX or connection.in_atomic_block


def _find(reports: Iterable[Report]) -> list[Any]:
    wanted = list(reports)
    return db.fetch(
        FIND,
        {
            "keys": [each.key for each in wanted],
            "business_keys": [each.business_key for each in wanted if each.business_key],
        },
    )


def _named(row: Any) -> dict[str, Any]:
    return {"event_id": row.id, "key": row.key}

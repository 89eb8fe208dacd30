"""
One attempt's beginning and end in the table: a delivery is claimed before it is sent, and settled afterwards.

    waiting ── claim ──► waiting, claimed for a while ── settle ──► delivered
       ▲                          │                        │
       └── whoever sent it died ──┘                        └──► waiting for the next attempt, or failed

Between the two there is no transaction. A claim is a lease: what nobody settles is due again when it ends, and is sent
once more with the same id and the same bytes.
"""

from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple

from core.db import execute, fetch, in_transaction, transaction
from events.models import Event
from integrations.webhooks import health, kinds, payloads, schedule, secrets
from integrations.webhooks.outcomes import Outcome

# At most so many to one webhook at a time; one, while it fails or is slow.
AT_ONCE: Final = 4
# Longer than an attempt can take (outcomes.SECONDS_MAX).
LEASE: Final = timedelta(seconds=30)


class Claimed(NamedTuple):
    """A delivery that whoever holds this may send, until `until`."""

    id: int
    endpoint_id: int
    message_id: str
    body: str
    attempts: int
    url: str
    secrets: tuple[str, ...]
    until: datetime


@transaction
def claim(*, endpoint_id: int, one_by_one: bool, at: datetime) -> Claimed | None:
    """Claim what has waited longest for a webhook, or nothing: where nothing is due, or enough is on its way."""
    endpoints = fetch(ENDPOINT, {"id": endpoint_id})
    if not endpoints:
        return None
    (endpoint,) = endpoints
    at_once = 1 if one_by_one or endpoint.failing_since else AT_ONCE
    until = at + LEASE
    rows = fetch(CLAIM, {"endpoint_id": endpoint_id, "at_once": at_once, "at": at, "until": until})
    if not rows:
        return None
    (row,) = rows
    return Claimed(
        id=row.id,
        endpoint_id=endpoint_id,
        message_id=row.message_id,
        body=row.body or _written(row),
        attempts=row.attempts,
        url=endpoint.url,
        secrets=tuple(secrets.in_force(endpoint, at=at)),
        until=until,
    )


@transaction
def settle(*, claimed: Claimed, outcome: Outcome, rng: Random, at: datetime) -> bool:
    """
    Write down what came of an attempt, and tell whether that was still ours to do.

    Where the lease is over somebody else has sent it meanwhile, and where it was sent again by hand that is to come.
    """
    attempts = claimed.attempts + 1
    again_at = schedule.next_at(attempts=attempts, wait=outcome.wait, rng=rng, at=at)
    next_at = None if outcome.is_delivered else again_at
    status = "delivered" if outcome.is_delivered else "failed" if next_at is None else "waiting"
    execute(HOLD, {"id": claimed.endpoint_id, "is_delivered": outcome.is_delivered})
    settled = execute(
        SETTLE,
        {
            "id": claimed.id,
            "until": claimed.until,
            "status": status,
            "attempts": attempts,
            "next_at": next_at,
            "answer_status": outcome.status,
            "answer": outcome.answer,
            "error": outcome.error,
            "latency_ms": outcome.latency_ms,
            "at": at,
        },
    )
    if settled:
        health.note(endpoint_id=claimed.endpoint_id, outcome=outcome, at=at)
    return bool(settled)


@in_transaction
def _written(row: Any) -> str:
    body = payloads.of_fact(
        kind=kinds.get(row.kind), message_id=row.message_id, event=Event.objects.get(pk=row.event_id)
    )
    execute("UPDATE integrations_delivery SET body = %(body)s WHERE id = %(id)s", {"id": row.id, "body": body})
    return body


# Those who claim for one webhook wait for each other here, so that the count below is true.
ENDPOINT: Final = """
SELECT id, url, secret, secret_old, secret_old_until, secret_older, secret_older_until, failing_since
FROM integrations_endpoint
WHERE id = %(id)s AND status = 'active' FOR NO KEY UPDATE
"""

# What is claimed is not due before its lease ends, so that the index has what is due and nothing else.
CLAIM: Final = """
UPDATE integrations_delivery d SET claimed_until = %(until)s, next_at = %(until)s
WHERE d.id = (
    SELECT id FROM integrations_delivery
    WHERE endpoint_id = %(endpoint_id)s AND status = 'waiting' AND next_at <= %(at)s
    ORDER BY next_at, id LIMIT 1
) AND d.status = 'waiting' AND d.next_at <= %(at)s AND (
    SELECT count(*) FROM integrations_delivery
    WHERE endpoint_id = %(endpoint_id)s AND status = 'waiting' AND next_at > %(at)s AND next_at <= %(until)s
        AND claimed_until > %(at)s
) < %(at_once)s
RETURNING d.id, d.event_id, d.kind, d.message_id, d.body, d.attempts
"""

# Whoever sends again or deletes a webhook takes its row before its deliveries, and so does what will note its health. A
# success of one that works notes nothing.
HOLD: Final = """
SELECT FROM integrations_endpoint WHERE id = %(id)s AND (failing_since IS NOT NULL OR NOT %(is_delivered)s)
FOR NO KEY UPDATE
"""

SETTLE: Final = """
UPDATE integrations_delivery SET
    tries = CASE WHEN attempted_at IS NULL THEN tries ELSE tries || jsonb_build_array(jsonb_build_object(
        'at', attempted_at, 'status', answer_status, 'latency_ms', latency_ms, 'error', error)) END,
    status = %(status)s, attempts = %(attempts)s, next_at = %(next_at)s, claimed_until = NULL,
    answer_status = %(answer_status)s, answer = %(answer)s, error = %(error)s, latency_ms = %(latency_ms)s,
    attempted_at = %(at)s, delivered_at = CASE WHEN %(status)s = 'delivered' THEN %(at)s::timestamptz END
WHERE id = %(id)s AND status = 'waiting' AND claimed_until = %(until)s
"""

"""
The outbox: what each webhook is to be told is written by the very statement that records the fact.

So a fact that is rolled back was never to be told, and one that is committed cannot be forgotten. A tenant without
webhooks pays for one look at an empty table.
"""

from typing import Final

from events import doorbell

# What the bell starts: integrations.tasks.
TASK: Final = "integrations.tasks.deliver"

# Made of what a fact for a webhook is known by, so that it is the same whenever it is made anew; and of the instant, as
# a sandbox that was cleared counts from one again. No two tenants, endpoints or facts have the same.
MESSAGE_ID: Final = """
'msg_' || md5(concat_ws(':', current_schema(), endpoint.id, fact.id, extract(epoch FROM fact.occurred_at)))
"""

# Follows on `told` (events.facts). A webhook that is being deleted is waited for, so that nothing is left for one that
# is not there any more. A paused one finds all of it when it goes on; a disabled one is re-sent what it missed.
OUTBOX: Final = """
, outbox AS (
    INSERT INTO integrations_delivery (endpoint_id, event_id, kind, message_id, body, status, attempts, next_at, tries,
        answer, error, created_at)
    SELECT endpoint.id, fact.id, fact.kind, {MESSAGE_ID}, '', 'waiting', 0, %(at)s, '[]', '', '', %(at)s
    FROM told fact JOIN (
        SELECT id, kinds FROM integrations_endpoint
        WHERE status <> 'disabled' AND kinds::text[] && %(fact_kinds)s::text[] FOR KEY SHARE
    ) endpoint ON fact.kind = ANY(endpoint.kinds)
    RETURNING 1
)
""".replace("{MESSAGE_ID}", MESSAGE_ID)


def ring(schema: str) -> None:
    """Wake whoever delivers, once what waits is committed. It never fails."""
    doorbell.ring(schema, task=TASK)

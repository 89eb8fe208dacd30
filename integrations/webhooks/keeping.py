"""How long deliveries are kept, and what is left in them of somebody who is erased."""

from datetime import datetime, timedelta
from typing import Final

from core.db import execute, in_transaction, transaction

KEPT: Final = timedelta(days=30)


@transaction
def purge(*, limit: int, at: datetime) -> int:
    """Delete up to `limit` deliveries of more than 30 days ago, whatever became of them, and return how many."""
    return execute(PURGE, {"before": at - KEPT, "limit": limit})


@in_transaction
def forget(*, member_id: int) -> None:
    """Take what was sent about a member out of the log: what still waits is written anew, without their id."""
    execute(FORGET, {"member_id": member_id})


# As an array they are looked for once: joined, PostgreSQL may look for them anew with every row, and find others.
PURGE: Final = """
DELETE FROM integrations_delivery WHERE id = ANY(ARRAY(
    SELECT id FROM integrations_delivery WHERE created_at < %(before)s ORDER BY created_at LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))
"""

# Each webhook's deliveries of these events are found by the constraint that a fact is delivered once. They are locked
# in the order in which a piece of the log that is sent again has them (resending.PIECE_OF).
FORGET: Final = """
UPDATE integrations_delivery d SET body = '', answer = ''
FROM (
    SELECT each.id
    FROM events_event fact CROSS JOIN integrations_endpoint endpoint
    JOIN integrations_delivery each ON each.endpoint_id = endpoint.id AND each.event_id = fact.id
    WHERE fact.member_id = %(member_id)s AND fact.source = 'sarafan'
    ORDER BY each.event_id, each.id FOR UPDATE OF each
) theirs
WHERE d.id = theirs.id
"""

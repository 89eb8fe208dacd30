"""What is told of events to the person whom they are about."""

from collections.abc import Iterator, Sequence

from members.exporting import rows, type_of_section


def of_members(*, member_ids: Sequence[int]) -> Iterator[type_of_section]:
    """Yield what was reported of a person and what we recorded, and their orders."""
    yield "events", rows(EVENTS, member_ids=member_ids)
    yield "orders", rows(ORDERS, member_ids=member_ids)


# Somebody else's code is theirs. What a fact tells stands among the rewards, the postings and so on.
EVENTS = """
SELECT id, key, kind, source, occurred_at, received_at,
    CASE WHEN source = 'api' THEN data - 'code' ELSE '{}'::jsonb END AS data
FROM events_event
WHERE member_id = ANY(%(member_ids)s::bigint[]) AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""

ORDERS = """
SELECT id, number, amount_minor, currency, refunded_minor, paid_at, cancelled_at FROM events_order
WHERE member_id = ANY(%(member_ids)s::bigint[]) AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""

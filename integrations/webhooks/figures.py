"""How webhooks stand: what waits for each, and when it last heard from us."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from core.db import fetch

# More are not counted.
WAITING_MAX: Final = 10_000


class Figures(NamedTuple):
    """What waits for a webhook, counted up to WAITING_MAX, and when something arrived last."""

    waiting: int = 0
    delivered_at: datetime | None = None


def read(endpoint_ids: Sequence[int]) -> dict[int, Figures]:
    """Return how webhooks stand, by their numbers."""
    rows = fetch(READ, {"ids": list(endpoint_ids), "most": WAITING_MAX})
    return {row.id: Figures(row.waiting, row.delivered_at) for row in rows}


READ: Final = """
SELECT e.id, waiting.count::int AS waiting, last.delivered_at
FROM unnest(%(ids)s::bigint[]) AS e (id)
CROSS JOIN LATERAL (
    SELECT count(*) FROM (
        SELECT FROM integrations_delivery d WHERE d.endpoint_id = e.id AND d.status = 'waiting' LIMIT %(most)s
    ) first
) waiting
LEFT JOIN LATERAL (
    SELECT d.delivered_at FROM integrations_delivery d
    WHERE d.endpoint_id = e.id AND d.status = 'delivered' ORDER BY d.id DESC LIMIT 1
) last ON true
"""

"""What campaigns have cost so far."""

from collections.abc import Collection

from core.db import fetch

# What counts towards a budget: rejected and cancelled rewards cost nothing.
GIVEN = """
SELECT campaign_id, sum(given - reversed)::bigint AS points FROM rewards_reward
WHERE campaign_id = ANY(%(campaign_ids)s::bigint[]) AND kind = 'points' AND status IN ('flagged', 'pending', 'granted')
GROUP BY campaign_id
"""


def given_by_campaign(*, campaign_ids: Collection[int]) -> dict[int, int]:
    """Return the points that each of these campaigns has given, or holds back for now, in one statement."""
    rows = fetch(GIVEN, {"campaign_ids": list(campaign_ids)})
    return {row.campaign_id: row.points for row in rows}

"""
What of rewards is beyond reach as things stand: spent, shown, used, sent, or lost to a refund. It only reads.

Taking back decides by the same rules under the tenant's lock: whoever holds it reads here what will come of that.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from core.db import fetch
from rewards import entitlements
from rewards.models import Entitlement, Reward


@dataclass(frozen=True, slots=True)
class Beyond:
    """A reward that cannot be taken back whole, and why (`Reward.LostWhy`). `units` count what was spent or lost."""

    reward_id: int
    why: str
    units: int = 0


def beyond_reach(*, reward_ids: Collection[int]) -> list[Beyond]:
    """Return what could not be taken back whole of those rewards that are granted, in two statements."""
    if not reward_ids:
        return []
    return [*_things(reward_ids), *_units(reward_ids)]


def _things(reward_ids: Collection[int]) -> Iterator[Beyond]:
    given = Entitlement.objects.filter(reward_id__in=reward_ids).exclude(status__in=entitlements.OVER)
    for each in given.select_related("gift").order_by("pk"):
        why = entitlements.giving_of(each.kind).why_lost(entitlement=each)
        if why and each.reward_id is not None:
            yield Beyond(each.reward_id, why)


def _units(reward_ids: Collection[int]) -> Iterator[Beyond]:
    rows = fetch(UNITS, {"ids": list(reward_ids)})
    left: dict[tuple[int, int], int] = {(row.member_id, row.asset_id): row.balance for row in rows}
    short: dict[int, int] = defaultdict(int)
    # What an account has covers the oldest of its rewards first.
    for row in rows:
        whose = (row.member_id, row.asset_id)
        short[row.id] = max(row.amount - max(left[whose], 0), 0)
        left[whose] -= row.amount
    for row in rows:
        if row.lost:
            yield Beyond(row.id, row.lost_why or Reward.LostWhy.SPENT, row.lost)
        elif short[row.id]:
            yield Beyond(row.id, Reward.LostWhy.SPENT, short[row.id])


# What a refund could not take of a gift is lost as a whole, and its entitlement says so itself.
UNITS = """
SELECT r.id, r.member_id, r.asset_id, r.given - r.reversed - r.lost AS amount, r.lost, r.lost_why,
    coalesce(a.balance, 0) AS balance
FROM rewards_reward r LEFT JOIN rewards_account a ON a.member_id = r.member_id AND a.asset_id = r.asset_id
WHERE r.id = ANY(%(ids)s::bigint[]) AND r.status = 'granted' AND r.asset_id IS NOT NULL
ORDER BY r.id
"""

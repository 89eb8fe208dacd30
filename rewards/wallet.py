"""What a member has: what can be spent, what is on its way, what waits for a moderator."""

from typing import NamedTuple

from core.db import fetch


class Figures(NamedTuple):
    """Amounts of one asset. Only `available` lies on the account; the others may still come to nothing."""

    available: int
    pending: int
    flagged: int


def figures(*, member_id: int) -> dict[str, Figures]:
    """Return a member's figures by the asset's code, for every asset of the tenant, in one statement."""
    return {
        row.code: Figures(available=row.available, pending=int(row.pending), flagged=int(row.flagged))
        for row in fetch(FIGURES, {"member_id": member_id})
    }


FIGURES = """
SELECT asset.code, coalesce(account.balance, 0) AS available,
    coalesce(sum(r.given - r.reversed - r.lost) FILTER (WHERE r.status = 'pending'), 0) AS pending,
    coalesce(sum(r.given - r.reversed - r.lost) FILTER (WHERE r.status = 'flagged'), 0) AS flagged
FROM rewards_asset asset
LEFT JOIN rewards_account account ON account.asset_id = asset.id AND account.member_id = %(member_id)s
LEFT JOIN rewards_reward r
    ON r.asset_id = asset.id AND r.member_id = %(member_id)s AND r.status IN ('pending', 'flagged')
GROUP BY asset.id, account.balance
ORDER BY asset.id
"""

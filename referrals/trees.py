"""Whom a member brought, whom these brought, and so on: a bounded look downwards."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.db import fetch
from events.merging import selves
from members.names import is_own_id

DEPTH_MAX: Final = 5
NODES_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Node:
    """One referral below a member, `depth` of them away. It hangs under whoever has `inviter_id`."""

    id: int
    depth: int
    inviter_id: int
    invitee_id: int
    invitee_external_id: str | None
    channel: str
    attributed_at: datetime
    qualified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tree:
    """What hangs below a member, level by level, the oldest first. Truncated: there is more."""

    nodes: tuple[Node, ...]
    is_truncated: bool


def below(*, member_id: int, depth: int, nodes_max: int = NODES_MAX) -> Tree:
    """Return the referrals up to `depth` below a member, in one statement that stops reading at `nodes_max`."""
    rows = fetch(BELOW, {"member_id": member_id, "depth": depth, "limit": nodes_max + 1})
    return Tree(tuple(Node(*row) for row in rows[:nodes_max]), len(rows) > nodes_max)


# LATERAL with a LIMIT keeps to the index of inviters. A recursive query goes on only for as long as rows are asked for:
# the LIMIT stands before the order, and level comes after level by itself. Who was merged into another is the other.
BELOW = f"""
WITH RECURSIVE tree AS (
    SELECT NULL::bigint AS id, 0 AS depth, NULL::bigint AS inviter_id, %(member_id)s::bigint AS invitee_id,
        ''::varchar AS channel, NULL::timestamptz AS attributed_at, NULL::timestamptz AS qualified_at
    UNION ALL
    SELECT next.id, tree.depth + 1, tree.invitee_id, coalesce(friend.merged_into_id, friend.id), next.channel,
        next.attributed_at, next.qualified_at
    FROM tree
    CROSS JOIN LATERAL (
        SELECT * FROM referrals_referral r WHERE r.inviter_id = ANY({selves("tree.invitee_id")})
        ORDER BY r.attributed_at LIMIT %(limit)s
    ) next
    JOIN members_member friend ON friend.id = next.invitee_id
    WHERE tree.depth < %(depth)s AND coalesce(friend.merged_into_id, friend.id) <> tree.invitee_id
)
SELECT found.id, found.depth, found.inviter_id, found.invitee_id, own.lookup AS invitee_external_id, found.channel,
    found.attributed_at, found.qualified_at
FROM (SELECT * FROM tree WHERE depth > 0 LIMIT %(limit)s) found
LEFT JOIN members_identity own ON own.member_id = found.invitee_id AND {is_own_id("own")}
ORDER BY found.depth, found.attributed_at, found.id
"""  # noqa: S608 (constants only)

"""
How rewards change their state when somebody decides, or when their time has come. Each move is a compare-and-set.

    release          flagged → granted, or pending until it is mature
    release_matured  pending → granted
    reject           flagged → rejected
    reopen           pending, granted, rejected → flagged (a decision undone)

A flagged reward is paid by `release` alone, which a moderator's decision calls: time never does it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.db import fetch, in_transaction
from core.errors import Conflict
from rewards import ledger
from rewards.grants import grant_move
from rewards.ledger import Move


class NotReopenable(Conflict):
    """A refund has already failed to take back a part of it: that part is spent."""

    message = _("The points have been spent in part, so the decision cannot be undone.")


@dataclass(frozen=True, slots=True)
class Moved:
    """A reward that changed its state: what its status is now, and how much of it is still owed or paid."""

    id: int
    member_id: int
    asset_id: int | None
    campaign_id: int
    event_id: int
    status: str
    amount: int


@in_transaction
def release(*, reward_ids: Collection[int], at: datetime) -> list[Moved]:
    """
    Let flagged rewards go: granted and posted if they are mature, pending until they are.

    Return those that moved: one that a refund cancelled meanwhile, or somebody else decided, is left as it is.
    """
    moved = _moved(RELEASE, reward_ids, at=at)
    _pay([each for each in moved if each.status == "granted"], at=at)
    return moved


@in_transaction
def reject(*, reward_ids: Collection[int]) -> list[Moved]:
    """Refuse flagged rewards: nothing is paid. Return those that moved, as `release` does."""
    return _moved(REJECT, reward_ids)


@in_transaction
def reopen(*, reward_ids: Collection[int], decision: int, at: datetime) -> list[Moved]:
    """
    Undo a decision: pending, granted and rejected rewards are flagged again, and what was paid is posted back.

    `decision` is the id of the decision that undoes; it makes the postings' keys. Return those that moved: a reward
    that a refund has used up meanwhile is left as it is.

    :raises NotReopenable: if a part of one is known to be spent.
    :raises ledger.InsufficientBalance: if the member has spent what should be posted back.
    """
    rows = fetch(REOPEN, {"ids": list(reward_ids)})
    if any(row.lost for row in rows):
        raise NotReopenable
    paid = [row for row in rows if row.was_status == "granted"]
    payments = _payments([row.id for row in paid])
    moves = [
        Move(
            key=f"reward:{row.id}:undo:{decision}",
            reason="undo",
            member_id=row.member_id,
            asset_id=row.asset_id,
            amount=-row.amount,
            reward_id=row.id,
            reverses_id=payments[row.id].last_id,
        )
        for row in paid
        if row.asset_id is not None
    ]
    ledger.post(moves=moves, at=at)
    return [_as_moved(row) for row in rows]


@in_transaction
def release_matured(*, limit: int, at: datetime) -> list[Moved]:
    """
    Grant and post up to `limit` pending rewards whose time has come, the oldest first, and return them.

    Rewards that another transaction holds are left for the next time.
    """
    moved = [_as_moved(row) for row in fetch(RELEASE_MATURED, {"at": at, "limit": limit})]
    _pay(moved, at=at)
    return moved


def _moved(sql: str, reward_ids: Collection[int], **params: object) -> list[Moved]:
    return [_as_moved(row) for row in fetch(sql, {"ids": list(reward_ids), **params})]


def _pay(rewards: Sequence[Moved], *, at: datetime) -> None:
    if not rewards:
        return
    payments = _payments([each.id for each in rewards])
    moves = [
        grant_move(
            reward_id=each.id,
            member_id=each.member_id,
            asset_id=each.asset_id,
            amount=each.amount,
            nth=payments[each.id].count + 1 if each.id in payments else 1,
        )
        for each in rewards
        if each.asset_id is not None
    ]
    ledger.post(moves=moves, at=at)


def _payments(reward_ids: Collection[int]) -> dict[int, Any]:
    # A statement of its own: it must see what was committed while the one before waited for locks.
    if not reward_ids:
        return {}
    return {row.reward_id: row for row in fetch(PAYMENTS, {"ids": list(reward_ids)})}


def _as_moved(row: Any) -> Moved:
    return Moved(row.id, row.member_id, row.asset_id, row.campaign_id, row.event_id, row.status, row.amount)


# In all of these the rows are locked in the order of their ids first, because an UPDATE alone takes them in any order.
RELEASE = """
WITH locked AS MATERIALIZED (
    SELECT id FROM rewards_reward
    WHERE id = ANY(%(ids)s::bigint[]) AND status = 'flagged'
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE rewards_reward r
SET status = CASE WHEN r.matures_at <= %(at)s THEN 'granted' ELSE 'pending' END,
    granted_at = CASE WHEN r.matures_at <= %(at)s THEN %(at)s::timestamptz END
FROM locked
WHERE r.id = locked.id AND r.status = 'flagged'
RETURNING r.id, r.member_id, r.asset_id, r.campaign_id, r.event_id, r.status, r.given - r.reversed - r.lost AS amount
"""

REJECT = """
WITH locked AS MATERIALIZED (
    SELECT id FROM rewards_reward
    WHERE id = ANY(%(ids)s::bigint[]) AND status = 'flagged'
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE rewards_reward r
SET status = 'rejected'
FROM locked
WHERE r.id = locked.id AND r.status = 'flagged'
RETURNING r.id, r.member_id, r.asset_id, r.campaign_id, r.event_id, r.status, r.given - r.reversed - r.lost AS amount
"""

REOPEN = """
WITH locked AS MATERIALIZED (
    SELECT id, status FROM rewards_reward
    WHERE id = ANY(%(ids)s::bigint[]) AND status IN ('pending', 'granted', 'rejected') AND given > reversed + lost
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE rewards_reward r
SET status = 'flagged', granted_at = NULL
FROM locked
WHERE r.id = locked.id AND r.status = locked.status AND r.given > r.reversed + r.lost
RETURNING
    r.id, r.member_id, r.asset_id, r.campaign_id, r.event_id, r.status, r.given - r.reversed - r.lost AS amount,
    r.lost, locked.status AS was_status
"""

RELEASE_MATURED = """
WITH locked AS MATERIALIZED (
    SELECT id FROM rewards_reward
    WHERE status = 'pending' AND matures_at <= %(at)s
    ORDER BY matures_at, id
    LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE rewards_reward r
SET status = 'granted', granted_at = %(at)s
FROM locked
WHERE r.id = locked.id AND r.status = 'pending'
RETURNING r.id, r.member_id, r.asset_id, r.campaign_id, r.event_id, r.status, r.given - r.reversed - r.lost AS amount
"""

PAYMENTS = """
SELECT reward_id, count(*) AS count, max(id) AS last_id
FROM rewards_posting
WHERE reward_id = ANY(%(ids)s::bigint[]) AND reason = 'grant'
GROUP BY reward_id
"""

"""
How rewards change their state when somebody decides, or when their time has come. Each move is a compare-and-set.

    release          flagged → granted, or pending until it is mature and what it awaits has come
    release_matured  pending → granted
    keep             what a promise awaits has come: pending → granted if it is mature; what is flagged stays flagged
    lapse            a promise's time is over: pending → cancelled
    reject           flagged → rejected
    reopen           pending, granted, rejected → flagged (a decision undone)

A flagged reward is paid by `release` alone, which a moderator's decision calls: time never does it. What one rule gives
for one event at once changes together. What is granted becomes units or an entitlement in `rewards.giving`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from core.db import fetch, in_transaction
from core.errors import Conflict
from rewards import assets, giving, ledger
from rewards.giving import UNDONE, Granted
from rewards.ledger import Move
from tenants import context


class NotReopenable(Conflict):
    """What was given is out of reach: spent in part, or shown, used or sent."""

    message = _("What was given has been spent, seen, used or sent, so the decision cannot be undone.")


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
    kind: str = "points"
    what: str = ""
    awaits: str = ""


@in_transaction
def release(*, reward_ids: Collection[int], at: datetime) -> list[Moved]:
    """
    Let flagged rewards go: granted and given if they are mature and await nothing, pending until then.

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
def reopen(*, reward_ids: Collection[int], decision: int | str, at: datetime) -> list[Moved]:
    """
    Undo a decision: pending, granted and rejected rewards are flagged again, and what was paid is posted back.

    `decision` is the id of the decision that undoes, or what else does: it makes the postings' keys. Return those that
    moved: a reward that a refund has used up meanwhile is left as it is.

    :raises NotReopenable: if a part of one is known to be spent, or one was shown, used or sent.
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
    if giving.stop(reward_ids=[row.id for row in paid if row.asset_id is None], why=str(UNDONE), at=at):
        raise NotReopenable
    return [_as_moved(row) for row in rows]


@in_transaction
def release_matured(*, limit: int, at: datetime) -> list[Moved]:
    """
    Grant and give up to `limit` pending rewards whose time has come, the oldest first, and return them.

    They are more than that if the last of them is a part of several. Rewards that another transaction holds are left
    for the next time; who holds the tenant's lock finds none such, and leaves no part behind.
    """
    moved = [_as_moved(row) for row in fetch(RELEASE_MATURED, {"at": at, "limit": limit})]
    _pay(moved, at=at)
    return moved


@in_transaction
def keep(*, orders: Mapping[int, int | None], at: datetime) -> list[Moved]:
    """
    Keep promises, of which what they await has come; return those that moved. The caller gives what is granted now.

    `orders` are by the rewards' ids: the order by which a promise is kept, if it is one. A refund of it takes the
    reward back, unless that was for an order of its own. The caller holds the tenant's lock.
    """
    return _moved(KEEP, orders, orders=list(orders.values()), at=at) if orders else []


@in_transaction
def lapse(*, limit: int, at: datetime) -> list[Moved]:
    """
    Cancel up to `limit` promises whose time is over, the oldest first, and return them.

    They are more than that if the last of them is a part of several. What is flagged waits for its moderator. The
    caller holds the tenant's lock.
    """
    return [_as_moved(row) for row in fetch(LAPSE, {"at": at, "limit": limit})]


def _moved(sql: str, reward_ids: Collection[int], **params: object) -> list[Moved]:
    return [_as_moved(row) for row in fetch(sql, {"ids": list(reward_ids), **params})]


def _pay(rewards: Sequence[Moved], *, at: datetime) -> None:
    if not rewards:
        return
    payments = _payments([each.id for each in rewards])
    granted = [granted_of(each, nth=payments[each.id].count + 1 if each.id in payments else 1) for each in rewards]
    ledger.post(moves=giving.moves(granted=granted, lines=assets.lines(), zone=context.zone(), at=at), at=at)
    giving.entitle(granted=granted, at=at)


def granted_of(moved: Moved, *, nth: int = 1) -> Granted:
    """Return a reward that has just been granted, as it is given."""
    return Granted(moved.id, moved.member_id, moved.kind, moved.what, moved.asset_id, moved.amount, nth)


def _payments(reward_ids: Collection[int]) -> dict[int, Any]:
    # A statement of its own: it must see what was committed while the one before waited for locks.
    if not reward_ids:
        return {}
    return {row.reward_id: row for row in fetch(PAYMENTS, {"ids": list(reward_ids)})}


def _as_moved(row: Any) -> Moved:
    return Moved(*(getattr(row, name) for name in MOVED))


MOVED: Final = tuple(field.name for field in fields(Moved))
RETURNED: Final = """
    r.id, r.member_id, r.asset_id, r.campaign_id, r.event_id, r.status, r.given - r.reversed - r.lost AS amount,
    r.kind, r.what, r.awaits
"""

# In all of these the rows are locked in the order of their ids first, because an UPDATE alone takes them in any order.
RELEASE = f"""
WITH locked AS MATERIALIZED (
    SELECT id FROM rewards_reward
    WHERE id = ANY(%(ids)s::bigint[]) AND status = 'flagged'
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE rewards_reward r
SET status = CASE WHEN r.matures_at <= %(at)s AND r.awaits = '' THEN 'granted' ELSE 'pending' END,
    granted_at = CASE WHEN r.matures_at <= %(at)s AND r.awaits = '' THEN %(at)s::timestamptz END
FROM locked
WHERE r.id = locked.id AND r.status = 'flagged'
RETURNING {RETURNED}
"""  # noqa: S608 (constants only)

REJECT = f"""
WITH locked AS MATERIALIZED (
    SELECT id FROM rewards_reward
    WHERE id = ANY(%(ids)s::bigint[]) AND status = 'flagged'
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE rewards_reward r
SET status = 'rejected'
FROM locked
WHERE r.id = locked.id AND r.status = 'flagged'
RETURNING {RETURNED}
"""  # noqa: S608 (constants only)

REOPEN = f"""
WITH locked AS MATERIALIZED (
    SELECT id, status FROM rewards_reward
    WHERE id = ANY(%(ids)s::bigint[]) AND status IN ('pending', 'granted', 'rejected') AND given > reversed + lost
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE rewards_reward r
SET status = 'flagged', granted_at = NULL
FROM locked
WHERE r.id = locked.id AND r.status = locked.status AND r.given > r.reversed + r.lost
RETURNING {RETURNED}, r.lost, locked.status AS was_status
"""  # noqa: S608 (constants only)

# The parts of a composite stand next to each other in this order, so that only the last of them can be cut.
RELEASE_MATURED = f"""
WITH due AS MATERIALIZED (
    SELECT id, rule_id, member_id, event_id, matures_at FROM rewards_reward
    WHERE status = 'pending' AND awaits = '' AND matures_at <= %(at)s
    ORDER BY matures_at, id
    LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
), locked AS MATERIALIZED (
    SELECT id FROM due
    UNION
    SELECT r.id FROM (SELECT * FROM due ORDER BY matures_at DESC, id DESC LIMIT 1) last
    JOIN rewards_reward r USING (rule_id, member_id, event_id)
    WHERE r.status = 'pending' AND r.awaits = '' AND r.matures_at <= %(at)s
)
UPDATE rewards_reward r
SET status = 'granted', granted_at = %(at)s
FROM locked
WHERE r.id = locked.id AND r.status = 'pending'
RETURNING {RETURNED}
"""  # noqa: S608 (constants only)

KEEP = f"""
WITH locked AS MATERIALIZED (
    SELECT id FROM rewards_reward
    WHERE id = ANY(%(ids)s::bigint[]) AND status IN ('flagged', 'pending') AND awaits <> ''
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE rewards_reward r
SET awaits = '', order_id = coalesce(r.order_id, kept.order_id),
    status = CASE WHEN r.status = 'pending' AND r.matures_at <= %(at)s THEN 'granted' ELSE r.status END,
    granted_at = CASE WHEN r.status = 'pending' AND r.matures_at <= %(at)s THEN %(at)s::timestamptz END
FROM locked JOIN unnest(%(ids)s::bigint[], %(orders)s::bigint[]) AS kept (id, order_id) USING (id)
WHERE r.id = locked.id AND r.awaits <> ''
RETURNING {RETURNED}
"""  # noqa: S608 (constants only)

LAPSE = f"""
WITH due AS MATERIALIZED (
    SELECT id, rule_id, member_id, event_id, awaits_until FROM rewards_reward
    WHERE awaits <> '' AND status = 'pending' AND awaits_until < %(at)s
    ORDER BY awaits_until, id
    LIMIT %(limit)s
    FOR NO KEY UPDATE
), locked AS MATERIALIZED (
    SELECT id FROM due
    UNION
    SELECT r.id FROM (SELECT * FROM due ORDER BY awaits_until DESC, id DESC LIMIT 1) last
    JOIN rewards_reward r USING (rule_id, member_id, event_id)
    WHERE r.awaits <> '' AND r.status = 'pending' AND r.awaits_until < %(at)s
)
UPDATE rewards_reward r
SET status = 'cancelled'
FROM locked
WHERE r.id = locked.id AND r.status = 'pending'
RETURNING {RETURNED}
"""  # noqa: S608 (constants only)

# How often each has been granted, whatever it becomes, and by which posting last.
PAYMENTS = """
SELECT asked.id AS reward_id, paid.last_id, paid.count + (
    SELECT count(*) FROM rewards_entitlement e WHERE e.reward_id = asked.id
) AS count
FROM unnest(%(ids)s::bigint[]) AS asked (id)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, max(p.id) AS last_id FROM rewards_posting p
    WHERE p.reward_id = asked.id AND p.reason = 'grant'
) paid
"""

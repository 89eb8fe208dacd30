"""
Products on their way: placed for whoever packs them, as far as there are pieces.

A purchase has taken its piece from the stock already; what a reward gives takes it here, and waits while there is none.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from core.db import execute, fetch, in_transaction, transaction
from members import people
from rewards import entitlements as all_entitlements
from rewards.models import Entitlement, Reward

Status = Entitlement.Status
ON_ITS_WAY = (Status.SENT, Status.DELIVERED)


@in_transaction
def begin(*, entitlements: Sequence[Entitlement], at: datetime) -> None:
    """Place those for which there is a piece. The others go on waiting."""
    bought = [each.pk for each in entitlements if each.redemption_id is not None]
    execute(PLACE_BOUGHT, {"ids": bought})
    gift_ids = {each.gift_id for each in entitlements if each.redemption_id is None}
    if gift_ids:
        _place(gift_ids)


@in_transaction
def stop(*, entitlements: Sequence[Entitlement], why: str, at: datetime) -> dict[int, str]:
    """Cancel what has not been sent. The piece of a reward is in stock again; that of a purchase is its caller's."""
    sent = {each.pk: reason for each in entitlements if (reason := why_lost(entitlement=each))}
    placed = [each for each in entitlements if each.status == Status.PLACED]
    waiting = [each.pk for each in entitlements if each.status == Status.WAITING]
    all_entitlements.cancel(ids=waiting, was=[Status.WAITING], why=why, at=at)
    ended = all_entitlements.cancel(ids=[each.pk for each in placed], was=[Status.PLACED], why=why, at=at)
    put_back(entitlements=[each for each in placed if each.pk in ended and each.redemption_id is None])
    return sent


def why_lost(*, entitlement: Entitlement) -> str:
    """Say why it cannot be taken back: it has been sent."""
    return str(Reward.LostWhy.SENT) if entitlement.status in ON_ITS_WAY else ""


@in_transaction
def put_back(*, entitlements: Sequence[Entitlement]) -> None:
    """Put the pieces of rewards into stock again, or hand them to whoever waits. The caller has ended their parcels."""
    if not entitlements:
        return
    execute(PUT_BACK, {"ids": [each.pk for each in entitlements]})
    _place({each.gift_id for each in entitlements})


@transaction
def serve(*, schema: str, gift_ids: Collection[int]) -> int:
    """Place what has waited for pieces of these gifts, the oldest first; return how many were placed."""
    people.lock(schema)
    return _place(gift_ids)


def _place(gift_ids: Collection[int]) -> int:
    return len(fetch(PLACE, {"gifts": sorted(gift_ids)}))


PLACE_BOUGHT = """
UPDATE rewards_entitlement SET status = 'placed' WHERE id = ANY(%(ids)s::bigint[]) AND status = 'waiting'
"""

# Whoever waits longest is served first. A gift without a stock has as many as there are waiting.
PLACE = """
WITH gift AS MATERIALIZED (
    SELECT id, stock FROM rewards_gift WHERE id = ANY(%(gifts)s::bigint[]) ORDER BY id FOR NO KEY UPDATE
), queue AS (
    SELECT e.id, e.gift_id, gift.stock, row_number() OVER (PARTITION BY e.gift_id ORDER BY e.id) AS place
    FROM rewards_entitlement e JOIN gift ON gift.id = e.gift_id
    WHERE e.status = 'waiting' AND e.kind = 'product' AND e.redemption_id IS NULL
), placed AS (
    UPDATE rewards_entitlement e SET status = 'placed'
    FROM queue WHERE e.id = queue.id AND (queue.stock IS NULL OR queue.place <= queue.stock)
    RETURNING e.id, e.gift_id
), taken AS (
    UPDATE rewards_gift g SET stock = g.stock - n.pieces
    FROM (SELECT gift_id, count(*) AS pieces FROM placed GROUP BY gift_id) n
    WHERE g.id = n.gift_id AND g.stock IS NOT NULL
)
SELECT id FROM placed
"""

PUT_BACK = """
UPDATE rewards_gift g SET stock = g.stock + n.pieces
FROM (
    SELECT gift_id, count(*) AS pieces FROM rewards_entitlement WHERE id = ANY(%(ids)s::bigint[]) GROUP BY gift_id
) n
WHERE g.id = n.gift_id AND g.stock IS NOT NULL
"""

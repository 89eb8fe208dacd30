"""How certificates are given: from the stock at once, or ordered online; of a pool the member first chooses a brand."""

from collections.abc import Sequence
from datetime import datetime

from core.db import execute, fetch, in_transaction
from rewards.certificates import orders, stock
from rewards.models import Entitlement, Gift, Reward

LostWhy = Reward.LostWhy


@in_transaction
def begin(*, entitlements: Sequence[Entitlement], at: datetime) -> None:
    """Bring waiting certificates as far as they go now. What finds neither stock nor provider goes on waiting."""
    pools = [each.pk for each in entitlements if each.kind == Gift.Kind.POOL]
    if pools:
        execute(ASK, {"ids": pools})
    certificates = [each for each in entitlements if each.kind == Gift.Kind.CERTIFICATE]
    served = set(stock.hand_out(gift_ids={each.gift_id for each in certificates}, at=at))
    orders.queue(entitlement_ids=[each.pk for each in certificates if each.pk not in served], at=at)


@in_transaction
def stop(*, entitlements: Sequence[Entitlement], why: str, at: datetime) -> dict[int, str]:
    """
    Cancel what nobody has seen; return of the others why they are lost.

    A code of the stock goes back there, and to whoever waits. What was bought online, or may have been, is given back
    to the provider later, by a call (`orders`): the member has lost it already, whatever the provider says.
    """
    ids = [each.pk for each in entitlements]
    rows = fetch(STOP, {"ids": ids, "why": why, "at": at})
    stopped = {row.id for row in rows}
    returned = stock.take_back(entitlement_ids=stopped)
    stock.hand_out(gift_ids={each.gift_id for each in entitlements if each.pk in returned}, at=at)
    if any(row.is_outside for row in rows):
        orders.ring()
    kept = Entitlement.objects.filter(pk__in=[each for each in ids if each not in stopped])
    return {each.pk: reason for each in kept if (reason := why_lost(entitlement=each))}


def why_lost(*, entitlement: Entitlement) -> str:
    """Say why it cannot be taken back: it is used, or somebody has seen its code."""
    if entitlement.status == Entitlement.Status.USED:
        return LostWhy.USED.value
    is_seen = entitlement.status == Entitlement.Status.ISSUED and entitlement.shown_at is not None
    return LostWhy.SHOWN.value if is_seen else ""


ASK = "UPDATE rewards_entitlement SET status = 'choosing' WHERE id = ANY(%(ids)s::bigint[]) AND status = 'waiting'"

# What is or may be at a provider is tried again until it has been given back.
STOP = """
WITH stopped AS (
    SELECT id, provider_id IS NOT NULL AND status IN ('ordered', 'unknown', 'issued') AS is_outside
    FROM rewards_entitlement
    WHERE id = ANY(%(ids)s::bigint[])
        AND (status IN ('choosing', 'waiting', 'ordered', 'unknown') OR (status = 'issued' AND shown_at IS NULL))
    ORDER BY id FOR UPDATE
)
UPDATE rewards_entitlement e
SET status = 'cancelled', ended_at = %(at)s, ended_why = %(why)s,
    next_attempt_at = CASE WHEN is_outside THEN greatest(next_attempt_at, %(at)s) END,
    details = CASE WHEN is_outside THEN details || '{"return": "wanted"}' ELSE details END
FROM stopped WHERE e.id = stopped.id
RETURNING e.id, is_outside
"""

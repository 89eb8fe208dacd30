"""
What a refund takes back. Pure.

Cumulative and in proportion: after refunds of `refunded` out of `amount` a reward has given back
`floor(given * refunded / amount)` in all, rounded down so that nobody loses more than their share. A full refund and a
cancelled order take everything. So the parts add up, whatever their order and however often a refund is reported.

Points that were paid are taken from the balance as far as it reaches; the rest is written down as `lost` and forgiven:
a later earning does not pay for it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

FLAGGED = "flagged"
PENDING = "pending"
GRANTED = "granted"
REJECTED = "rejected"
CANCELLED = "cancelled"
REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class Held:
    """
    A reward of an order as it stands.

    `grant_posting_id` is the posting that last paid it; `balance` is what its member holds of its asset.
    """

    reward_id: int
    order_id: int
    campaign_id: int
    rule_id: int
    version_id: int
    member_id: int
    asset_id: int | None
    side: str
    status: str
    given: int
    reversed: int
    lost: int
    occurred_at: datetime
    created_at: datetime
    grant_posting_id: int | None = None
    balance: int = 0

    @property
    def remaining(self) -> int:
        """What is left of it."""
        return self.given - self.reversed - self.lost


@dataclass(frozen=True, slots=True)
class Refund:
    """What is known of an order's money after a refund: `refunded_minor` is all of it so far, this refund included."""

    amount_minor: int
    refunded_minor: int
    is_cancelled: bool = False

    @property
    def is_whole(self) -> bool:
        """Nothing of the order is left. Any refund of an order over 0 is whole."""
        return self.is_cancelled or self.refunded_minor >= self.amount_minor


@dataclass(frozen=True, slots=True)
class Settled:
    """
    What one refund does to one reward: `before` becomes `after`.

    `taken` units go back from the member's balance, 0 where nothing had been paid; `after.lost - before.lost` could not
    be taken.
    """

    before: Held
    after: Held
    taken: int


def target(*, given: int, refund: Refund) -> int:
    """Return how much of a reward must be back after the refund, in all, rounded down."""
    return given if refund.is_whole else given * refund.refunded_minor // refund.amount_minor


def settle(held: Held, *, refund: Refund, balance: int) -> Settled | None:
    """
    Return what a refund does to a reward, or `None` where there is nothing left to do.

    `balance` is what the member holds now, after whatever has been settled before in the same breath.
    A rejected reward stays rejected, but remembers: if the rejection is undone, the refunded part is not owed again.
    """
    due = target(given=held.given, refund=refund) - held.reversed - held.lost
    if due <= 0:
        return None
    taken = min(due, balance) if held.status == GRANTED else 0
    lost = due - taken if held.status == GRANTED else 0
    after = replace(held, reversed=held.reversed + due - lost, lost=held.lost + lost, balance=balance - taken)
    return Settled(before=held, after=replace(after, status=_status(after)), taken=taken)


def _status(held: Held) -> str:
    if held.remaining:
        return held.status
    return {FLAGGED: CANCELLED, PENDING: CANCELLED, GRANTED: REVERSED}.get(held.status, held.status)

"""
What a refund takes back. Pure.

Cumulative and in proportion: after refunds of `refunded` out of `amount` a reward has given back
`floor(given * refunded / amount)` in all, rounded down so that nobody loses more than their share. A full refund and a
cancelled order take everything. So the parts add up, whatever their order and however often a refund is reported.

What was paid is taken back as the campaign's version says by which it was given. `pending_only` leaves it, as
forgiven. `to_zero` takes from the balance as far as it reaches; the rest is written down as `lost`: a later earning
does not pay for it. `debt` takes all of it where the asset may be owed, and later earnings pay. What is not counted (a
certificate, a code) is taken back whole or not at all, and what the member has seen, used or received is lost.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from rewards import costs

FLAGGED = "flagged"
PENDING = "pending"
GRANTED = "granted"
REJECTED = "rejected"
CANCELLED = "cancelled"
REVERSED = "reversed"

PENDING_ONLY = "pending_only"
TO_ZERO = "to_zero"
DEBT = "debt"

SPENT = "spent"
FORGIVEN = "forgiven"


@dataclass(frozen=True, slots=True)
class Held:
    """
    A reward of an order as it stands.

    `actor_id` did what it is for; `inviter_id` brought them, where it is a reward for that, else 0.
    `grant_posting_id` is the posting that last paid it; `balance` is what its member holds of its asset. `stuck` says
    why what it became cannot be taken back (`Reward.LostWhy`), "" that it can. `refund_policy` is its version's.
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
    part: int = 0
    kind: str = "points"
    what: str = ""
    is_points: bool = True
    may_owe: bool = False
    refund_policy: str = TO_ZERO
    stuck: str = ""
    lost_why: str = ""
    event_id: int = 0
    actor_id: int = 0
    inviter_id: int = 0
    cost_minor: int = 0

    @property
    def is_counted(self) -> bool:
        """Whether it is units of an asset, which can be taken back in part."""
        return self.asset_id is not None

    @property
    def together(self) -> tuple[int, int, int]:
        """What all that one rule gives at once has in common."""
        return self.rule_id, self.member_id, self.event_id

    @property
    def stops_at_zero(self) -> bool:
        """Whether a refund takes no more of it than its member's balance has."""
        return self.is_counted and (self.refund_policy == TO_ZERO or (self.refund_policy == DEBT and not self.may_owe))

    @property
    def cost_left(self) -> int:
        """What of its cost it still has, as long as it counts."""
        return costs.left(cost_minor=self.cost_minor, given=self.given, reversed=self.reversed)

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


def target(*, given: int, refund: Refund, is_counted: bool = True) -> int:
    """Return how much of a reward must be back after the refund, in all, rounded down."""
    if refund.is_whole:
        return given
    return given * refund.refunded_minor // refund.amount_minor if is_counted else 0


def settle(held: Held, *, refund: Refund, balance: int) -> Settled | None:
    """
    Return what a refund does to a reward, or `None` where there is nothing left to do.

    `balance` is what the member holds now, after whatever has been settled before in the same breath.
    A rejected reward stays rejected, but remembers: if the rejection is undone, the refunded part is not owed again.
    """
    due = target(given=held.given, refund=refund, is_counted=held.is_counted) - held.reversed - held.lost
    if due <= 0:
        return None
    lost, why = _lost(held, due, balance) if held.status == GRANTED else (0, "")
    taken = due - lost if held.status == GRANTED and held.is_counted else 0
    after = replace(
        held,
        reversed=held.reversed + due - lost,
        lost=held.lost + lost,
        lost_why=why or held.lost_why,
        balance=balance - taken,
    )
    return Settled(before=held, after=replace(after, status=_status(after)), taken=taken)


def _lost(held: Held, due: int, balance: int) -> tuple[int, str]:
    """Return how much of what is due stays with the member, and why."""
    if held.stuck:
        return due, held.stuck
    if held.refund_policy == PENDING_ONLY:
        return due, FORGIVEN
    if not held.is_counted or (held.refund_policy == DEBT and held.may_owe):
        return 0, ""
    # In debt already, there is nothing to take from.
    lost = max(due - max(balance, 0), 0)
    return lost, SPENT if lost else ""


def _status(held: Held) -> str:
    if held.remaining:
        return held.status
    return {FLAGGED: CANCELLED, PENDING: CANCELLED, GRANTED: REVERSED}.get(held.status, held.status)

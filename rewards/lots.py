"""
Which lots a posting takes from. Pure.

Whoever takes back what a reward gave takes the reward's own lot first, so that nobody makes points live longer by
earning and returning. The rest comes from the lot that expires first; of those that never do, from the oldest.
What is spent is never taken from a lot that has expired.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class OpenLot(NamedTuple):
    """A lot with something left, of one account. `id` is its posting's."""

    id: int
    account: tuple[int, int]  # the member's id, and the asset's
    remaining: int
    expires_at: datetime | None = None
    reward_id: int | None = None


class Take(NamedTuple):
    """What one posting is to take from an account's lots: from `lot_id` alone, or whose turn it is."""

    key: str
    account: tuple[int, int]
    amount: int
    reward_id: int | None = None
    lot_id: int | None = None
    is_spending: bool = False


class Use(NamedTuple):
    """So much of a lot goes into the posting with that key."""

    key: str
    lot_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class Allocated:
    """Which lots are used, and by key what they could not cover: a debt, or too much asked."""

    uses: tuple[Use, ...]
    short: dict[str, int]


def allocate(*, takes: Sequence[Take], lots: Iterable[OpenLot], at: datetime) -> Allocated:
    """Return what each take uses, one after another: a later one finds what the earlier ones have left."""
    by_account: dict[tuple[int, int], list[OpenLot]] = {}
    for lot in lots:
        by_account.setdefault(lot.account, []).append(lot)
    left = {lot.id: lot.remaining for of_account in by_account.values() for lot in of_account}
    uses: list[Use] = []
    short: dict[str, int] = {}
    for take in takes:
        wanted = take.amount
        for lot in sorted(by_account.get(take.account, ()), key=lambda each: _turn(each, take)):
            used = min(left[lot.id], wanted) if _may_use(lot, take, at) else 0
            if used:
                uses.append(Use(take.key, lot.id, used))
                left[lot.id] -= used
                wanted -= used
        if wanted:
            short[take.key] = wanted
    return Allocated(tuple(uses), short)


def _may_use(lot: OpenLot, take: Take, at: datetime) -> bool:
    if take.lot_id is not None:
        return lot.id == take.lot_id
    return not (take.is_spending and lot.expires_at is not None and lot.expires_at <= at)


def _turn(lot: OpenLot, take: Take) -> tuple[bool, bool, float, int]:
    is_own = take.reward_id is not None and lot.reward_id == take.reward_id
    expires = lot.expires_at.timestamp() if lot.expires_at else 0.0
    return (take.is_spending or not is_own, lot.expires_at is None, expires, lot.id)

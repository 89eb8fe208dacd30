"""
Which lots an account lacks, and which are too many, by the postings that lots say nothing of. Pure.

Such postings are those of a release that did not know lots yet, and still ran beside the migration that opened them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rewards.lots import OpenLot, Take, allocate


class Loose(NamedTuple):
    """A posting that lots say nothing of: an earning without its lot, or something taken from none."""

    id: int
    amount: int
    reward_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Books:
    """An account of which the balance is right: `units` are what its lots should have left in all."""

    id: int
    account: tuple[int, int]
    units: int
    lots: Sequence[OpenLot]
    earned: Sequence[Loose]
    taken: Sequence[Loose]


class Missing(NamedTuple):
    """A lot to open, with what is left of it."""

    posting_id: int
    account_id: int
    remaining: int
    available_at: datetime


class Unnoted(NamedTuple):
    """What a posting has taken from a lot, that nobody has written down."""

    posting_id: int
    lot_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class Repair:
    """What makes the lots of an account its balance again."""

    lots: tuple[Missing, ...]
    uses: tuple[Unnoted, ...]


def repair_of(books: Books, *, at: datetime) -> Repair | None:
    """
    Return what is missing, or None where its postings cannot explain the difference.

    Every earning gets its lot. What is too much then was taken: by the latest of what was taken from no lot, because
    older ones were settled when the lots were opened; and what these did not take has paid a debt.
    """
    fresh = [OpenLot(each.id, books.account, each.amount, None, each.reward_id) for each in books.earned]
    lots = [*books.lots, *fresh]
    surplus = sum(lot.remaining for lot in lots) - books.units
    if surplus < 0:
        return None
    uses = allocate(takes=_takes(books, surplus), lots=lots, at=at).uses
    noted = [Unnoted(int(use.key), use.lot_id, use.amount) for use in uses]
    noted += _paid_debts(fresh, noted, surplus - sum(use.amount for use in uses))
    if sum(each.amount for each in noted) != surplus:
        return None
    left = {lot.id: lot.remaining - _used(lot.id, noted) for lot in fresh}
    missing = [Missing(each.id, books.id, left[each.id], each.at) for each in books.earned]
    return Repair(tuple(missing), tuple(noted))


def _takes(books: Books, surplus: int) -> list[Take]:
    takes = []
    for each in sorted(books.taken, reverse=True):
        amount = min(each.amount, surplus)
        surplus -= amount
        if amount:
            takes.append(Take(str(each.id), books.account, amount, each.reward_id))
    return takes[::-1]


def _paid_debts(fresh: Sequence[OpenLot], noted: Iterable[Unnoted], surplus: int) -> list[Unnoted]:
    found = []
    noted = list(noted)
    for lot in sorted(fresh):
        amount = min(lot.remaining - _used(lot.id, noted), surplus)
        surplus -= amount
        if amount:
            found.append(Unnoted(lot.id, lot.id, amount))
    return found


def _used(lot_id: int, noted: Iterable[Unnoted]) -> int:
    return sum(each.amount for each in noted if each.lot_id == lot_id)

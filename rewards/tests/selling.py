"""A stage for tests of spending: gifts of the catalogue, and members with points."""

from datetime import datetime
from itertools import count
from typing import Any

from core.db import fetch, transaction
from members.models import Member
from rewards import ledger, purchases
from rewards.actors import Actor
from rewards.ledger import Move
from rewards.models import Asset, Gift, Redemption
from rewards.purchases import Wanted
from rewards.tests.stage import NOON

numbers = count(1)
BOT = Actor("key", "bot")
MARTA = Actor("staff", "marta")

ADDRESS = {"name": "Anna K.", "street": "Tverskaya 1, flat 2", "city": "Moscow"}


def put_on_sale(**columns: Any) -> Gift:
    """Make a gift of the catalogue: a mug for 100 points, of which there are any number."""
    usual = {
        "code": f"mug-{next(numbers)}",
        "kind": "product",
        "name": "Mug",
        "asset": Asset.objects.get(code="points"),
        "price": 100,
        "terms": {"needs_address": False},
    }
    return Gift.objects.create(**{**usual, **columns})


@transaction
def earn(member: Member, amount: int, *, expires_at: datetime | None = None, at: datetime = NOON) -> None:
    """Give a member points by hand."""
    move = Move(
        key=f"given:{next(numbers)}",
        reason="adjust",
        member_id=member.pk,
        asset_id=Asset.objects.get(code="points").pk,
        amount=amount,
        expires_at=expires_at,
        note="A present",
    )
    ledger.post(moves=[move], at=at)


@transaction
def buy(member: Member, gift: Gift, *, at: datetime = NOON, key: str = "", **told: Any) -> Redemption:
    """Let a member buy, in a transaction of its own."""
    wanted = Wanted(key=key or f"buy-{next(numbers)}", member_id=member.pk, gift_code=gift.code, **told)
    return purchases.buy(wanted=wanted, actor=BOT, at=at)


@transaction
def call_off(made: Redemption, *, at: datetime = NOON) -> Redemption:
    """Call a purchase off, in a transaction of its own."""
    return purchases.cancel(redemption_id=made.pk, reason="A mistake", actor=MARTA, at=at)


def left_of(member: Member) -> list[tuple[int, datetime | None]]:
    """Return what is left of a member's points, lot by lot, in the order in which they expire."""
    rows = fetch(
        "SELECT l.remaining, l.expires_at FROM rewards_lot l JOIN rewards_account a ON a.id = l.account_id "
        "WHERE a.member_id = %(id)s AND l.remaining > 0 ORDER BY l.expires_at NULLS LAST, l.posting_id",
        {"id": member.pk},
    )
    return [(row.remaining, row.expires_at) for row in rows]

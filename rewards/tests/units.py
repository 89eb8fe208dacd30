"""What tests of balances need besides rewards: assets with all their accounts, and units that somebody simply has."""

from datetime import datetime
from itertools import count
from typing import Any

from core.db import transaction
from members.models import Member
from rewards import ledger
from rewards.actors import Actor
from rewards.ledger import Move
from rewards.models import Account, Asset
from rewards.tests.stage import NOON

MARTA, ANTON = Actor("staff", "marta"), Actor("staff", "anton")
NUMBERS = count(1)


def make_asset(code: str = "cash", **columns: Any) -> Asset:
    """Make money in roubles, or something else, with the tenant's accounts of it."""
    usual: dict[str, Any] = {"name": code.capitalize(), "minor_per_unit": 1}
    if code == "cash":
        usual |= {"kind": "money", "currency": "RUB", "scale": 2, "payout_min": 1_000}
    asset = Asset.objects.create(code=code, **{**usual, **columns})
    for kind in ("issue", "escrow", "spend", "expiry", "writeoff"):
        Account.objects.create(kind=kind, asset=asset)
    return asset


@transaction
def has(member: Member, amount: int, asset: Asset, *, expires_at: datetime | None = None, at: datetime = NOON) -> None:
    """Let a member have so much more of an asset, as a lot of its own; less than zero becomes a debt."""
    move = Move(
        key=f"test:{next(NUMBERS)}",
        reason="adjust",
        member_id=member.pk,
        asset_id=asset.pk,
        amount=amount,
        other="issue" if amount > 0 else "writeoff",
        expires_at=expires_at,
        may_owe=amount < 0,
        note="in a test",
    )
    ledger.post(moves=[move], at=at)

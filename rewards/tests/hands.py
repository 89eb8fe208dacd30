"""Giving and taking by hand: moves that need nothing but a note."""

from datetime import datetime
from itertools import count
from typing import Any

from core.db import execute, transaction
from members.models import Member
from rewards import ledger
from rewards.ledger import Move
from rewards.models import Asset
from rewards.tests.stage import NOON

numbers = count(1)


@transaction
def give(member: Member, amount: int, *, asset: str = "points", at: datetime = NOON, **how: Any) -> str:
    """Give so much, or take it where it is below zero; return the key."""
    key = how.pop("key", "") or f"hand:{next(numbers)}"
    asset_id = Asset.objects.get(code=asset).pk
    ledger.post(moves=[Move(key, "adjust", member.pk, asset_id, amount, note="By hand.", **how)], at=at)
    return key


def moved(member: Member, *, at: datetime) -> None:
    """Let a member have earned or spent last at that time."""
    execute("UPDATE rewards_account SET moved_at = %s WHERE member_id = %s", [at, member.pk])

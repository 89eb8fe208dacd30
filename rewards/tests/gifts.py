"""Gifts for tests, and giving one as a verb of a higher floor would."""

from datetime import datetime
from itertools import count
from typing import Any

from core.db import transaction
from members.models import Member
from rewards import entitlements
from rewards.entitlements import NewEntitlement
from rewards.models import Entitlement, Gift
from rewards.tests.stage import NOON

numbers = count(1)

TERMS: dict[str, dict[str, Any]] = {
    "discount": {"type": "percent", "rate_bps": 1_500, "valid_days": 60, "pattern": "COFFEE-####-????"},
    "privilege": {"days": 30},
    "product": {"needs_address": False},
    "content": {"url": "https://example.com/notes"},
}


def gift(kind: str, *, code: str = "", terms: dict[str, Any] | None = None, **columns: Any) -> Gift:
    """Make a gift of a kind, with usual terms changed by `terms`."""
    code = code or f"{kind}-{next(numbers)}"
    usual = {"name": code.title(), "terms": TERMS.get(kind, {}) | (terms or {})}
    return Gift.objects.create(code=code, kind=kind, **{**usual, **columns})


def new(gift: Gift, member: Member, **columns: Any) -> NewEntitlement:
    """Return something that is yet to be given."""
    usual = {"key": f"gift:{next(numbers)}", "kind": gift.kind, "gift_id": gift.pk, "member_id": member.pk}
    return NewEntitlement(**{**usual, **columns})


def give(gift: Gift, *members: Member, at: datetime = NOON, **columns: Any) -> list[Entitlement]:
    """Give each of the members one."""
    with transaction():
        return entitlements.give(new=[new(gift, each, **columns) for each in members], at=at)


def stop(*given: Entitlement, why: str = "order returned", at: datetime = NOON) -> dict[int, str]:
    """Take them back as they stand now."""
    with transaction():
        fresh = list(Entitlement.objects.filter(pk__in=[each.pk for each in given]).select_related("gift"))
        return entitlements.stop(entitlements=fresh, why=why, at=at)


def statuses(*given: Entitlement) -> list[str]:
    return [Entitlement.objects.get(pk=each.pk).status for each in given]

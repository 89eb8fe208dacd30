"""Exclusive content on its way: the member may open it at once."""

from collections.abc import Sequence
from datetime import datetime

from core.db import in_transaction
from rewards import entitlements as all_entitlements
from rewards.entitlements import Issue
from rewards.models import Entitlement, Reward

Status = Entitlement.Status


@in_transaction
def begin(*, entitlements: Sequence[Entitlement], at: datetime) -> None:
    """Issue them all."""
    all_entitlements.mark_issued(issues=[Issue(id=each.pk, valid_from=at) for each in entitlements], at=at)


@in_transaction
def stop(*, entitlements: Sequence[Entitlement], why: str, at: datetime) -> dict[int, str]:
    """Close it again, unless it has been opened: what has been read stays read."""
    seen = {each.pk: reason for each in entitlements if (reason := why_lost(entitlement=each))}
    going = [each.pk for each in entitlements if each.pk not in seen]
    all_entitlements.cancel(ids=going, was=[Status.WAITING, Status.ISSUED], why=why, at=at)
    return seen


def why_lost(*, entitlement: Entitlement) -> str:
    """Say why it cannot be taken back: it has been opened."""
    return str(Reward.LostWhy.SHOWN) if entitlement.shown_at is not None else ""

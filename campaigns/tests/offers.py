"""Offers and rules for the pure tests: each says only what it is about."""

from datetime import UTC, datetime
from typing import Any

from campaigns.definitions import Offer, RuleLine

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def rule(**told: Any) -> RuleLine:
    """Return a rule: 100 points to the inviter for every paid order, unless told otherwise."""
    return RuleLine(
        **{
            "id": 1,
            "position": 0,
            "trigger": "order.paid",
            "recipient": "inviter",
            "order_number": "any",
            "match": "all",
            "conditions": (),
            "reward_kind": "points",
            "amount_kind": "fixed",
            "amount_points": 100,
            "rate_bps": None,
            "hold_days": 0,
            **told,
        }
    )


def offer(**told: Any) -> Offer:
    """Return an active campaign's first version, in force since noon, without an end or a budget."""
    return Offer(
        **{
            "campaign_id": 1,
            "name": "Bring a friend",
            "version_id": 11,
            "number": 1,
            "valid_from": NOON,
            "status": "active",
            "starts_at": NOON,
            "ends_at": None,
            "budget_points": None,
            "when_short": "refuse",
            "priority": 0,
            "exclusive_group": "",
            "rules": (rule(),),
            "limits": (),
            "tiers": (),
            **told,
        }
    )

"""For tests of rules that start from facts: the parts of such rules, and what came of them."""

from typing import Any

from events.models import Event
from rewards.models import Reward

EARN = {
    "recipient": "actor",
    "order_number": "any",
    "amount_kind": "percent",
    "rate_bps": 10_000,
    "amount_points": None,
}
ON_LEVEL = {"trigger": "level.reached", "recipient": "actor", "order_number": "any"}
CODE = {"reward_kind": "discount", "reward_what": "thousand", "amount_points": 1}


def asks_for(*codes: str) -> dict[str, Any]:
    """Return the condition that it is one of these levels."""
    return {"conditions": [{"field": "level", "operator": "one_of", "value": list(codes)}]}


def reached(**told: Any) -> list[Event]:
    return list(Event.objects.filter(kind="level.reached", **told).order_by("pk"))


def codes_given() -> list[tuple[str, str]]:
    """Return what became of each personal code, and what it is for."""
    rows = Reward.objects.filter(kind="discount").order_by("pk")
    return [(row.status, row.occurrence) for row in rows]

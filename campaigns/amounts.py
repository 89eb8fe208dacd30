"""How much a rule gives. Pure whole-number arithmetic; every rounding is downwards: never more than was promised."""

from collections.abc import Sequence
from typing import Final

from campaigns.definitions import RuleLine, Tier

BPS: Final = 10_000  # basis points in a whole: 250 bps are 2.50 %


def points_due(
    rule: RuleLine, tiers: Sequence[Tier], *, order_minor: int | None, minor_per_point: int, nth: int
) -> int:
    """
    Return the points that `rule` gives for one event: 0 when it gives none.

    `minor_per_point` is what one point is worth in minor units of the order's currency; `nth` is the number that this
    qualified referral has among the inviter's, from 1.
    """
    match rule.amount_kind:
        case "fixed":
            return max(rule.amount_points or 0, 0)
        case "percent":
            return percent_of(order_minor or 0, rate_bps=rule.rate_bps or 0, minor_per_point=minor_per_point)
        case "tiers":
            return step_of(tiers, nth=nth)
    return 0


def percent_of(order_minor: int, *, rate_bps: int, minor_per_point: int) -> int:
    """Return `rate_bps` of an order in points, rounded down once, at the very end: half a point earns nothing."""
    if order_minor <= 0 or rate_bps <= 0:
        return 0
    return order_minor * rate_bps // (BPS * minor_per_point)


def step_of(tiers: Sequence[Tier], *, nth: int) -> int:
    """Return what the last step that `nth` has reached pays, or 0 before the first step. The order of steps is free."""
    reached = [tier for tier in tiers if tier.from_count <= nth]
    return max(reached, key=lambda tier: tier.from_count).amount_points if reached else 0

"""How much a rule gives. Pure whole-number arithmetic, rounded once, at the very end, as the asset says."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from campaigns.definitions import RuleLine, Tier

BPS: Final = 10_000  # basis points in a whole: 250 bps are 2.50 %
HALF_UP: Final = "half_up"


class Worth(NamedTuple):
    """
    What an asset is counted by.

    A whole of it is `10 ** scale` units, and worth `minor_per_unit` minor units of the order's currency. Rounded down
    nobody gets more than was promised; `half_up` is to the nearest, and half a unit is one.
    """

    minor_per_unit: int
    scale: int = 0
    rounding: str = "down"


def units_due(rule: RuleLine, tiers: Sequence[Tier], *, order_minor: int | None, worth: Worth, nth: int) -> int:
    """
    Return the units of its asset that `rule` gives for one event: 0 when it gives none.

    `nth` is the number that this qualified referral has among the inviter's, from 1.
    """
    match rule.amount_kind:
        case "fixed":
            return max(rule.amount_points or 0, 0)
        case "percent":
            return percent_of(order_minor or 0, rate_bps=rule.rate_bps or 0, worth=worth)
        case "tiers":
            return step_of(tiers, nth=nth)
    return 0


def percent_of(order_minor: int, *, rate_bps: int, worth: Worth) -> int:
    """Return `rate_bps` of an order in units, rounded once: down, half a unit earns nothing."""
    if order_minor <= 0 or rate_bps <= 0:
        return 0
    whole = BPS * worth.minor_per_unit
    units = order_minor * rate_bps * int(10**worth.scale)
    return (2 * units + whole) // (2 * whole) if worth.rounding == HALF_UP else units // whole


def multiplied(units: int, *, multiplier_bps: int) -> int:
    """Return what a level makes of units, rounded down."""
    return units * multiplier_bps // BPS


def step_of(tiers: Sequence[Tier], *, nth: int) -> int:
    """Return what the last step that `nth` has reached pays, or 0 before the first step. The order of steps is free."""
    reached = [tier for tier in tiers if tier.from_count <= nth]
    return max(reached, key=lambda tier: tier.from_count).amount_points if reached else 0

"""What a reward costs the tenant, in minor units of its currency. Pure."""

from typing import Final, NamedTuple

from core import money


class Price(NamedTuple):
    """What units cost: `minor` minor units of the tenant's currency for each `per` of them, rounded up."""

    minor: int = 0
    per: int = 1

    def cost_of(self, units: int) -> int:
        """Return what so many units cost, rounded up: a budget must cover it."""
        return money.divide_up(units * self.minor, self.per)

    def units_for(self, cost_minor: int, *, units: int) -> int:
        """Return how many of `units` cost no more than that, rounded down."""
        return min(units, money.divide_down(cost_minor * self.per, self.minor)) if self.minor else units


FREE: Final = Price()


def of_gift(*, kind: str, cost_minor: int | None) -> Price:
    """Return what a gift costs: a certificate its value, which is its amount; of all else there is one."""
    return Price(1) if kind in {"certificate", "pool"} else Price(cost_minor or 0)


def left(*, cost_minor: int, given: int, reversed: int) -> int:  # noqa: A002 (the column's name)
    """Return what is left of a reward's cost once part of it was taken back; what came back is rounded down."""
    return cost_minor - money.divide_down(cost_minor * reversed, given)

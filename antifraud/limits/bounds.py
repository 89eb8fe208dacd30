"""What one counter has room for. Pure."""

from typing import NamedTuple

from antifraud.limits.usage import Asked, Figures, Key
from campaigns.definitions import LimitLine, Miss


class Bound(NamedTuple):
    """
    One counter that a reward must find room in, and how much it may hold.

    `limit` is the limit's line; None: it is the campaign's budget. `may_cap` lets it give what is left.
    """

    key: Key
    campaign_id: int
    max_count: int | None
    max_points: int | None
    max_cost_minor: int | None
    may_cap: bool
    limit: LimitLine | None = None
    is_everywhere: bool = False

    @property
    def maxima(self) -> tuple[int | None, int | None, int | None]:
        """The maxima in the order of Figures."""
        return self.max_count, self.max_points, self.max_cost_minor

    @property
    def is_open(self) -> bool:
        """Whether it holds as much as you like: it only counts."""
        return self.max_count is None and self.max_points is None and self.max_cost_minor is None


def within(bound: Bound, used: Figures, asked: Asked) -> Asked | Miss:
    """Return what is left of what is asked, or the bound's no."""
    if bound.max_count is not None and used.rewards >= bound.max_count:
        return Miss("limit_count", _told(bound, {"max": bound.max_count}))
    found = _within_points(bound, used, asked)
    return found if isinstance(found, Miss) else _within_cost(bound, used, found)


def _within_points(bound: Bound, used: Figures, asked: Asked) -> Asked | Miss:
    most = bound.max_points
    if most is None or not asked.points or used.points + asked.points <= most:
        return asked
    left = max(most - used.points, 0)
    cut = asked.within(points=left) if bound.may_cap else None
    if cut:
        return cut
    if bound.limit is None:
        return Miss("budget", {"budget": most, "left": left})
    return Miss("limit_points", _told(bound, {"max": most}))


def _within_cost(bound: Bound, used: Figures, asked: Asked) -> Asked | Miss:
    most = bound.max_cost_minor
    if most is None or not asked.cost_minor or used.cost_minor + asked.cost_minor <= most:
        return asked
    left = max(most - used.cost_minor, 0)
    cut = asked.within(cost_minor=left) if bound.may_cap else None
    if cut:
        return cut
    if bound.limit is None:
        return Miss("budget_cost", {"budget_minor": most, "left_minor": left})
    return Miss("limit_cost", _told(bound, {"max_minor": most}))


def _told(bound: Bound, most: dict[str, int]) -> dict[str, object]:
    """Return which limit said no, as a sentence about it needs it."""
    told: dict[str, object] = {**most}
    if bound.limit is not None:
        told = {"per": bound.limit.per, "period": bound.limit.period, **most}
        told |= {"days": bound.limit.days} if bound.limit.days else {}
    return told | ({"everywhere": True} if bound.is_everywhere else {})

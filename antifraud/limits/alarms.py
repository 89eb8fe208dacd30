"""Budgets, and limits for all together, that are nearly used up or used up. Pure."""

from datetime import date
from typing import Final, NamedTuple

from antifraud.limits.bounds import Bound
from antifraud.limits.usage import Figures, Key

NEARLY: Final = "nearly_used"
UP: Final = "used_up"
# From so much of a maximum on it is told.
LEVELS: Final = ((NEARLY, 80), (UP, 100))
WHOLE: Final = 100
MEASURES: Final = ("count", "points", "cost_minor")


class Alarm(NamedTuple):
    """
    One measure of a limit or budget is at 80 or 100 percent, or refused somebody.

    `limit_id` is None for a budget, `campaign_id` for a limit over all campaigns; `day` is one of a rolling limit's
    days, nothing else has one.
    """

    level: str
    key: Key
    measure: str
    used: int
    maximum: int
    limit_id: int | None
    campaign_id: int | None
    day: date | None

    @property
    def name(self) -> str:
        """What makes it one alarm: of one maximum in one period. A larger maximum is worth another."""
        start = (self.day or self.key.period_start.date()).isoformat()
        whose = f"{self.key.scope}:{self.key.scope_id}:{self.key.period}:{start}"
        return f"limit:{whose}:{self.measure}:{self.maximum}:{self.level}"


class Alarms:
    """The alarms of one batch, each once."""

    def __init__(self) -> None:
        self.found: dict[str, Alarm] = {}

    def look(self, bound: Bound, before: Figures, after: Figures, *, day: date | None) -> None:
        """Note what a reservation brings to a level that it was below."""
        for measure, most, was, now in zip(MEASURES, bound.maxima, before, after, strict=True):
            for level, percent in LEVELS:
                if most is not None and was * WHOLE < most * percent <= now * WHOLE:
                    self._note(level, bound, measure, now, most, day)

    def refuse(self, bound: Bound, used: Figures, *, day: date | None) -> None:
        """Note that a bound had not enough left for a reward, of whatever it has least left."""
        shares = [
            (now / most, measure, now, most)
            for measure, most, now in zip(MEASURES, bound.maxima, used, strict=True)
            if most is not None
        ]
        _share, measure, now, most = max(shares)
        self._note(UP, bound, measure, now, most, day)

    def _note(self, level: str, bound: Bound, measure: str, used: int, most: int, day: date | None) -> None:
        limit_id = bound.limit.id if bound.limit else None
        campaign_id = None if bound.is_everywhere else bound.campaign_id
        alarm = Alarm(level, bound.key, measure, used, most, limit_id, campaign_id, day)
        self.found.setdefault(alarm.name, alarm)

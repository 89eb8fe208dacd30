"""How much of what has been used: the values that limits, budgets, ladders and stop rules are decided from. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class Key(NamedTuple):
    """
    Which counter: of a limit, campaign or rule; of one member or all together (0); in the period that begins then.

    A limit's counters belong to its row: one that is deleted and made again counts anew, from the rewards there are.
    """

    scope: str
    scope_id: int
    member_id: int
    period: str
    period_start: datetime


class Window(NamedTuple):
    """What a stop rule looks at: the rewards that a campaign gave since an instant."""

    stop_rule_id: int
    campaign_id: int
    since: datetime


@dataclass(slots=True)
class Used:
    """Rewards that count (of several given at once the first) and points, and the maxima at the last reservation."""

    count: int = 0
    points: int = 0
    max_count: int | None = None
    max_points: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters, and the windows by stop rule and campaign, that were asked for; one never used reads zero."""

    counters: dict[Key, Used]
    windows: dict[tuple[int, int], Used]

"""How much of what has been used: the values that limits, budgets and ladders are decided from. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from antifraud.stops.minutes import Tally, Window
from rewards.costs import FREE, Price

# Of a device's or card's blind index so many hexadecimal digits make its number: they fit into a bigint.
SUBJECT_DIGITS: Final = 15
# Beside its days a counter of a device or card remembers up to which identity it knows who uses it.
KNOWN: Final = "known"


class Key(NamedTuple):
    """
    Which counter: of a limit, campaign or rule; of one person or thing, or all together (0); in the period from then.

    A limit's counters belong to its row: one that is deleted and made again counts anew, from the rewards there are.
    """

    scope: str
    scope_id: int
    subject_id: int
    period: str
    period_start: datetime


class Ask(NamedTuple):
    """A counter to be read: of one campaign's rewards, or all (0); of each device or card of `actor_id`, if told."""

    key: Key
    campaign_id: int = 0
    actor_id: int = 0


class Thing(NamedTuple):
    """A device or card of somebody's: its number among the counters, and since when it is known to be theirs."""

    subject_id: int
    added_at: datetime


class Figures(NamedTuple):
    """So many rewards, points and minor units of cost."""

    rewards: int = 0
    points: int = 0
    cost_minor: int = 0

    def plus(self, other: "Figures") -> "Figures":
        """Return the sum."""
        return Figures(self.rewards + other.rewards, self.points + other.points, self.cost_minor + other.cost_minor)

    def negative(self) -> "Figures":
        """Return what takes these away."""
        return Figures(-self.rewards, -self.points, -self.cost_minor)


@dataclass(slots=True)
class Used:
    """
    Rewards that count (of several given at once the first), points and cost, and the maxima at the last reservation.

    `days` are the figures of each local day of a rolling limit's block; `known` is the last identity that a device's
    or card's counter has heard of.
    """

    count: int = 0
    points: int = 0
    max_count: int | None = None
    max_points: int | None = None
    cost_minor: int = 0
    max_cost_minor: int | None = None
    days: dict[date, Figures] = field(default_factory=dict)
    known: int = 0

    @property
    def figures(self) -> Figures:
        """What is used."""
        return Figures(self.count, self.points, self.cost_minor)

    def add(self, figures: Figures, *, day: date | None = None) -> None:
        """Count more, or less; on a day, where days are counted."""
        self.count += figures.rewards
        self.points += figures.points
        self.cost_minor += figures.cost_minor
        if day is not None:
            now = self.days.pop(day, Figures()).plus(figures)
            if any(now):
                self.days[day] = now

    def give_way(self) -> None:
        """Let the maxima be no less than what is counted, which they did not bind."""
        self.max_count = self.max_count and max(self.max_count, self.count)
        self.max_points = self.max_points and max(self.max_points, self.points)
        self.max_cost_minor = self.max_cost_minor and max(self.max_cost_minor, self.cost_minor)


@dataclass(frozen=True, slots=True)
class Reading:
    """
    The counters, and the sums of windows, that were asked for; one never used reads zero.

    `things` are the devices and cards, by kind and member, of those whose were asked for.
    """

    counters: dict[Key, Used]
    windows: Mapping[Window, Tally | None]
    things: Mapping[tuple[str, int], tuple[Thing, ...]] = field(default_factory=dict)


def subject_of(lookup: str) -> int:
    """Return the number of a device or card among the counters, from its blind index."""
    return int(lookup[:SUBJECT_DIGITS], 16)


def fullest(uses: Iterable[Used], *, day: date, days: int) -> Figures:
    """
    Return the most of each figure in any `days` consecutive days that `day` is one of.

    That is what a rolling limit allows so much of: who comes late must not overfill a window that has passed either.
    `uses` are the blocks around the day.
    """
    used = {each: figures for one in uses for each, figures in one.days.items()}
    near = [used.get(day + timedelta(days=nth), Figures()) for nth in range(1 - days, days)]
    most = []
    for column in range(len(Figures._fields)):
        window = sum(each[column] for each in near[:days])
        best = window
        for leaving, coming in zip(near, near[days:], strict=False):
            window += coming[column] - leaving[column]
            best = max(best, window)
        most.append(best)
    return Figures(*most)


class Asked(NamedTuple):
    """
    What a reward asks of limits: points, and a cost.

    `units` are what it can be cut down to fewer of, at a `price`; 0: it is given whole or not at all.
    """

    points: int = 0
    cost_minor: int = 0
    units: int = 0
    price: Price = FREE

    def within(self, *, points: int | None = None, cost_minor: int | None = None) -> "Asked | None":
        """Return what of it costs no more than that, or None if nothing does."""
        units = self.units
        if points is not None and self.points:
            units = min(units, points)
        if cost_minor is not None:
            units = self.price.units_for(cost_minor, units=units)
        if units <= 0:
            return None
        return Asked(units if self.points else 0, self.price.cost_of(units), units, self.price)

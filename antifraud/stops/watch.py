"""Which stop rules fire while a batch is decided, and which of its rewards wait because of one. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from antifraud.stops import anomaly, windows
from antifraud.stops.anomaly import Usual
from antifraud.stops.minutes import COUNTED, Figure, Subject, Tally, Window, figure_of
from antifraud.stops.windows import ANOMALY, BELOW, STOP, THROTTLE, PastTrip, StopLine, type_of_windows

# What a subject earns waits for a moderator while such a trip is open; of a throttled one, what is too much.
HOLDING: Final = frozenset({STOP, "flag", "block"})


@dataclass(slots=True)
class Tripped:
    """A stop rule fired. `evidence` is what its rewards tell of it: the trip's number, once the trip is written."""

    stop_rule: StopLine
    subject: Subject
    figure: int
    usual: Usual | None = None
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def campaign_id(self) -> int | None:
        """The campaign it is about, if it is about one."""
        return windows.campaign_of(self.subject)

    @property
    def action(self) -> str:
        """What follows."""
        return self.stop_rule.action

    @property
    def throttle_per_hour(self) -> int | None:
        """How many rewards an hour are not too many."""
        return self.stop_rule.throttle_per_hour


@dataclass(slots=True)
class _Gauge:
    """A stop rule on one subject, with what its window has seen before this batch."""

    rule: StopLine
    before: Tally
    usual: Usual | None

    def figure(self, noted: Tally) -> Figure | None:
        columns = COUNTED.get(self.rule.metric)
        if columns is None:
            both = self.before.plus(noted)
            return figure_of(metric=self.rule.metric, tally=both, data_min=self.rule.data_min)
        # Asked for each reward: not all the other columns.
        return Figure(*[getattr(self.before, column) + getattr(noted, column) for column in columns])

    @property
    def room(self) -> tuple[str, int]:
        """Of a rule that counts: the column, and how much of it may be noted before that is out of bounds."""
        column = COUNTED[self.rule.metric][0]
        return column, self.rule.threshold - getattr(self.before, column)


def _is_counted(rule: StopLine) -> bool:
    return rule.comparison != BELOW and rule.metric in COUNTED


def is_out(rule: StopLine, figure: Figure, usual: Usual | None) -> bool:
    """Tell whether a figure is out of bounds; `usual` is what an anomaly is compared with."""
    if rule.comparison == BELOW:
        return figure.number < rule.threshold
    return figure.number > rule.threshold and (usual is None or usual.is_passed_by(figure))


class Watch:
    """
    How close the stop rules are while a batch is decided.

    It starts from the `sums` of windows and moves with what is noted. `noted` is what has to be written: what happened
    in this minute, by subject. History is not noted. `may_stop` tells whether a campaign can be stopped at all;
    `trips` are in the order in which they were closed.
    """

    def __init__(
        self,
        *,
        stop_rules: Sequence[StopLine],
        trips: Sequence[PastTrip],
        sums: type_of_windows,
        zone: tzinfo,
        may_stop: Callable[[int], bool],
        at: datetime,
    ) -> None:
        self.noted: dict[Subject, Tally] = {}
        self.tripped: list[Tripped] = []
        self._stop_rules = stop_rules
        self._trips = trips
        self._sums = sums
        self._zone = zone
        self._may_stop = may_stop
        self._at = at
        self._scopes = {each.scope for each in stop_rules}
        self._gauges: dict[tuple[int, Subject], _Gauge | None] = {}
        # By subject to which something has happened, of each rule that counts.
        self._rooms: dict[Subject, list[tuple[str, int]]] = {}
        self._open: defaultdict[Subject, list[PastTrip | Tripped]] = defaultdict(list)
        for trip in trips:
            if trip.is_open:
                self._open[trip.subject].append(trip)

    def note(self, subject: Subject, happened: Mapping[str, int]) -> None:
        """Count what has just been decided, by columns of Tally, and see whether a stop rule fires of it."""
        # There are as many inviters as there are people: they are counted for who asks.
        if subject.scope == "inviter" and "inviter" not in self._scopes:
            return
        tally = self.noted.get(subject)
        if tally is None:
            tally = self.noted[subject] = Tally()
            self._rooms[subject] = self._rooms_of(subject)
        tally.add(happened)
        # Several times for each reward: what nobody is near of costs no more than this comparison.
        for column, room in self._rooms[subject]:
            if getattr(tally, column) > room:
                self._look(subject, _is_counted)
                break

    def close(self) -> None:
        """Look at shares and averages: in the middle of a batch they say little."""
        for subject in list(self.noted):
            self._look(subject, lambda rule: not rule.can_wait and rule.metric not in COUNTED)

    def look(self, subject: Subject, *, known_since: datetime | None) -> None:
        """Look at a subject to which nothing has happened; at too little, if it has been there for the whole window."""

        def is_asked(rule: StopLine) -> bool:
            is_full = known_since is not None and known_since <= windows.since_of(rule, at=self._at)
            return rule.comparison != BELOW or is_full

        self._look(subject, is_asked)

    def hold(self, subjects: Iterable[Subject]) -> Mapping[str, Any] | None:
        """Return what a reward tells of the trip that makes it wait for a moderator, or None if none does."""
        for subject in subjects:
            for trip in self._open.get(subject, ()):
                if trip.action in HOLDING or (trip.action == THROTTLE and self._is_too_much(subject, trip)):
                    return trip.evidence if isinstance(trip, Tripped) else {"trip": trip.id}
        return None

    def _is_too_much(self, subject: Subject, trip: PastTrip | Tripped) -> bool:
        before = self._sums[windows.hour_of(subject, zone=self._zone, at=self._at)] or Tally()
        noted = self.noted.get(subject) or Tally()
        return before.rewards + noted.rewards > (trip.throttle_per_hour or 0)

    def _look(self, subject: Subject, is_asked: Callable[[StopLine], bool]) -> None:
        for rule in self._stop_rules:
            gauge = self._gauge(rule, subject) if rule.is_about(subject) and is_asked(rule) else None
            figure = gauge and gauge.figure(self.noted.get(subject) or Tally())
            if gauge and figure and is_out(rule, figure, gauge.usual):
                self._trip(gauge, subject, figure)

    def _rooms_of(self, subject: Subject) -> list[tuple[str, int]]:
        rules = [rule for rule in self._stop_rules if rule.is_about(subject) and _is_counted(rule)]
        return [gauge.room for rule in rules if (gauge := self._gauge(rule, subject))]

    def _trip(self, gauge: _Gauge, subject: Subject, figure: Figure) -> None:
        self._gauges[gauge.rule.id, subject] = None
        tripped = Tripped(gauge.rule, subject, figure.number, gauge.usual)
        self.tripped.append(tripped)
        self._open[subject].append(tripped)

    def _gauge(self, rule: StopLine, subject: Subject) -> _Gauge | None:
        """Return the gauge of a rule that may fire: none that has, or rests, or would stop what is stopped."""
        if rule.action == STOP and self._is_stopped(subject):
            return None
        key = rule.id, subject
        if key not in self._gauges:
            self._gauges[key] = None if self._rests(rule, subject) else self._new_gauge(rule, subject)
        return self._gauges[key]

    def _is_stopped(self, subject: Subject) -> bool:
        is_stopped = any(each.action == STOP for each in self._open.get(subject, ()))
        return is_stopped or not self._may_stop(int(subject.name))

    def _new_gauge(self, rule: StopLine, subject: Subject) -> _Gauge | None:
        since, without = windows.begin_of(rule, subject, trips=self._trips, at=self._at)
        before = (self._sums[Window(subject, since)] or Tally()).minus(without)
        usual = None
        if rule.comparison == ANOMALY:
            usual = self._usual(rule, subject)
            if usual is None:
                return None
        return _Gauge(rule, before, usual)

    def _usual(self, rule: StopLine, subject: Subject) -> Usual | None:
        known = [self._sums[window] for window in windows.weeks_of(rule, subject, zone=self._zone, at=self._at)]
        figures = [
            figure
            for tally in known
            if tally is not None
            and (figure := figure_of(metric=rule.metric, tally=tally, data_min=rule.data_min)) is not None
        ]
        return anomaly.usual_of(figures) if len(figures) >= rule.weeks_min else None

    def _rests(self, rule: StopLine, subject: Subject) -> bool:
        rest = timedelta(minutes=rule.cooldown_minutes)
        for trip in self._trips:
            if (trip.stop_rule_id, trip.subject) == (rule.id, subject):
                if trip.resumed_at is None or self._at < trip.resumed_at + rest:
                    return True
                # Too little is only known of a window that is over.
                if rule.comparison == BELOW and trip.resumed_at > windows.since_of(rule, at=self._at):
                    return True
        return False

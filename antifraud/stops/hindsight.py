"""What a stop rule would have done: where it would have tripped, in what has happened. Pure."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import accumulate
from typing import Final, NamedTuple

from antifraud.stops import anomaly
from antifraud.stops.anomaly import Usual
from antifraud.stops.minutes import Figure, Tally, figure_of
from antifraud.stops.watch import is_out
from antifraud.stops.windows import ANOMALY, BELOW, WEEKS_MAX, StopLine, weeks_before

HOUR: Final = timedelta(hours=1)
# Where nothing goes on by itself somebody is taken to have looked at it within a day.
LOOKED_AT: Final = timedelta(days=1)


class Step(NamedTuple):
    """
    A window that ended at `at`: its figure, None if too little had happened to tell.

    `bound` is what the figure may not pass, None where there was too little history to compare with.
    """

    at: datetime
    figure: int | None
    bound: int | None
    is_trip: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """How it went for one campaign, channel, inviter, or everything."""

    subject: str
    steps: tuple[Step, ...]

    @property
    def trips(self) -> tuple[Step, ...]:
        """Where the rule would have tripped."""
        return tuple(step for step in self.steps if step.is_trip)


class _Past:
    """What happened to one subject, summed from any instant to any other."""

    def __init__(self, buckets: Mapping[datetime, Tally]) -> None:
        self.starts = sorted(buckets)
        self._sums = list(accumulate((buckets[start] for start in self.starts), Tally.plus, initial=Tally()))

    def between(self, since: datetime, until: datetime) -> Tally:
        return self._sums[bisect_left(self.starts, until)].minus(self._sums[bisect_left(self.starts, since)])


def replay(
    *, rule: StopLine, subject: str, buckets: Mapping[datetime, Tally], zone: tzinfo, since: datetime, until: datetime
) -> Replay:
    """
    Return what the rule would have seen from `since` on, at the end of each hour and of whatever else has happened.

    `buckets` are what happened, by the beginning of each hour (or shorter window), from eight weeks before `since` on.
    After it has tripped it rests: until it would have gone on by itself or a day is over, and for its own rest.
    """
    past = _Past(buckets)
    if not past.starts:
        return Replay(subject, ())
    rests = timedelta(minutes=rule.resume_minutes) if rule.resume_minutes else LOOKED_AT
    rests += timedelta(minutes=rule.cooldown_minutes)
    steps: list[Step] = []
    rests_until = since
    for at in _ends(rule, past, since=since, until=until):
        figure, usual = _figure(rule, past, at=at), _usual(rule, past, zone=zone, at=at)
        is_known = rule.comparison != ANOMALY or usual is not None
        is_trip = figure is not None and is_known and at >= rests_until and is_out(rule, figure, usual)
        steps.append(Step(at, figure.number if figure else None, _bound(rule, usual) if is_known else None, is_trip))
        if is_trip:
            rests_until = at + rests
    return Replay(subject, tuple(steps))


def _ends(rule: StopLine, past: _Past, *, since: datetime, until: datetime) -> Sequence[datetime]:
    """Return when to look: each hour once there was anything, and whenever a shorter window ended with something."""
    first = max(since, past.starts[0])
    hours = [since + nth * HOUR for nth in range(1, (until - since) // HOUR + 1)]
    size = timedelta(minutes=rule.window_minutes)
    short = (
        [start + size for start in past.starts if start >= since] if size < HOUR and rule.comparison != BELOW else []
    )
    is_full = first + size if rule.comparison == BELOW else first
    return sorted({end for end in (*hours, *short) if is_full < end <= until})


def _figure(rule: StopLine, past: _Past, *, at: datetime) -> Figure | None:
    tally = past.between(at - timedelta(minutes=rule.window_minutes), at)
    return figure_of(metric=rule.metric, tally=tally, data_min=rule.data_min)


def _usual(rule: StopLine, past: _Past, *, zone: tzinfo, at: datetime) -> Usual | None:
    if rule.comparison != ANOMALY:
        return None
    figures = list(_weeks(rule, past, zone=zone, at=at))
    return anomaly.usual_of(figures) if len(figures) >= rule.weeks_min else None


def _weeks(rule: StopLine, past: _Past, *, zone: tzinfo, at: datetime) -> Iterator[Figure]:
    size = timedelta(minutes=rule.window_minutes)
    for weeks in range(1, WEEKS_MAX + 1):
        end = weeks_before(at, weeks=weeks, zone=zone)
        figure = _figure(rule, past, at=end)
        if end - size >= past.starts[0] and figure is not None:
            yield figure


def _bound(rule: StopLine, usual: Usual | None) -> int:
    return max(rule.threshold, usual.most) if usual else rule.threshold

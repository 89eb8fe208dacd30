"""The way to a trip: what the figure was in the windows before."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from antifraud.stops import tallies
from antifraud.stops.minutes import Figure, Subject, Tally, Window, figure_of
from antifraud.stops.watch import Tripped
from antifraud.stops.windows import MINUTE

# The one that tripped included.
WINDOWS: Final = 24

# By stop rule and subject: instants and figures.
type_of_trails = dict[tuple[int, Subject], list[list[Any]]]


def read(tripped: Sequence[Tripped], *, at: datetime) -> type_of_trails:
    """Return the figures of the windows before, oldest first: in one statement. Where there was none, none."""
    windows = {(each.stop_rule.id, each.subject): _windows_before(each, at=at) for each in tripped}
    sums = tallies.read([window for each in windows.values() for window in each])
    metrics = {each.stop_rule.id: each.stop_rule.metric for each in tripped}
    return {
        (rule_id, subject): [
            [window.until.isoformat(), figure.number]
            for window in each
            if window.until and (figure := _figure(metrics[rule_id], sums[window]))
        ]
        for (rule_id, subject), each in windows.items()
    }


def _figure(metric: str, tally: Tally | None) -> Figure | None:
    return figure_of(metric=metric, tally=tally, data_min=1) if tally else None


def _windows_before(tripped: Tripped, *, at: datetime) -> list[Window]:
    size = timedelta(minutes=tripped.stop_rule.window_minutes)
    end = at.replace(second=0, microsecond=0) + MINUTE
    before = range(WINDOWS - 1, 0, -1)
    return [Window(tripped.subject, end - (nth + 1) * size, end - nth * size) for nth in before]

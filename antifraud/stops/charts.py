"""Figures over time as lines to be drawn: instants and figures in, the points of an SVG out. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from antifraud.stops.hindsight import Step

WIDTH: Final = 720
HEIGHT: Final = 160
# More points than pixels nobody sees.
POINTS_MAX: Final = 360
ROOM: Final = 1.1  # above the highest

SPARK_WIDTH, SPARK_HEIGHT = 96, 24


class Mark(NamedTuple):
    """Where something happened on a chart."""

    x: float
    y: float
    at: datetime
    figure: int


class Chart(NamedTuple):
    """Lines as the `d` of SVG paths, and marks on them; `top` is the figure at the upper edge."""

    figures: str
    bounds: str
    marks: tuple[Mark, ...]
    top: int
    width: int = WIDTH
    height: int = HEIGHT


def of_steps(steps: Sequence[Step], *, since: datetime, until: datetime) -> Chart:
    """Draw what a stop rule would have seen: of several steps on one point the highest, or the one that trips."""
    shown = _thinned(steps, since=since, until=until)
    values = [value for step in shown for value in (step.figure, step.bound) if value is not None]
    top = max([1, *values])
    scale = _Scale(since, until, top * ROOM, WIDTH, HEIGHT)
    return Chart(
        figures=_path([(scale.x(step.at), scale.y(step.figure)) for step in shown]),
        bounds=_path([(scale.x(step.at), scale.y(step.bound)) for step in shown]),
        marks=tuple(
            Mark(scale.x(step.at), scale.y(step.figure) or 0.0, step.at, step.figure or 0)
            for step in steps
            if step.is_trip
        ),
        top=top,
    )


def spark(chart: Iterable[Sequence[object]], *, width: int = SPARK_WIDTH, height: int = SPARK_HEIGHT) -> str:
    """Return the path of a trip's `chart`: so many windows side by side, the last of which tripped."""
    figures = [int(str(figure)) for _instant, figure in chart]
    if len(figures) < 2:
        return ""
    top = max(1, *figures)
    apart = width / (len(figures) - 1)
    return _path(
        [(round(nth * apart, 1), round(height - figure / top * height, 1)) for nth, figure in enumerate(figures)]
    )


class _Scale(NamedTuple):
    since: datetime
    until: datetime
    top: float
    width: int
    height: int

    def x(self, at: datetime) -> float:
        return round((at - self.since) / (self.until - self.since) * self.width, 1)

    def y(self, figure: int | None) -> float | None:
        return None if figure is None else round(self.height - figure / self.top * self.height, 1)


def _thinned(steps: Sequence[Step], *, since: datetime, until: datetime) -> list[Step]:
    size = (until - since) / POINTS_MAX
    found: dict[int, Step] = {}
    for step in steps:
        nth = (step.at - since - timedelta(microseconds=1)) // size
        other = found.get(nth)
        if other is None or (step.is_trip, step.figure or 0) > (other.is_trip, other.figure or 0):
            found[nth] = step
    return [found[nth] for nth in sorted(found)]


def _path(points: Iterable[tuple[float, float | None]]) -> str:
    """Return a path that leaves out where there is nothing."""
    told: list[str] = []
    pen = "M"
    for x, y in points:
        if y is None:
            pen = "M"
        else:
            told.append(f"{pen}{x:g} {y:g}")
            pen = "L"
    return "".join(told)

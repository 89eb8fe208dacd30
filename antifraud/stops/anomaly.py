"""
Is a figure far more than usual at this hour of the week? Pure.

The figure is compared with the same window in the weeks before. Large ones by the modified z-score, 0.6745 (x - median)
/ MAD > 3.5: Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (ASQC, 1993); NIST/SEMATECH e-Handbook of
Statistical Methods, 1.3.5.17. Neither an attack among those weeks nor a holiday moves the median and the MAD (of
the distances from it) by much. Weeks that happen to be alike would make the MAD zero, and any change an anomaly: so
there is a floor under it. Below ten things a normal distribution says little: there the Poisson distribution's own
upper tail is asked.
"""

import math
from collections.abc import Sequence
from statistics import median
from typing import Any, Final, NamedTuple

from antifraud.stops.minutes import Figure

Z_MAX: Final = 3.5
NORMAL: Final = 0.6745  # the upper quartile of the standard normal distribution
SMALL: Final = 10
TAIL: Final = 1e-4
# What never happened so far may happen: half a time, as the usual correction for a count of zero has it.
MEAN_MIN: Final = 0.5

# The floor under the MAD, as a part of the median: weeks of an honest shop differ by pay day, weather or a newsletter,
# and by chance (of n things by the square root of n, which is less than this for all that are not few). With it an
# anomaly is more than three times what is usual.
SWING: Final = 0.4

MAD, POISSON = "mad", "poisson"


class Usual(NamedTuple):
    """
    What is usual: an anomaly is more than `most`, and made of `things_from` things or more.

    `spread` is the MAD with its floor, or 0 where the tail of a Poisson distribution is asked.
    """

    method: str
    middle: float
    spread: float
    most: int
    things_from: int
    weeks: tuple[int, ...]

    def is_passed_by(self, figure: Figure) -> bool:
        """Tell whether a figure is an anomaly."""
        return figure.number > self.most and figure.things >= self.things_from

    def as_json(self) -> dict[str, Any]:
        """Return what Trip.baseline stores."""
        return {
            "method": self.method,
            "median": self.middle,
            "spread": round(self.spread, 2),
            "most": self.most,
            "weeks": list(self.weeks),
        }


def usual_of(weeks: Sequence[Figure]) -> Usual:
    """Return what is usual after these weeks: at least one."""
    numbers = tuple(each.number for each in weeks)
    middle, things = median(numbers), median([each.things for each in weeks])
    if things < SMALL:
        fewest = poisson_from(max(things, MEAN_MIN))
        # Of a count the things are the figure itself; of points or a share only these are of a known distribution.
        is_count = all(each.number == each.things for each in weeks)
        return Usual(POISSON, middle, 0.0, fewest - 1 if is_count else 0, fewest, numbers)
    spread = max(median([abs(number - middle) for number in numbers]), middle * SWING)
    return Usual(MAD, middle, spread, math.floor(middle + Z_MAX * spread / NORMAL), 0, numbers)


def poisson_from(mean: float) -> int:
    """Return the smallest x with P(X >= x) < TAIL, for a Poisson distribution with this mean."""
    x, probability, tail = 0, math.exp(-mean), 1.0
    while tail >= TAIL:
        tail -= probability
        x += 1
        probability *= mean / x
    return x

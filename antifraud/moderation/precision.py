"""
How often a signal was right: the share of the decided cases it was seen in that were rejected, and how sure that is.

The interval is Wilson's score interval for a proportion (E. B. Wilson, "Probable inference, the law of succession, and
statistical inference", JASA 22, 1927), which stays between 0 and 1 and means something for a handful of cases too.
Pure.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

# The normal distribution's, for 95 %.
Z: Final = 1.959964
# With fewer decided cases than this the interval is so wide that nobody should change a weight by it.
DECIDED_MIN: Final = 20


@dataclass(frozen=True, slots=True)
class Precision:
    """One signal in decided cases. `is_shadow` says that it was only recorded in all of them."""

    signal: str
    decided: int
    rejected: int
    is_shadow: bool = False

    @property
    def share(self) -> float:
        """The part that was rejected, from 0 to 1."""
        return self.rejected / self.decided

    @property
    def interval(self) -> tuple[float, float]:
        """The bounds between which the true share lies with 95 %."""
        return wilson(self.rejected, of=self.decided)

    @property
    def is_few(self) -> bool:
        """Tell whether there are too few cases to conclude anything."""
        return self.decided < DECIDED_MIN


def wilson(found: int, *, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of which `found` out of `of` were seen; `of` is above zero."""
    share = found / of
    middle = share + Z * Z / (2 * of)
    reach = Z * sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    whole = 1 + Z * Z / of
    # A share of nothing or everything is a bound itself: rounding must lead neither past it nor short of it.
    low, high = max((middle - reach) / whole, 0.0), min((middle + reach) / whole, 1.0)
    return min(low, share), max(high, share)

"""How fast, in events a second."""

import time
from collections.abc import Callable, Sequence
from statistics import median


def seconds(act: Callable[[], object]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def ratios(subject: Sequence[float], reference: Sequence[float]) -> list[float]:
    """Return the subject's rates as parts of the reference's. Of one repetition, both had the same neighbours."""
    return [one / other for one, other in zip(subject, reference, strict=True)]


def shown(rates: Sequence[float]) -> str:
    """Return the median and the extremes for people."""
    return f"{median(rates):,.0f} ({min(rates):,.0f} - {max(rates):,.0f})"

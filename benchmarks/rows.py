"""The rows of the table: what is compared, and how it must come out at least."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Row:
    """One goal. `floor` must hold; `target` is what we aim at. Of a time (`is_most`) the floor is a ceiling."""

    name: str
    what: str
    floor: float
    target: float
    is_most: bool = False
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What came out: one value for each repetition, and the absolute figures behind it, for information."""

    row: Row
    values: Sequence[float]
    figures: Mapping[str, str] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The median, which one disturbed repetition does not move."""
        return median(self.values)

    @property
    def holds(self) -> bool:
        """Whether it is on the right side of the floor."""
        return self.value <= self.row.floor if self.row.is_most else self.value >= self.row.floor

    @property
    def is_on_target(self) -> bool:
        """Whether it is where we want it."""
        return self.value <= self.row.target if self.row.is_most else self.value >= self.row.target


P1: Final = Row(name="P1", what="events scored / rows inserted (L2)", floor=0.06, target=0.12)
P2: Final = Row(name="P2", what="events scored / by hand, one rule (L3)", floor=0.35, target=0.6)
P6: Final = Row(name="P6", what="one event posted / plain view and insert (H1)", floor=0.30, target=0.45)
P7: Final = Row(name="P7", what="events posted by 100 / one by one", floor=8, target=15)
P9: Final = Row(name="P9", what="one event posted / with the tenant known", floor=0.85, target=0.95)
P11: Final = Row(
    name="P11", what="answer to reward, median / empty task (C0)", floor=30, target=15, is_most=True, unit="x"
)
P11_P99: Final = Row(
    name="P11", what="answer to reward, 99th percentile", floor=2000, target=300, is_most=True, unit="ms"
)
LEAK: Final = Row(
    name="A1", what="leaked at 50 x the usual rate / a usual hour", floor=4, target=3.2, is_most=True, unit="x"
)
W1: Final = Row(
    name="W1", what="fact to receiver, beside ten that never answer / alone", floor=5, target=2, is_most=True, unit="x"
)
W1_P99: Final = Row(
    name="W1", what="fact to receiver beside them, 99th percentile", floor=2000, target=500, is_most=True, unit="ms"
)
W2: Final = Row(name="W2", what="facts recorded, told to nobody / without the outbox", floor=0.9, target=0.97)
W3: Final = Row(
    name="W3",
    what="fact to receiver, beside forty of two other tenants that never answer / alone",
    floor=1.5,
    target=1.1,
    is_most=True,
    unit="x",
)

"""What happens minute by minute, as values: of whom, when, how much, and what stop rules measure in it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final, NamedTuple

BPS: Final = 10_000
HUNDREDTHS: Final = 100


class Subject(NamedTuple):
    """What figures are of: a campaign or an inviter by number, a channel by name, or the tenant (no name)."""

    scope: str
    name: str = ""


TENANT: Final = Subject("tenant")


class Window(NamedTuple):
    """The minutes of a subject from `since` up to, not including, `until` (None: all that there are)."""

    subject: Subject
    since: datetime
    until: datetime | None = None


@dataclass(slots=True)
class Tally:
    """What happened, as the columns of antifraud.models.Tally have it."""

    signups: int = 0
    orders: int = 0
    order_minor: int = 0
    refunds: int = 0
    rewards: int = 0
    points: int = 0
    cost_minor: int = 0
    flagged: int = 0
    refused: int = 0
    device_signups: int = 0
    devices: int = 0
    ip_signups: int = 0
    ips: int = 0

    def add(self, happened: Mapping[str, int]) -> None:
        """Count what has happened, by columns."""
        for column, number in happened.items():
            # Of most things that a reward may have it has none.
            if number:
                setattr(self, column, getattr(self, column) + number)

    def plus(self, other: "Tally") -> "Tally":
        """Return the sums of both."""
        return Tally(*[getattr(self, column) + getattr(other, column) for column in COLUMNS])

    def minus(self, other: "Tally") -> "Tally":
        """Return what is left without the other."""
        return Tally(*[getattr(self, column) - getattr(other, column) for column in COLUMNS])

    def as_json(self) -> dict[str, int]:
        """Return the columns that are not zero."""
        return {column: number for column in COLUMNS if (number := getattr(self, column))}


COLUMNS: Final = tuple(field.name for field in fields(Tally))


class Figure(NamedTuple):
    """
    A metric's number, and how many things it is made of.

    Shares are in hundredths of a percent, members on a device or an address in hundredths, money in minor units. Of
    points and cost the things are rewards; of a share or an average, what is counted in it.
    """

    number: int
    things: int


# What is counted grows with each thing, so that a rule sees the very one that is too many. The columns of its figure.
COUNTED: Final[Mapping[str, tuple[str, str]]] = {
    "rewards": ("rewards", "rewards"),
    "points": ("points", "rewards"),
    "cost": ("cost_minor", "rewards"),
    "signups": ("signups", "signups"),
    "orders": ("orders", "orders"),
}


class _Share(NamedTuple):
    """`parts` for each of the `whole`, times `scale`; with fewer than data_min of `data` it says nothing."""

    parts: tuple[str, ...]
    whole: tuple[str, ...]
    scale: int
    data: tuple[str, ...]
    things: tuple[str, ...]


_JUDGED: Final = ("rewards", "refused")
_STRUCK: Final = ("flagged", "refused")
_SHARES: Final[Mapping[str, _Share]] = {
    "flagged_share": _Share(_STRUCK, _JUDGED, BPS, _JUDGED, _STRUCK),
    "refund_share": _Share(("refunds",), ("orders",), BPS, ("orders",), ("refunds",)),
    "conversion": _Share(("orders",), ("signups",), BPS, ("signups",), ("orders",)),
    "order_cost": _Share(("cost_minor",), ("orders",), 1, ("orders",), ("orders",)),
    "device_members": _Share(("device_signups",), ("devices",), HUNDREDTHS, ("device_signups",), ("device_signups",)),
    "ip_members": _Share(("ip_signups",), ("ips",), HUNDREDTHS, ("ip_signups",), ("ip_signups",)),
}


def figure_of(*, metric: str, tally: Tally, data_min: int) -> Figure | None:
    """
    Return a metric's figure, rounded down; None for a share or an average of fewer than `data_min` things.

    Where all sign-ups came from devices that were known before, there is one device at least.
    """
    if metric in COUNTED:
        return Figure(*[getattr(tally, column) for column in COUNTED[metric]])
    share = _SHARES[metric]
    if _sum(tally, share.data) < max(data_min, 1):
        return None
    number = share.scale * _sum(tally, share.parts) // max(_sum(tally, share.whole), 1)
    return Figure(number, _sum(tally, share.things))


def _sum(tally: Tally, columns: tuple[str, ...]) -> int:
    return sum(getattr(tally, column) for column in columns)

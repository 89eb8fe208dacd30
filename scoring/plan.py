"""What was decided about a batch, as plain values: to be written in a fixed number of statements. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from antifraud.judging.observed import Seen
from antifraud.limits.alarms import Alarm
from antifraud.limits.usage import Key, Used
from antifraud.stops.minutes import Subject, Tally
from antifraud.stops.watch import Tripped
from rewards.refunds import Held

POINTS = "points"

type_of_entry = dict[str, Any] | list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """A referral to be made: the touch that is credited, and the event of joining."""

    inviter_id: int
    invitee_id: int
    code_id: int
    click_id: int | None
    event_id: int
    channel: str
    utm: Mapping[str, str]
    attributed_at: datetime


class Paid(NamedTuple):
    """An order to be written."""

    number: str
    member_id: int
    event_id: int
    amount_minor: int
    currency: str
    paid_at: datetime


@dataclass(slots=True, kw_only=True)
class Returned:
    """What is to be written of an order that was refunded or cancelled."""

    order_id: int
    refunded_minor: int
    cancelled_at: datetime | None


class Proposed(NamedTuple):
    """A reward to be made, with the entry of the trace that tells of it."""

    campaign_id: int
    rule_id: int
    version_id: int
    event_id: int
    depth: int
    member_id: int
    side: str
    invitee_id: int | None
    order_number: str | None
    occurrence: str
    due: int
    given: int
    status: str
    reasons: tuple[dict[str, Any], ...]
    occurred_at: datetime
    matures_at: datetime
    entry: dict[str, Any]
    kind: str = "points"
    what: str = ""
    asset_id: int | None = None
    asset: str = ""
    part: int = 0
    awaits: str = ""
    awaits_until: datetime | None = None
    cost_minor: int = 0

    @property
    def points(self) -> int:
        """What it gives of points: nothing, if it gives something else."""
        return self.given if self.asset == POINTS else 0


class Kept(NamedTuple):
    """
    A promise of which what it awaits has come, made before (`reward_id`) or in this batch (`place`).

    If that was an order being paid, the promise shares its fate from now on: a refund takes it back.
    """

    reward_id: int | None
    place: int | None
    member_id: int
    event_id: int
    depth: int
    entry: dict[str, Any]
    order_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """What one refund did to one reward; `refund_id` makes the posting's key."""

    before: Held
    after: Held
    taken: int
    refund_id: str
    event_id: int
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """What a signal saw about a proposed reward, and what came of all that counted together."""

    event_id: int
    rule_id: int
    member_id: int
    seen: Seen
    verdict: str


@dataclass(slots=True)
class Plan:
    """
    Everything to be written.

    `traces` are by event; `parked` came too early, with why. Events that are in neither are left for the next batch,
    because they need what this one writes. Those that are `woken` came too early once, and do not any more.
    """

    traces: dict[int, list[type_of_entry]] = field(default_factory=dict)
    parked: dict[int, str] = field(default_factory=dict)
    woken: list[int] = field(default_factory=list)
    joined: dict[int, datetime] = field(default_factory=dict)
    attributed: list[Attributed] = field(default_factory=list)
    qualified: dict[int, datetime] = field(default_factory=dict)
    paid: list[Paid] = field(default_factory=list)
    returned: dict[int, Returned] = field(default_factory=dict)
    proposed: list[Proposed] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    taken_back: list[TakenBack] = field(default_factory=list)
    noticed: list[Noticed] = field(default_factory=list)
    used: dict[Key, Used] = field(default_factory=dict)
    noted: dict[Subject, Tally] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()
    tripped: list[Tripped] = field(default_factory=list)

"""All that deciding needs, as plain values: gathered before, in a fixed number of statements. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, NamedTuple, Protocol

from antifraud.judging.observed import ALONE, NO_TRAITS, NOTHING_NEAR, Nearby, Pace, Traits
from antifraud.judging.policy import Policies
from antifraud.judging.ties import type_of_identity
from antifraud.limits.guard import type_of_limits
from antifraud.limits.usage import Reading
from antifraud.stops.windows import PastTrip, StopLine
from campaigns.definitions import LimitLine, Offer
from referrals.touch import Touches
from rewards.costs import Price
from rewards.lots import OpenLot
from rewards.refunds import Held
from scoring.screening import Compiled, Line

UNCHANGED_BPS = 10_000


class Asset(Protocol):
    """What deciding asks of an asset, as rewards.assets has it."""

    @property
    def id(self) -> int: ...
    @property
    def code(self) -> str: ...
    @property
    def scale(self) -> int: ...
    @property
    def rounding(self) -> str: ...
    @property
    def minor_per_unit(self) -> int: ...
    @property
    def balance_max(self) -> int | None: ...
    def expires_at(self, *, zone: tzinfo, at: datetime) -> datetime | None: ...


class Promise(NamedTuple):
    """
    A reward that waits for an event of its member: `awaits` is the kind, `awaits_until` the last instant that will do.

    It has been written before, or is the one at this `place` among those that are proposed in this batch.
    """

    member_id: int
    rule_id: int
    version_id: int
    side: str
    kind: str
    what: str
    is_points: bool
    status: str
    left: int
    awaits: str
    awaits_until: datetime | None
    occurred_at: datetime
    matures_at: datetime
    asset_id: int | None = None
    reward_id: int | None = None
    place: int | None = None

    def is_kept_by(self, kind: str, occurred_at: datetime) -> bool:
        """Tell whether an event is what it waits for. Whatever came before the promise was made is not."""
        in_time = self.awaits_until is None or occurred_at <= self.awaits_until
        return kind == self.awaits and self.occurred_at <= occurred_at and in_time


class Incoming(NamedTuple):
    """
    An event, the member it turned out to be about, its fields that conditions may ask for, and its rules.

    `named` are the devices and cards that it names.
    """

    id: int
    key: str
    kind: str
    member_id: int
    occurred_at: datetime
    data: Mapping[str, Any]
    fields: Mapping[str, object]
    lines: tuple[Line, ...] = ()
    named: tuple[type_of_identity, ...] = ()
    is_history: bool = False
    attempts: int = 0
    depth: int = 0


@dataclass(slots=True, kw_only=True)
class Person:
    """
    A member, as known when the batch began and then as its events change them.

    `orders_count` counts their paid orders that stand. Of those who join in this batch it is also known when the first
    `orders` were, ascending, and whether they ever brought anybody. Of those who invite or are invited these are known:
    `identities`; `signups` of the people they invited, as far as the last day of any event in the batch needs;
    `signups_around`, of their own referral: how many its inviter had up to it; and `doubles`, the members whose
    Telegram, e-mail or phone they gave as their own, and erased ones known by what they are, with when those were first
    seen; and `traits`, what antifraud knows of them. `holdings` are what they
    have or are to have of assets with a largest balance, by asset; `multiplier_bps` is what a level makes of points.
    `fresh` says, of those who join, of each kind that they told of `device` and `ip`, whether nobody was known by it.
    """

    id: int
    is_blocked: bool = False
    first_seen_at: datetime
    joined_at: datetime | None = None
    orders: list[datetime] = field(default_factory=list)
    orders_count: int = 0
    identities: frozenset[type_of_identity] = frozenset()
    signups: list[datetime] = field(default_factory=list)
    has_invited: bool = False
    signups_around: Pace = ALONE
    traits: Traits = NO_TRAITS
    doubles: Mapping[int, datetime] = field(default_factory=dict)
    multiplier_bps: int = UNCHANGED_BPS
    holdings: Mapping[int, int] = field(default_factory=dict)
    promises: tuple[Promise, ...] = ()
    fresh: Mapping[str, bool] = field(default_factory=dict)

    def seen_before(self, *, inviter_id: int) -> datetime:
        """Return when this person was first seen, under whatever name; what the inviter shares tells nothing."""
        others = [instant for member_id, instant in self.doubles.items() if member_id != inviter_id]
        return min([self.first_seen_at, *others])

    @property
    def network(self) -> str:
        """The subnet that they came from, as its index: of whoever has just turned up there is one."""
        return min((lookup for kind, lookup in self.identities if kind == "subnet"), default="")

    def orders_before(self, instant: datetime) -> int:
        """Return how many paid orders that stand came before `instant`, those known at the same instant included."""
        before = bisect_right(self.orders, instant)
        # Past the instants that were read, all the others are later than these: nobody's first order is among them.
        return before if before < len(self.orders) else max(self.orders_count, before)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOrder:
    """
    An order that has been paid before this batch, with the rewards that it earned.

    `data` is its event's; `returned` says how many of each article have come back so far, where refunds have said it.
    """

    id: int
    number: str
    member_id: int
    amount_minor: int
    refunded_minor: int
    cancelled_at: datetime | None
    paid_at: datetime
    held: tuple[Held, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    returned: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """
    A batch of events in the order in which they came, and everything around them. Instants are UTC.

    `assets` are those in use, by code, `lines` all of them by id; `gifts` are the kinds of those in use that a rule may
    give, by code, and `gift_costs` what each costs; `prices` are those of assets' units. `everywhere` are the limits
    over all campaigns. `rule_in` finds a rule as a campaign's version had it; `order_fields` are what conditions see of
    an order's data. `lots` are what is left on the accounts that a refund may take from. `early` are the returns that
    came before the orders of this batch and were parked, or have failed since; by the order's number.
    """

    incoming: tuple[Incoming, ...]
    people: Mapping[int, Person]
    touches: Touches
    orders: Mapping[str, KnownOrder]
    existing: frozenset[tuple[int, int, str]]
    usage: Reading
    offer_now: Callable[[int], Offer | None]
    limits: type_of_limits
    policies: Policies
    stop_rules: tuple[StopLine, ...]
    trips: tuple[PastTrip, ...]
    assets: Mapping[str, Asset]
    lines: Mapping[int, Any]
    zone: tzinfo
    at: datetime
    gifts: Mapping[str, str] = field(default_factory=dict)
    lots: tuple[OpenLot, ...] = ()
    early: Mapping[str, Sequence[int]] = field(default_factory=dict)
    nearby: Nearby = NOTHING_NEAR
    has_levels: bool = False
    gift_costs: Mapping[str, int] = field(default_factory=dict)
    everywhere: tuple[LimitLine, ...] = ()
    prices: Mapping[int, Price] = field(default_factory=dict)
    rule_in: Callable[[int, int, int], Compiled | None] = lambda _campaign_id, _version_id, _rule_id: None
    order_fields: Callable[[Mapping[str, Any]], Mapping[str, object]] = dict

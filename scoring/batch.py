"""A batch while it is being decided: what was gathered, what its earlier events changed, what is planned. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from antifraud.guard import Guard
from rewards.refunds import Held
from scoring.plan import Plan, type_of_entry
from scoring.situation import Incoming, KnownOrder, Person, Promise, Situation


@dataclass(frozen=True, slots=True)
class Referred:
    """A referral as rules see it, whether it was made long ago or earlier in this batch."""

    inviter_id: int
    attributed_at: datetime
    signups_in_hour: int


@dataclass(slots=True)
class Batch:
    """The state that decisions of one batch share. Nobody outside the deciding modules sees it."""

    situation: Situation
    guard: Guard
    plan: Plan = field(default_factory=Plan)
    referred: dict[int, Referred] = field(default_factory=dict)
    rewarded: set[tuple[int, int, str]] = field(default_factory=set)
    orders: dict[str, KnownOrder] = field(default_factory=dict)
    # By member and asset: what lies on the account, and what may not exceed the largest balance.
    balances: dict[tuple[int, int | None], int] = field(default_factory=dict)
    holdings: dict[tuple[int, int | None], int] = field(default_factory=dict)
    # What this batch pays into: it is posted after everything that the batch takes.
    earning: set[tuple[int, int | None]] = field(default_factory=set)
    held: dict[int, Held] = field(default_factory=dict)
    promises: dict[int, list[Promise]] = field(default_factory=dict)
    # By order: how many of each article came back.
    articles: dict[int, dict[str, int]] = field(default_factory=dict)

    def person(self, member_id: int) -> Person:
        """Return a member that the batch is about."""
        return self.situation.people[member_id]

    def trace(self, incoming: Incoming, entry: type_of_entry) -> None:
        """Add to what will be told of an event."""
        self.trace_of(incoming).append(entry)

    def trace_of(self, incoming: Incoming) -> list[type_of_entry]:
        """Return what will be told of an event, to be added to."""
        return self.plan.traces.setdefault(incoming.id, [])


def begin(situation: Situation) -> Batch:
    """Return the batch before its first event."""
    referred = {
        invitee_id: Referred(standing.inviter_id, standing.attributed_at, situation.people[invitee_id].signups_in_hour)
        for invitee_id, standing in situation.touches.referrals.items()
        if invitee_id in situation.people
    }
    guard = Guard(
        reading=situation.usage,
        limits=situation.limits,
        stop_rules=situation.stop_rules,
        zone=situation.zone,
        at=situation.at,
    )
    held = [each for order in situation.orders.values() for each in order.held]
    return Batch(
        situation=situation,
        guard=guard,
        referred=referred,
        rewarded=set(situation.existing),
        orders=dict(situation.orders),
        balances={(each.member_id, each.asset_id): each.balance for each in held},
        holdings={
            (person.id, asset_id): units
            for person in situation.people.values()
            for asset_id, units in person.holdings.items()
        },
        held={each.reward_id: each for each in held},
        promises={person.id: list(person.promises) for person in situation.people.values() if person.promises},
    )

"""A batch while it is being decided: what was gathered, what its earlier events changed, what is planned. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from antifraud.judging.observed import Friend, Pace
from antifraud.limits.guard import Guard
from antifraud.stops.watch import Watch
from antifraud.stops.windows import STOPPABLE
from rewards.refunds import Held
from scoring.plan import Plan, type_of_entry
from scoring.situation import Incoming, KnownOrder, Person, Promise, Situation


@dataclass(frozen=True, slots=True)
class Referred:
    """A referral as rules see it, whether it was made long ago or earlier in this batch."""

    inviter_id: int
    attributed_at: datetime
    signups: Pace
    channel: str = ""
    is_bare: bool = False


@dataclass(slots=True)
class Batch:
    """The state that decisions of one batch share. Nobody outside the deciding modules sees it."""

    situation: Situation
    guard: Guard
    watch: Watch
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
    # Who invited whom, as far as known before or decided in this batch.
    inviters: dict[int, int] = field(default_factory=dict)
    # By inviter: their friends, as far as antifraud looks. By campaign: when it rewarded friends lately, ascending.
    friends: dict[int, dict[int, Friend]] = field(default_factory=dict)
    rushes: dict[int, list[datetime]] = field(default_factory=dict)
    # By the number of an order: the returns of this batch that came before it.
    early: dict[str, list[int]] = field(default_factory=dict)
    # By order: how many of each article came back.
    articles: dict[int, dict[str, int]] = field(default_factory=dict)

    def person(self, member_id: int) -> Person:
        """Return a member that the batch is about."""
        return self.situation.people[member_id]

    def friends_of(self, inviter_id: int) -> dict[int, Friend]:
        """Return whom somebody brought, by number, to be added to."""
        if inviter_id not in self.friends:
            known = self.person(inviter_id).traits.friends
            self.friends[inviter_id] = {each.member_id: each for each in known}
        return self.friends[inviter_id]

    def rush_of(self, campaign_id: int) -> list[datetime]:
        """Return when a campaign rewarded friends lately, ascending, to be added to."""
        if campaign_id not in self.rushes:
            self.rushes[campaign_id] = sorted(self.situation.nearby.rewards.get(campaign_id, ()))
        return self.rushes[campaign_id]

    def trace(self, incoming: Incoming, entry: type_of_entry) -> None:
        """Add to what will be told of an event."""
        self.trace_of(incoming).append(entry)

    def trace_of(self, incoming: Incoming) -> list[type_of_entry]:
        """Return what will be told of an event, to be added to."""
        return self.plan.traces.setdefault(incoming.id, [])


def begin(situation: Situation) -> Batch:
    """Return the batch before its first event."""
    referred = {
        invitee_id: Referred(
            standing.inviter_id,
            standing.attributed_at,
            situation.people[invitee_id].signups_around,
            standing.channel,
        )
        for invitee_id, standing in situation.touches.referrals.items()
        if invitee_id in situation.people
    }
    guard = Guard(
        reading=situation.usage,
        limits=situation.limits,
        everywhere=situation.everywhere,
        zone=situation.zone,
        at=situation.at,
    )
    watch = Watch(
        stop_rules=situation.stop_rules,
        trips=situation.trips,
        sums=situation.usage.windows,
        zone=situation.zone,
        may_stop=lambda campaign_id: _may_stop(situation, campaign_id),
        at=situation.at,
    )
    held = [each for order in situation.orders.values() for each in order.held]
    return Batch(
        situation=situation,
        guard=guard,
        watch=watch,
        referred=referred,
        inviters={
            **situation.nearby.ties.inviters,
            **{invitee_id: each.inviter_id for invitee_id, each in referred.items()},
        },
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


def _may_stop(situation: Situation, campaign_id: int) -> bool:
    offer = situation.offer_now(campaign_id)
    return offer is not None and offer.status in STOPPABLE

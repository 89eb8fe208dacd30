"""What may be given: limits, budgets and stop rules, applied to one proposed reward after another. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from antifraud.usage import Key, Reading, Used
from campaigns.definitions import LimitLine, Miss, Offer, RuleLine
from tenants import periods

TIERS = "tiers"

# A campaign's id → every limit that any of its versions had.
type_of_limits = Callable[[int], Sequence[LimitLine]]


class Place(NamedTuple):
    """Where a reward stands among the counters."""

    campaign_id: int
    rule_id: int
    member_id: int
    occurred_at: datetime
    side: str = "inviter"

    @property
    def ladder(self) -> Key:
        """The counter of the ladder that the reward is a step of."""
        return ladder_key(rule_id=self.rule_id, member_id=self.member_id, side=self.side)


class Proposal(NamedTuple):
    """Who would get something, from which rule, for something (in the tenant's terms) that occurred then."""

    offer: Offer
    rule: RuleLine
    member_id: int
    occurred_at: datetime
    side: str = "inviter"
    occurrence: str = ""

    @property
    def place(self) -> Place:
        """Where the reward would stand."""
        return Place(self.offer.campaign_id, self.rule.id, self.member_id, self.occurred_at, self.side)


@dataclass(frozen=True, slots=True)
class StopLine:
    """A stop rule: more than `threshold` of `metric` in so many minutes stops its campaign (None: any campaign)."""

    id: int
    campaign_id: int | None
    metric: str
    threshold: int
    window_minutes: int


@dataclass(frozen=True, slots=True)
class Tripped:
    """A stop rule fired, with the figure that made it."""

    stop_rule: StopLine
    campaign_id: int
    figure: int


@lru_cache(maxsize=1000)
def budget_key(campaign_id: int) -> Key:
    """Return the counter of all that a campaign ever gave."""
    return Key("campaign", campaign_id, 0, "ever", periods.EPOCH)


def ladder_key(*, rule_id: int, member_id: int, side: str = "inviter") -> Key:
    """
    Return the counter of an inviter's qualified referrals by one rule.

    What the rule gave them when they were the invited friend themselves is counted apart: it is no friend of theirs.
    """
    return Key("invitee" if side == "invitee" else "rule", rule_id, member_id, "ever", periods.EPOCH)


@lru_cache(maxsize=1000)
def minute_key(*, campaign_id: int, at: datetime) -> Key:
    """Return the counter that stop rules sum: what a campaign gave in this minute, whenever the event occurred."""
    return Key("campaign", campaign_id, 0, "minute", at.replace(second=0, microsecond=0))


def limit_keys(place: Place, *, limits: Sequence[LimitLine], zone: tzinfo) -> list[Key]:
    """Return the counters of the limits that a reward stands in, in the order of the limits."""
    return [
        Key(
            "limit",
            limit.id,
            place.member_id if limit.per == "member" else 0,
            limit.period,
            periods.start_of(limit.period, zone=zone, at=place.occurred_at),
        )
        for limit in limits
    ]


def keys(place: Place, *, limits: Sequence[LimitLine], zone: tzinfo) -> list[Key]:
    """
    Return every stored counter that a reward stands in as long as it counts (minutes are not among them).

    `limits` are all that any version of its campaign had: a limit that is added or changed, or an event that comes
    late, must find what others have used.
    """
    return [*limit_keys(place, limits=limits, zone=zone), budget_key(place.campaign_id)]


class Guard:
    """
    What is left of limits and budgets, and how close the stop rules are, while a batch is decided.

    It starts from a reading of the counters and moves with each reservation. `changed` is what has to be written.
    `limits` gives those of all versions of a campaign.
    """

    def __init__(
        self,
        *,
        reading: Reading,
        limits: type_of_limits,
        stop_rules: Sequence[StopLine],
        zone: tzinfo,
        at: datetime,
    ) -> None:
        self.changed: dict[Key, Used] = {}
        self.tripped: dict[int, Tripped] = {}
        self._given: dict[int, Used] = {}
        self._reading = reading
        self._limits = limits
        self._stop_rules = stop_rules
        self._zone = zone
        self._at = at

    def nth(self, proposal: Proposal) -> int:
        """Return which qualified referral this would be for the inviter by this rule, from 1."""
        return self._used(proposal.place.ladder).count + 1

    def left(self, proposal: Proposal, *, due: int, is_whole: bool = False) -> int | Miss:
        """
        Return how many of the points that are `due` may be given: all or what is left, or the first limit's no.

        Nothing less than all if `is_whole`, whatever the campaign says. A reward without points is due 0: it asks for
        nothing but its place among the rewards.
        """
        given = due
        may_cap = proposal.offer.when_short == "cap" and not is_whole
        for limit, key in zip(proposal.offer.limits, self._limit_keys(proposal), strict=True):
            used = self._used(key)
            if limit.max_count is not None and used.count >= limit.max_count:
                return Miss("limit_count", {"per": limit.per, "period": limit.period, "max": limit.max_count})
            if due and limit.max_points is not None and used.points + given > limit.max_points:
                given = limit.max_points - used.points
                if given <= 0 or not may_cap:
                    return Miss("limit_points", {"per": limit.per, "period": limit.period, "max": limit.max_points})
        return self._left_of_budget(proposal.offer, given, may_cap=may_cap) if due else 0

    def reserve(self, proposal: Proposal, *, given: int, is_history: bool) -> None:
        """
        Count a reward that `left` has allowed, with `given` points. Rewards for history are not counted by stop rules.
        """
        offer, limits = proposal.offer, self._limits(proposal.offer.campaign_id)
        binding = {(limit.id, limit.per, limit.period): limit for limit in offer.limits}
        for limit, key in zip(limits, limit_keys(proposal.place, limits=limits, zone=self._zone), strict=True):
            bound = binding.get((limit.id, limit.per, limit.period))
            if bound:
                self._count(key, given, max_count=bound.max_count, max_points=bound.max_points)
            else:
                self._count_unbound(key, given)
        self._count(budget_key(offer.campaign_id), given, max_count=None, max_points=offer.budget_points)
        if proposal.rule.amount_kind == TIERS:
            # Not among what is written: a ladder is read off the rewards there are, also those of a time without it.
            self._used(proposal.place.ladder).count += 1
        if not is_history:
            self._count_unbound(minute_key(campaign_id=offer.campaign_id, at=self._at), given)
            self._watch(offer.campaign_id, given)

    def give_back(self, place: Place, *, count: int, points: int, steps: int | None = None) -> None:
        """
        Free what a refund has taken back.

        `steps` are those down a ladder, of which what a member kept is none: as many as `count`, unless said.
        """
        for key in keys(place, limits=self._limits(place.campaign_id), zone=self._zone):
            used = self._used(key)
            used.count -= count
            used.points -= points
            self.changed[key] = used
        # Read only where a rule of this batch climbs the ladder.
        ladder = self._reading.counters.get(place.ladder)
        if ladder:
            ladder.count -= count if steps is None else steps

    def _limit_keys(self, proposal: Proposal) -> list[Key]:
        return limit_keys(proposal.place, limits=proposal.offer.limits, zone=self._zone)

    def _left_of_budget(self, offer: Offer, given: int, *, may_cap: bool) -> int | Miss:
        if offer.budget_points is None:
            return given
        left = offer.budget_points - self._used(budget_key(offer.campaign_id)).points
        if left < given and (left <= 0 or not may_cap):
            return Miss("budget", {"budget": offer.budget_points, "left": max(left, 0)})
        return min(left, given)

    def _used(self, key: Key) -> Used:
        return self._reading.counters[key]

    def _count(self, key: Key, points: int, *, max_count: int | None, max_points: int | None) -> None:
        used = self.changed[key] = self._used(key)
        used.count += 1
        used.points += points
        used.max_count, used.max_points = max_count, max_points

    def _count_unbound(self, key: Key, points: int) -> None:
        used = self.changed[key] = self._used(key)
        used.count += 1
        used.points += points
        # A limit of another version does not bind this reward, but must not be taken for broken by it.
        used.max_count = used.max_count and max(used.max_count, used.count)
        used.max_points = used.max_points and max(used.max_points, used.points)

    def _watch(self, campaign_id: int, given: int) -> None:
        added = self._given.setdefault(campaign_id, Used())
        added.count += 1
        added.points += given
        for stop_rule in self._stop_rules:
            if stop_rule.campaign_id in {None, campaign_id} and campaign_id not in self.tripped:
                before = self._reading.windows[stop_rule.id, campaign_id]
                is_count = stop_rule.metric == "rewards"
                figure = before.count + added.count if is_count else before.points + added.points
                if figure > stop_rule.threshold:
                    self.tripped[campaign_id] = Tripped(stop_rule, campaign_id, figure)

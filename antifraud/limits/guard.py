"""What may be given: limits and budgets, applied to one proposed reward after another. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, tzinfo
from itertools import chain
from typing import Any, NamedTuple

from antifraud.limits import bounds, places, usage
from antifraud.limits.alarms import Alarm, Alarms
from antifraud.limits.bounds import Bound
from antifraud.limits.places import EVERYBODY, Place, budget_key, ladder_key, type_of_limits
from antifraud.limits.usage import Asked, Figures, Key, Reading, Used
from campaigns.definitions import LimitLine, Miss, Offer, RuleLine
from tenants import periods

__all__ = ["TIERS", "Guard", "Place", "Proposal", "budget_key", "ladder_key", "type_of_limits"]

TIERS = "tiers"

type_of_name = tuple[int, str, str, int | None]


class Proposal(NamedTuple):
    """
    Who would get something, from which rule, for something (in the tenant's terms) that occurred then.

    `actor_id` did it, and `inviter_id` brought them, where it is a reward for that.
    """

    offer: Offer
    rule: RuleLine
    member_id: int
    occurred_at: datetime
    side: str = "inviter"
    occurrence: str = ""
    actor_id: int = 0
    inviter_id: int = 0

    @property
    def place(self) -> Place:
        """Where the reward would stand."""
        return self.place_at(None)

    @property
    def ladder(self) -> Key:
        """The counter of the ladder that the reward would be a step of."""
        return ladder_key(rule_id=self.rule.id, member_id=self.member_id, side=self.side)

    def place_at(self, at: datetime | None) -> Place:
        """Return where the reward would stand, if it were made then."""
        return Place(
            self.offer.campaign_id,
            self.rule.id,
            self.member_id,
            self.occurred_at,
            self.side,
            self.actor_id,
            self.inviter_id,
            at,
        )


class _Frame(NamedTuple):
    """
    What is the same for all rewards of a campaign's version, by the names of their limits' counters.

    `counted` are all limits that one stands in, `binding` those of the version and over all campaigns: what each says
    of a Bound but its key.
    """

    counted: dict[type_of_name, LimitLine]
    binding: tuple[tuple[type_of_name, tuple[Any, ...]], ...]
    budget: Bound


class _Standing(NamedTuple):
    """A proposal among the counters: what binds it, and every one that its reward would stand in."""

    proposal: Proposal
    bounds: tuple[Bound, ...]
    keys: tuple[Key, ...]


class Guard:
    """
    What is left of limits and budgets while a batch is decided.

    It starts from a reading of the counters and moves with each reservation. `changed` is what has to be written.
    `limits` gives those of all versions of a campaign, `everywhere` are those over all campaigns.
    """

    def __init__(
        self,
        *,
        reading: Reading,
        limits: type_of_limits,
        everywhere: Sequence[LimitLine] = (),
        zone: tzinfo,
        at: datetime,
    ) -> None:
        self.changed: dict[Key, Used] = {}
        self._alarms = Alarms()
        self._frames: dict[int, _Frame] = {}
        self._last: _Standing | None = None
        self._reading = reading
        self._limits = limits
        self._everywhere = everywhere
        self._zone = zone
        self._at = at

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What is nearly used up, or used up, since the batch began."""
        return tuple(self._alarms.found.values())

    def nth(self, proposal: Proposal) -> int:
        """Return which qualified referral this would be for the inviter by this rule, from 1."""
        return self._used(proposal.ladder).count + 1

    def left(self, proposal: Proposal, *, asked: Asked) -> Asked | Miss:
        """
        Return what may be given of what is asked: all or what is left, or the first limit's no.

        A reward without points or cost asks for nothing but its place among the rewards.
        """
        for bound in self._standing(proposal).bounds:
            if bound.is_open:
                continue
            used = self._figures(bound.key, proposal.occurred_at)
            found = bounds.within(bound, used, asked)
            if found != asked and bound.key.subject_id == EVERYBODY:
                self._alarms.refuse(bound, used, day=self._day(bound.key, proposal.occurred_at))
            if isinstance(found, Miss):
                return found
            asked = found
        return asked

    def reserve(self, proposal: Proposal, *, asked: Asked) -> None:
        """Count a reward that `left` has allowed."""
        figures = Figures(1, asked.points, asked.cost_minor)
        standing = self._standing(proposal)
        binding = {bound.key: bound for bound in standing.bounds}
        for key in standing.keys:
            used = self.changed[key] = self._used(key)
            bound, day = binding.get(key), self._day(key, proposal.occurred_at)
            # A single person's limit is their own affair.
            if bound and not bound.is_open and key.subject_id == EVERYBODY:
                before = self._figures(key, proposal.occurred_at)
                self._alarms.look(bound, before, before.plus(figures), day=day)
            used.add(figures, day=day)
            _respect(used, bound, added=figures)
        if proposal.rule.amount_kind == TIERS:
            # Not among what is written: a ladder is read off the rewards there are, also those of a time without it.
            self._used(proposal.ladder).count += 1

    def give_back(self, place: Place, *, figures: Figures, steps: int | None = None) -> None:
        """
        Free what a refund has taken back.

        `steps` are those down a ladder, of which what a member kept is none: as many as rewards, unless said.
        """
        for key in self._keys(self._placed(place)):
            used = self.changed[key] = self._used(key)
            used.add(figures.negative(), day=self._day(key, place.occurred_at))
        # Read only where a rule of this batch climbs the ladder.
        ladder = self._reading.counters.get(place.ladder)
        if ladder:
            ladder.count -= figures.rewards if steps is None else steps

    def _placed(self, place: Place) -> Place:
        return place if place.created_at else Place(*place[:-1], self._at)

    def _keys(self, place: Place) -> list[Key]:
        limits = [*self._limits(place.campaign_id), *self._everywhere]
        return places.keys(place, limits=limits, zone=self._zone, things=self._reading.things)

    def _standing(self, proposal: Proposal) -> _Standing:
        """Return where a proposal stands. One is asked about twice: what there is left for it, and to reserve that."""
        if self._last is None or self._last.proposal is not proposal:
            frame, place = self._frame(proposal.offer), proposal.place_at(self._at)
            zone, things = self._zone, self._reading.things
            keys = {name: places.keys_of(each, place, zone=zone, things=things) for name, each in frame.counted.items()}
            self._last = _Standing(
                proposal,
                (*[Bound(key, *told) for name, told in frame.binding for key in keys[name]], frame.budget),
                (*chain.from_iterable(keys.values()), frame.budget.key),
            )
        return self._last

    def _frame(self, offer: Offer) -> _Frame:
        if offer.version_id not in self._frames:
            counted = [*self._limits(offer.campaign_id), *offer.limits, *self._everywhere]
            most = (None, offer.budget_points, offer.budget_minor)
            self._frames[offer.version_id] = _Frame(
                {_name_of(limit): limit for limit in counted},
                tuple(self._binding(offer)),
                Bound(budget_key(offer.campaign_id), offer.campaign_id, *most, offer.when_short == "cap"),
            )
        return self._frames[offer.version_id]

    def _binding(self, offer: Offer) -> Iterator[tuple[type_of_name, tuple[Any, ...]]]:
        """Yield what binds a reward beside the budget: the limits of its version, and those over all campaigns."""
        for is_everywhere, limits in ((False, offer.limits), (True, self._everywhere)):
            for limit in limits:
                may_cap = (limit.when_short or offer.when_short) == "cap"
                most = (limit.max_count, limit.max_points, limit.max_cost_minor)
                yield _name_of(limit), (offer.campaign_id, *most, may_cap, limit, is_everywhere)

    def _used(self, key: Key) -> Used:
        return self._reading.counters[key]

    def _day(self, key: Key, occurred_at: datetime) -> date | None:
        return occurred_at.astimezone(self._zone).date() if periods.days_of(key.period) else None

    def _figures(self, key: Key, occurred_at: datetime) -> Figures:
        """Return how much of a limit is used where a reward of that time would stand."""
        days, day = periods.days_of(key.period), self._day(key, occurred_at)
        if days is None or day is None:
            return self._used(key).figures
        blocks = [key, *places.around(key, zone=self._zone)]
        return usage.fullest([self._used(each) for each in blocks], day=day, days=days)


def _name_of(limit: LimitLine) -> type_of_name:
    # Of one limit there are counters for each period that any version gave it.
    return limit.id, limit.per, limit.period, limit.days


def _respect(used: Used, bound: Bound | None, *, added: Figures) -> None:
    """Remember the maxima that a reservation respected."""
    if bound is None:
        # A limit of another version does not bind this reward, but must not be taken for broken by it.
        used.give_way()
        return
    # Nor does a maximum of what the reward has nothing of: it may have been lowered below what is used already.
    used.max_count = _respected(bound.max_count, now=used.count, added=added.rewards)
    used.max_points = _respected(bound.max_points, now=used.points, added=added.points)
    used.max_cost_minor = _respected(bound.max_cost_minor, now=used.cost_minor, added=added.cost_minor)


def _respected(most: int | None, *, now: int, added: int) -> int | None:
    return most if added or most is None else max(most, now)

"""Among which counters a reward stands: those of the limits and the budget that it counts towards. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from antifraud.limits.usage import Ask, Key, Thing
from campaigns.definitions import LimitLine
from tenants import periods

# Limits of these have counters under their own name: a member's number may be an inviter's too.
THINGS: Final = frozenset({"device", "card"})
OWN_SCOPE: Final = frozenset({"inviter"}) | THINGS
EVERYBODY: Final = 0
INSTANT: Final = timedelta(microseconds=1)

# A campaign's id → every limit that any of its versions had.
type_of_limits = Callable[[int], Sequence[LimitLine]]
type_of_things = Mapping[tuple[str, int], Sequence[Thing]]


class Place(NamedTuple):
    """
    Where a reward stands among the counters.

    `actor_id` did what it is for; `inviter_id` brought them, where it is a reward for that; `created_at` is when it was
    made: None while it is not.
    """

    campaign_id: int
    rule_id: int
    member_id: int
    occurred_at: datetime
    side: str = "inviter"
    actor_id: int = 0
    inviter_id: int = 0
    created_at: datetime | None = None

    @property
    def ladder(self) -> Key:
        """The counter of the ladder that the reward is a step of."""
        return ladder_key(rule_id=self.rule_id, member_id=self.member_id, side=self.side)


@lru_cache(maxsize=1000)
def budget_key(campaign_id: int) -> Key:
    """Return the counter of all that a campaign ever gave."""
    return Key("campaign", campaign_id, EVERYBODY, "ever", periods.EPOCH)


def ladder_key(*, rule_id: int, member_id: int, side: str = "inviter") -> Key:
    """
    Return the counter of an inviter's qualified referrals by one rule.

    What the rule gave them when they were the invited friend themselves is counted apart: it is no friend of theirs.
    """
    return Key("invitee" if side == "invitee" else "rule", rule_id, member_id, "ever", periods.EPOCH)


def keys_of(limit: LimitLine, place: Place, *, zone: tzinfo, things: type_of_things) -> list[Key]:
    """
    Return the counters of a limit that a reward stands in: none where what it limits is not known of the reward.

    There are several where somebody has several devices, each of which then must have room.
    """
    scope, period = scope_of(limit), period_of(limit)
    start = periods.start_of(period, zone=zone, at=place.occurred_at)
    return [Key(scope, limit.id, subject, period, start) for subject in _subjects(limit, place, things)]


def keys(place: Place, *, limits: Sequence[LimitLine], zone: tzinfo, things: type_of_things) -> list[Key]:
    """
    Return every stored counter that a reward stands in as long as it counts.

    `limits` are all that any version of its campaign had, and those over all campaigns: a limit that is added or
    changed, or an event that comes late, must find what others have used.
    """
    found = [key for limit in limits for key in keys_of(limit, place, zone=zone, things=things)]
    return [*found, budget_key(place.campaign_id)]


def asks(place: Place, *, limits: Sequence[LimitLine], everywhere: Sequence[LimitLine], zone: tzinfo) -> Iterator[Ask]:
    """Yield what must be read to say whether there is room: of a rolling limit the blocks around, too."""
    yield _budget_ask(place.campaign_id)
    # Of what is made later, too.
    place = place._replace(created_at=None) if place.created_at else place
    for campaign_id, lines in ((place.campaign_id, limits), (0, everywhere)):
        for limit in lines:
            # Whose devices they are is read along with the counters.
            actor_id = place.actor_id if limit.per in THINGS else 0
            stand_in = {(limit.per, actor_id): (Thing(EVERYBODY, place.occurred_at),)} if actor_id else {}
            for key in keys_of(limit, place, zone=zone, things=stand_in):
                yield Ask(key, campaign_id, actor_id)
                if limit.days:
                    yield from [Ask(each, campaign_id, actor_id) for each in around(key, zone=zone)]


@lru_cache(maxsize=1000)
def _budget_ask(campaign_id: int) -> Ask:
    return Ask(budget_key(campaign_id), campaign_id)


def scope_of(limit: LimitLine) -> str:
    """Return what a limit's counters are called after: a member's number may be an inviter's, too."""
    return limit.per if limit.per in OWN_SCOPE else "limit"


def period_of(limit: LimitLine) -> str:
    """Return the period that a limit's counters count: of a rolling one, blocks of as many days."""
    return periods.block_of(limit.days) if limit.days else limit.period


@lru_cache(maxsize=5000)
def around(key: Key, *, zone: tzinfo) -> tuple[Key, ...]:
    """Return the blocks before and after that of a rolling limit: nothing for calendar periods."""
    if not periods.days_of(key.period):
        return ()
    end = periods.end_of(key.period, zone=zone, start=key.period_start)
    before = periods.start_of(key.period, zone=zone, at=key.period_start - INSTANT)
    return key._replace(period_start=before), key._replace(period_start=end or key.period_start)


def _subjects(limit: LimitLine, place: Place, things: type_of_things) -> list[int]:
    if limit.per == "member":
        return [place.member_id]
    if limit.per == "inviter":
        return [place.inviter_id] if place.inviter_id and place.side != "actor" else []
    if limit.per in THINGS:
        known = things.get((limit.per, place.actor_id), ())
        # What somebody came to use later has nothing to do with it.
        made_at = place.created_at
        return [thing.subject_id for thing in known if made_at is None or thing.added_at <= made_at]
    return [EVERYBODY]

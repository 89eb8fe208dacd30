"""How much of limits and budgets is used at a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from antifraud.limits import counters, places
from antifraud.limits.alarms import MEASURES, WHOLE
from antifraud.limits.places import EVERYBODY
from antifraud.limits.usage import Ask, Figures, Key, Used
from campaigns import rulebook, versions
from campaigns.definitions import LimitLine, Offer
from core.db import in_transaction
from tenants import periods

ALARM_PERCENT: Final = 80

type_of_maxima = tuple[int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Share:
    """How much of one maximum is used. `measure` is count, points or cost_minor."""

    measure: str
    used: int
    maximum: int

    @property
    def percent(self) -> int:
        """The used part, rounded down: 99.9 is not used up."""
        return self.used * WHOLE // self.maximum


@dataclass(frozen=True, slots=True)
class Use:
    """
    A limit's line, or a campaign's budget (None), with what is used of each maximum.

    `ends_at` is when its period is over: None for one that never is, or of so many days. `campaign_id` is 0 for limits
    over all campaigns. Of a limit for each by itself there are no shares, unless somebody is asked for.
    """

    limit: LimitLine | None
    campaign_id: int
    key: Key
    shares: tuple[Share, ...]
    ends_at: datetime | None

    @property
    def percent(self) -> int:
        """How much is used of whatever is used most."""
        return max((share.percent for share in self.shares), default=0)


@in_transaction
def of_campaign(*, offer: Offer, zone: tzinfo, at: datetime) -> list[Use]:
    """Return how much of a campaign's limits and budgets is used now. Those for each by itself have no shares."""
    return _uses(_wanted_of(offer, zone=zone, at=at), zone=zone, at=at)


@in_transaction
def of_everybody(*, zone: tzinfo, at: datetime) -> list[Use]:
    """Return how much of the limits over all campaigns is used now."""
    return _uses(_wanted(versions.limits_everywhere(), 0, zone=zone, at=at), zone=zone, at=at)


@in_transaction
def of_member(*, member_id: int, zone: tzinfo, at: datetime) -> list[Use]:
    """Return how much a member has used now of the limits for members and inviters, of running campaigns and all."""
    lines = [(offer.campaign_id, limit) for offer in _running() for limit in offer.limits]
    lines += [(0, limit) for limit in versions.limits_everywhere()]
    own = [(campaign_id, limit) for campaign_id, limit in lines if limit.per in {"member", "inviter"}]
    wanted = [_Wanted(limit, campaign_id, _key(limit, member_id, zone=zone, at=at)) for campaign_id, limit in own]
    return _uses(wanted, zone=zone, at=at)


@in_transaction
def alarming(*, zone: tzinfo, at: datetime) -> list[Use]:
    """Return the budgets, and limits for all together, of which four fifths or more are used now."""
    wanted = [each for offer in _running() for each in _wanted_of(offer, zone=zone, at=at)]
    wanted += _wanted(versions.limits_everywhere(), 0, zone=zone, at=at)
    shared = [each for each in wanted if each.is_shared]
    return [use for use in _uses(shared, zone=zone, at=at) if use.percent >= ALARM_PERCENT]


def maxima_of(limit: LimitLine) -> type_of_maxima:
    """Return a limit's maxima in the order of Figures."""
    return limit.max_count, limit.max_points, limit.max_cost_minor


def shares_of(maxima: type_of_maxima, used: Figures) -> tuple[Share, ...]:
    """Return how much of each maximum is used, of those that there are."""
    return tuple(
        Share(measure, now, most) for measure, now, most in zip(MEASURES, used, maxima, strict=True) if most is not None
    )


def _running() -> list[Offer]:
    book = rulebook.current()
    offers = [book.now(campaign_id) for campaign_id in book.campaign_ids]
    return [offer for offer in offers if offer is not None and offer.status in {"active", "paused", "stopped"}]


class _Wanted(NamedTuple):
    """A limit, or with `budgets` a campaign's budget, and the counter that says how much of it is used."""

    limit: LimitLine | None
    campaign_id: int
    key: Key
    budgets: tuple[int | None, int | None] = (None, None)

    @property
    def maxima(self) -> type_of_maxima:
        return maxima_of(self.limit) if self.limit else (None, *self.budgets)

    @property
    def is_shared(self) -> bool:
        """Whether one counter says it all: of one for each by itself there are many."""
        return self.limit is None or self.limit.per == "campaign" or self.key.subject_id != EVERYBODY


def _wanted_of(offer: Offer, *, zone: tzinfo, at: datetime) -> list[_Wanted]:
    budgets = (offer.budget_points, offer.budget_minor)
    key = places.budget_key(offer.campaign_id)
    budget = [_Wanted(None, offer.campaign_id, key, budgets)] if any(budgets) else []
    return [*budget, *_wanted(offer.limits, offer.campaign_id, zone=zone, at=at)]


def _wanted(limits: Sequence[LimitLine], campaign_id: int, *, zone: tzinfo, at: datetime) -> list[_Wanted]:
    return [_Wanted(limit, campaign_id, _key(limit, EVERYBODY, zone=zone, at=at)) for limit in limits]


def _key(limit: LimitLine, subject_id: int, *, zone: tzinfo, at: datetime) -> Key:
    period = places.period_of(limit)
    start = periods.start_of(period, zone=zone, at=at)
    return Key(places.scope_of(limit), limit.id, subject_id, period, start)


def _uses(wanted: Sequence[_Wanted], *, zone: tzinfo, at: datetime) -> list[Use]:
    """Return what is used, read in one statement. A counter that was never made starts from the rewards there are."""
    asks = [
        Ask(key, each.campaign_id)
        for each in wanted
        if each.is_shared
        for key in (each.key, *places.around(each.key, zone=zone))
    ]
    read = counters.gather(asks=asks, windows=[], zone=zone).counters if asks else {}
    return [_use(each, read, zone=zone, at=at) for each in wanted]


def _use(wanted: _Wanted, read: Mapping[Key, Used], *, zone: tzinfo, at: datetime) -> Use:
    limit, key = wanted.limit, wanted.key
    end = None if limit is None or limit.days else periods.end_of(key.period, zone=zone, start=key.period_start)
    if not wanted.is_shared:
        return Use(limit, wanted.campaign_id, key, (), end)
    if limit is not None and limit.days:
        figures = _lately([read[each] for each in (key, *places.around(key, zone=zone))], limit, zone=zone, at=at)
    else:
        figures = read[key].figures
    return Use(limit, wanted.campaign_id, key, shares_of(wanted.maxima, figures), end)


def _lately(blocks: Sequence[Used], limit: LimitLine, *, zone: tzinfo, at: datetime) -> Figures:
    """Return what was used today and on the days before it that a rolling limit looks at."""
    today = at.astimezone(zone).date()
    total = Figures()
    for block in blocks:
        for day, figures in block.days.items():
            if 0 <= (today - day).days < (limit.days or 0):
                total = total.plus(figures)
    return total

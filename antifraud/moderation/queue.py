"""The moderation queue as people see it: whom each case is about, how much, why, and since when it waits."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from antifraud.judging import reasons
from antifraud.models import Case, CaseReward, FraudPolicy
from antifraud.moderation import owners, stakes
from antifraud.moderation.deciding import undoable_until
from core.db import fetch
from core.errors import NotFound
from members.names import names_of
from rewards.assets import POINTS
from rewards.models import Reward
from tenants.staff.models import Staff

# What escalated comes first, then what is due soonest.
ORDER: Final = (F("escalated_at").asc(nulls_last=True), F("due_at").asc(nulls_last=True), F("pk").asc())


class UnknownCase(NotFound):
    """There is no such case."""

    message = _("There is no such case.")


@dataclass(frozen=True, slots=True)
class Person:
    """One member of a case. `side` is empty for a party to the referral who is not rewarded."""

    member_id: int
    name: str
    side: str
    side_label: str


@dataclass(frozen=True, slots=True)
class Shown:
    """
    A case as a line of the queue. `undo_until` is None while it is open.

    `points` and `cost_minor` are what is at stake while it is open, and then what was decided about; the cost is in
    minor units of the tenant's currency. `amounts` says the same in words, one of each asset or gift. Whoever looks may
    not decide what `is_own`; that they wrote the campaign themselves (`is_own_campaign`) forbids nothing.
    """

    people: tuple[Person, ...]
    points: int
    cost_minor: int
    amounts: tuple[str, ...]
    reasons: tuple[str, ...]
    rewards: tuple[Reward, ...]
    is_overdue: bool
    is_escalated: bool
    is_own: bool
    is_own_campaign: bool
    undo_until: datetime | None

    @property
    def is_referral(self) -> bool:
        """Tell whether the people are the two sides of a referral."""
        return any(reward.referral_id for reward in self.rewards)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases wait, and how many of those in each of the queue's views."""

    waiting: int
    mine: int
    unassigned: int
    overdue: int
    escalated: int


def get(*, case_id: int) -> Case:
    """
    Return a case, with its campaign and whoever looks after it or has decided it.

    :raises UnknownCase:
    """
    found = Case.objects.select_related("campaign", "assigned_to", "decided_by").filter(pk=case_id).first()
    if found is None:
        raise UnknownCase
    return found


def shown_of(cases: Sequence[Case], *, viewer: Staff | None = None, at: datetime) -> dict[int, Shown]:
    """Return what is shown of each case, in a fixed number of statements. Without a viewer none is anybody's own."""
    if not cases:
        return {}
    rewards = rewards_of(cases)
    seen = _Seen(
        names=names_of(member_id for found in rewards.values() for member_id in parties_of(found)),
        gifts=stakes.gift_names(reward for found in rewards.values() for reward in found),
        own=owners.own_of(cases=cases, by=viewer, at=at) if viewer else (),
        own_campaigns=owners.campaigns_of(cases=cases, by=viewer) if viewer else (),
        policy=FraudPolicy.objects.get(singleton=True),
    )
    return {case.pk: _shown(case, rewards[case.pk], seen, at) for case in cases}


def counts(*, viewer: Staff | None = None, at: datetime) -> Counts:
    """Return the figures of the queue's views, in one statement. Without a viewer none is anybody's own."""
    (row,) = fetch(COUNTS, {"viewer": viewer and viewer.pk, "at": at})
    return Counts(*row)


def with_stakes(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Let each case know as `stake_minor` what its waiting rewards cost, so that it can be sorted and filtered by."""
    waiting = CaseReward.objects.filter(case=OuterRef("pk"), reward__status=Reward.Status.FLAGGED)
    total = waiting.order_by().values("case").annotate(total=Sum(stakes.COST_LEFT)).values("total")
    return cases.annotate(stake_minor=Coalesce(Subquery(total), Value(0), output_field=BigIntegerField()))


def rewards_of(cases: Sequence[Case]) -> dict[int, list[Reward]]:
    """Return the rewards of each case, in one statement."""
    of_each = ("reward__asset", "reward__referral__inviter", "reward__referral__invitee")
    rows = CaseReward.objects.filter(case__in=cases).select_related(*of_each)
    found: dict[int, list[Reward]] = {case.pk: [] for case in cases}
    for row in rows.order_by("reward_id"):
        found[row.case_id].append(row.reward)
    return found


def parties_of(rewards: Iterable[Reward]) -> dict[int, str]:
    """
    Return the members and their sides; the other party of a referral has none, but is part of the story.

    Whoever was merged into another goes by that one's number, as their rewards do.
    """
    found: dict[int, str] = {}
    for reward in rewards:
        if reward.referral:
            for party in (reward.referral.inviter, reward.referral.invitee):
                found.setdefault(party.merged_into_id or party.pk, "")
    return found | {reward.member_id: reward.side for reward in rewards}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was read once for all of the cases."""

    names: Mapping[int, str]
    gifts: Mapping[str, str]
    own: Collection[int]
    own_campaigns: Collection[int]
    policy: FraudPolicy


def _shown(case: Case, rewards: list[Reward], seen: _Seen, at: datetime) -> Shown:
    is_open = case.status == Case.Status.OPEN
    # A refund may have cancelled a reward while it waited.
    meant = [each for each in rewards if not is_open or each.status == Reward.Status.FLAGGED]
    return Shown(
        people=tuple(_people(rewards, seen.names)),
        points=sum(each.given - each.reversed for each in meant if each.asset and each.asset.code == POINTS),
        cost_minor=sum(map(stakes.cost_left, meant)),
        amounts=stakes.amounts_of(meant, gifts=seen.gifts),
        # Both sides are flagged for the same reasons: once is enough.
        reasons=tuple(dict.fromkeys(reasons.sentence(reason) for each in rewards for reason in each.reasons)),
        rewards=tuple(rewards),
        is_overdue=is_open and case.due_at is not None and case.due_at <= at,
        is_escalated=is_open and case.escalated_at is not None,
        is_own=case.pk in seen.own,
        is_own_campaign=case.campaign_id in seen.own_campaigns,
        undo_until=undoable_until(decided_at=case.decided_at, policy=seen.policy) if case.decided_at else None,
    )


def _people(rewards: list[Reward], names: Mapping[int, str]) -> Iterator[Person]:
    for member_id, side in parties_of(rewards).items():
        label = str(Reward.Side(side).label) if side else ""
        yield Person(member_id=member_id, name=names[member_id], side=side, side_label=label)


COUNTS = """
SELECT count(*) AS waiting,
    count(*) FILTER (WHERE assigned_to_id = %(viewer)s::bigint) AS mine,
    count(*) FILTER (WHERE assigned_to_id IS NULL) AS unassigned,
    count(*) FILTER (WHERE due_at <= %(at)s) AS overdue,
    count(escalated_at) AS escalated
FROM antifraud_case WHERE status = 'open'
"""

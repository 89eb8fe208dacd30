"""Many cases at once: what a decision would be about, shown before anybody makes it, and the decision, case by case."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from antifraud.models import Case, Decision, FraudPolicy
from antifraud.moderation import deciding, owners, queue, sides, stakes
from antifraud.moderation.owners import OwnCase
from core.db import transaction
from core.errors import Failure
from rewards.assets import POINTS
from rewards.models import Reward
from tenants.staff.models import Staff


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be decided: approve or reject (`Decision.Action`). `sides` as for `deciding.reject`."""

    action: str
    note: str = ""
    sides: str | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """What stands in rewards together. `amounts` is in words; the cost is in minor units of the tenant's currency."""

    rewards: int
    people: int
    points: int
    cost_minor: int
    amounts: tuple[str, ...]


class Refused(NamedTuple):
    """A case that was not, or would not be, decided, and the failure that says why."""

    case: Case
    failure: Failure


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come of a choice. `seen` is how many rewards of each case these figures are of."""

    cases: int
    total: Total
    approved: Total
    rejected: Total
    refused: tuple[Refused, ...]
    seen: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a choice."""

    decided: tuple[Decision, ...]
    refused: tuple[Refused, ...]


def preview(*, cases: Sequence[Case], choice: Choice, by: Staff, at: datetime) -> Preview:
    """Return what a choice would come to, in a fixed number of statements. Nothing is changed or kept."""
    asked = Case.objects.filter(pk__in=[case.pk for case in cases])
    fresh = list(asked.select_related("decided_by").order_by("pk"))
    rewards = queue.rewards_of(fresh)
    own = owners.own_of(cases=fresh, by=by, at=at)
    policy = FraudPolicy.objects.get(singleton=True)
    spared: list[Reward] = []
    taken: list[Reward] = []
    refused = []
    for case in fresh:
        waiting = [reward for reward in rewards[case.pk] if reward.status == Reward.Status.FLAGGED]
        try:
            takes = _taken(case, waiting, choice=choice, own=own, policy=policy)
        except Failure as failure:
            refused.append(Refused(case, failure))
        else:
            taken += takes
            spared += [reward for reward in waiting if reward not in takes]
    gifts = stakes.gift_names([*spared, *taken])
    return Preview(
        cases=len(fresh) - len(refused),
        total=_total([*spared, *taken], gifts),
        approved=_total(spared, gifts),
        rejected=_total(taken, gifts),
        refused=tuple(refused),
        seen={case.pk: len(rewards[case.pk]) for case in fresh},
    )


def decide(
    *, cases: Iterable[Case], choice: Choice, by: Staff, seen: Mapping[int, int | None], at: datetime
) -> Outcome:
    """
    Decide case by case, each in a transaction of its own; what fails holds up nobody.

    `seen` is how many rewards of each case whoever decides has seen, by the cases' ids.
    """
    decided, refused = [], []
    for case in cases:
        try:
            decided.append(_decide(case, choice, by=by, seen=seen.get(case.pk), at=at))
        except Failure as failure:
            refused.append(Refused(case, failure))
    return Outcome(tuple(decided), tuple(refused))


def _decide(case: Case, choice: Choice, *, by: Staff, seen: int | None, at: datetime) -> Decision:
    with transaction():
        if choice.action == Decision.Action.APPROVE:
            return deciding.approve(case=case, by=by, note=choice.note, seen=seen, at=at)
        return deciding.reject(case=case, by=by, note=choice.note, seen=seen, sides=choice.sides, at=at)


def _taken(
    case: Case, waiting: Sequence[Reward], *, choice: Choice, own: Collection[int], policy: FraudPolicy
) -> list[Reward]:
    """Return which of a case's rewards would be rejected, or raise what deciding would raise."""
    if case.pk in own:
        raise OwnCase
    if case.status != Case.Status.OPEN:
        raise deciding.already_decided(case)
    if choice.action == Decision.Action.APPROVE:
        return []
    chosen = sides.choose(waiting=[each.side for each in waiting], wanted=choice.sides, policy=policy.on_reject)
    return [each for each in waiting if not sides.is_spared(side=each.side, sides=chosen)]


def _total(rewards: Sequence[Reward], gifts: Mapping[str, str]) -> Total:
    return Total(
        rewards=len(rewards),
        people=len({reward.member_id for reward in rewards}),
        points=sum(each.given - each.reversed for each in rewards if each.asset and each.asset.code == POINTS),
        cost_minor=sum(map(stakes.cost_left, rewards)),
        amounts=stakes.amounts_of(rewards, gifts=gifts),
    )

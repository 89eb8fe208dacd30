"""The moderation queue as people see it: whom each case is about, how much, why, and since when it waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from antifraud import reasons
from antifraud.models import Case, CaseReward, FraudPolicy
from antifraud.moderation import undoable_until
from members.names import names_of
from rewards.models import Reward

# Longer than this and a case stands out. It is never released by time.
OVERDUE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Person:
    """One member of a case. `side` is empty for a party to the referral who is not rewarded."""

    member_id: int
    name: str
    side: str
    side_label: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A case as a line of the queue. `undo_until` is None while it is open."""

    people: tuple[Person, ...]
    points: int
    reasons: tuple[str, ...]
    rewards: tuple[Reward, ...]
    is_overdue: bool
    undo_until: datetime | None

    @property
    def is_referral(self) -> bool:
        """Tell whether the people are the two sides of a referral."""
        return any(reward.referral_id for reward in self.rewards)


@dataclass(frozen=True, slots=True)
class Total:
    """What a decision about several cases would be about."""

    cases: int
    points: int
    people: int


def shown_of(cases: Sequence[Case], *, at: datetime) -> dict[int, Shown]:
    """Return what is shown of each case, in three statements however many they are."""
    if not cases:
        return {}
    rows = CaseReward.objects.filter(case__in=cases).select_related("reward__referral").order_by("reward_id")
    rewards: dict[int, list[Reward]] = {case.pk: [] for case in cases}
    for row in rows:
        rewards[row.case_id].append(row.reward)
    names = names_of(member_id for found in rewards.values() for member_id in _parties(found))
    policy = FraudPolicy.objects.get()
    return {case.pk: _shown(case, rewards[case.pk], names, policy, at) for case in cases}


def total_of(cases: Sequence[Case]) -> Total:
    """Return what stands in all these cases together."""
    found = [row.reward for row in CaseReward.objects.filter(case__in=cases).select_related("reward")]
    return Total(
        cases=len(cases),
        points=sum(_waiting(reward) for reward in found),
        people=len({reward.member_id for reward in found}),
    )


def _shown(case: Case, rewards: list[Reward], names: dict[int, str], policy: FraudPolicy, at: datetime) -> Shown:
    is_open = case.status == Case.Status.OPEN
    return Shown(
        people=tuple(_people(rewards, names)),
        points=sum(_waiting(each) if is_open else each.given - each.reversed for each in rewards),
        # Both sides are flagged for the same reasons: once is enough.
        reasons=tuple(dict.fromkeys(reasons.sentence(reason) for each in rewards for reason in each.reasons)),
        rewards=tuple(rewards),
        is_overdue=is_open and at - case.opened_at > OVERDUE,
        undo_until=undoable_until(decided_at=case.decided_at, policy=policy) if case.decided_at else None,
    )


def _waiting(reward: Reward) -> int:
    # A refund may have cancelled a reward while it waited.
    return reward.given - reward.reversed if reward.status == Reward.Status.FLAGGED else 0


def _parties(rewards: Iterable[Reward]) -> dict[int, str]:
    """Return the members and their sides; the other party of a referral has none, but is part of the story."""
    found: dict[int, str] = {}
    for reward in rewards:
        if reward.referral:
            found.setdefault(reward.referral.inviter_id, "")
            found.setdefault(reward.referral.invitee_id, "")
    return found | {reward.member_id: reward.side for reward in rewards}


def _people(rewards: list[Reward], names: dict[int, str]) -> Iterable[Person]:
    for member_id, side in _parties(rewards).items():
        label = str(Reward.Side(side).label) if side else ""
        yield Person(member_id=member_id, name=names[member_id], side=side, side_label=label)

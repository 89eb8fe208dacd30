"""
What follows from a decision: levels rise, facts are recorded, the member is told in plain words, the audit log knows.

What a member is told says what became of the reward, in every language of the platform, and nothing of why it was
suspected: whoever tries to cheat must not learn what gave them away.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from antifraud.models import Case, Decision, FraudPolicy
from antifraud.moderation import stakes
from core.db import in_transaction
from core.errors import type_of_text
from events import facts
from events.facts import Fact
from events.models import Event
from rewards import sentences, units
from rewards.assets import POINTS
from rewards.levels import review
from rewards.models import Reward
from rewards.releases import Moved
from tenants import audit
from tenants.staff import programs

# What became of a reward → what its member reads.
MESSAGES: Final[dict[str, type_of_text]] = {
    "approved": _("%(given)s was checked and approved: %(why)s"),
    "rejected": _("%(given)s was not given: %(why)s"),
    "reopened": _("%(given)s is being checked again: %(why)s"),
}
# What became of the case.
OF_ACTION: Final = {
    Decision.Action.APPROVE: "approved",
    Decision.Action.REJECT: "rejected",
    Decision.Action.UNDO: "reopened",
}


@dataclass(frozen=True, slots=True)
class Came:
    """What became of a case's rewards. Of a rejection that takes one side, the other side is approved."""

    approved: Sequence[Moved] = ()
    rejected: Sequence[Moved] = ()
    reopened: Sequence[Moved] = ()

    def by_what(self) -> Iterator[tuple[str, Moved]]:
        """Yield each reward with what became of it."""
        for what in MESSAGES:
            yield from ((what, each) for each in getattr(self, what))


@in_transaction
def tell(*, decision: Decision, came: Came, at: datetime) -> None:
    """Raise levels, record the facts, and write the audit log."""
    case = Case.objects.get(pk=decision.case_id)
    rows = _rows(each.id for _what, each in came.by_what())
    policy = FraudPolicy.objects.get(singleton=True)
    messages = _messages(came, rows) if policy.tells_members else {}
    told = [*_of_rewards(came, rows, messages, decision), _of_case(case, came, rows, decision)]
    granted = {each.member_id for each in came.approved if each.status == Reward.Status.GRANTED}
    risen = facts.following(facts=review.rise(member_ids=granted, at=at), links=facts.links_of(told))
    facts.record(facts=[*told, *risen], at=at)
    _audit(decision, came, rows, at=at)


def moved_by(*, decision: Decision, reward_ids: Iterable[int]) -> list[int]:
    """Return which of these rewards a decision has approved or rejected: its facts know."""
    keys = {_key(each, what, decision): each for each in reward_ids for what in ("approved", "rejected")}
    told = Event.objects.filter(source=Event.Source.SARAFAN, key__in=list(keys))
    return sorted(keys[key] for key in told.values_list("key", flat=True))


def message_of(*, what: str, reward: Reward, gifts: Mapping[str, str]) -> str:
    """
    Return what a member is told of a reward that was `approved`, `rejected` or `reopened`, in the current language.

    `gifts` are the gifts' names by their codes. The reward comes with its campaign, order, rule, event and asset.
    """
    amount = reward.given - reward.reversed - reward.lost
    given = units.signed(amount, reward.asset) if reward.asset else f"+{gifts.get(reward.what, reward.what)}"
    return str(MESSAGES[what]) % {"given": given, "why": sentences.inside(sentences.of_reward(reward))}


def _rows(reward_ids: Iterable[int]) -> dict[int, Reward]:
    found = Reward.objects.filter(pk__in=list(reward_ids)).select_related("campaign", "order", "rule", "event", "asset")
    return {row.pk: row for row in found.defer("event__data", "event__trace", "event__identities")}


def _messages(came: Came, rows: Mapping[int, Reward]) -> dict[int, dict[str, str]]:
    """Return for each reward what its member is told, by language."""
    gifts = stakes.gift_names(rows.values())
    found: dict[int, dict[str, str]] = {reward_id: {} for reward_id in rows}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            for what, each in came.by_what():
                found[each.id][language] = message_of(what=what, reward=rows[each.id], gifts=gifts)
    return found


def _of_rewards(
    came: Came, rows: Mapping[int, Reward], messages: Mapping[int, Mapping[str, str]], decision: Decision
) -> Iterator[Fact]:
    for what, each in came.by_what():
        reward = rows[each.id]
        told = Fact(
            kind=f"reward.{what}",
            key=_key(each.id, what, decision),
            data={
                "reward_id": each.id,
                "case_id": decision.case_id,
                "points": _points(each, rows),
                "given": each.amount,
                "kind": each.kind,
                "what": each.what,
                "asset": reward.asset.code if reward.asset else "",
            },
            member_id=each.member_id,
            cause_id=reward.event_id,
            depth=min(reward.event.depth + 1, facts.DEPTH_MAX),
        )
        yield told._replace(data={**told.data, "message": messages[each.id]} if each.id in messages else told.data)
        if each.status == Reward.Status.GRANTED:
            yield told._replace(kind="reward.granted", key=f"reward:{each.id}:granted:{decision.pk}")


def _key(reward_id: int, what: str, decision: Decision) -> str:
    return f"reward:{reward_id}:{what}:{decision.pk}"


def _of_case(case: Case, came: Came, rows: Mapping[int, Reward], decision: Decision) -> Fact:
    what = OF_ACTION[Decision.Action(decision.action)]
    data = {
        "case_id": case.pk,
        "campaign_id": case.campaign_id,
        "by": decision.by.get_username(),
        "sides": decision.sides,
        "rewards": {what: [each.id for each in getattr(came, what)] for what in MESSAGES if getattr(came, what)},
        "cost_minor": sum(stakes.cost_left(reward) for reward in rows.values()),
    }
    return Fact(kind=f"case.{what}", key=f"case:{case.pk}:{what}:{decision.pk}", data=data)


def _audit(decision: Decision, came: Came, rows: Mapping[int, Reward], *, at: datetime) -> None:
    changes: dict[str, Any] = {
        "rewards": [each.id for _what, each in came.by_what()],
        "points": sum(_points(each, rows) for _what, each in came.by_what()),
        "note": decision.note,
    }
    if came.rejected and came.approved:
        changes |= {"sides": decision.sides, "approved": [each.id for each in came.approved]}
    key = programs.key_of(decision.by)
    audit.record(
        actor_kind="staff" if key is None else "key",
        actor=key or decision.by.get_username(),
        action=f"case.{OF_ACTION[Decision.Action(decision.action)]}",
        target=f"case:{decision.case_id}",
        changes=changes,
        at=at,
    )


def _points(moved: Moved, rows: Mapping[int, Reward]) -> int:
    asset = rows[moved.id].asset
    return moved.amount if asset and asset.code == POINTS else 0

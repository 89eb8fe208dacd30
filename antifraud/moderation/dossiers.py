"""What else is known before a case is decided: what was seen, and what was decided about these people before."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import Q

from antifraud.judging import reasons
from antifraud.models import Case, Decision, Signal
from antifraud.moderation import webs
from core.db import fetch
from events.merging import selves
from events.models import Event
from members.names import names_of
from rewards.models import Reward

CASES_MAX: Final = 50
NAMED_MAX: Final = 6


@dataclass(frozen=True, slots=True)
class Sight:
    """
    One thing that was seen, in words, with the weight that it had then: None where it flags by itself.

    `named` are the members whom it names and their names, `unnamed` counts those that are too many to name.
    """

    signal: str
    title: str
    sentence: str
    weight: int | None
    is_shadow: bool
    named: tuple[tuple[int, str], ...] = ()
    unnamed: int = 0


@dataclass(frozen=True, slots=True)
class Basis:
    """What the verdict rests on: `sights`, and how they came to it, in words: "60 + 50 = 110, from 50 on"."""

    sights: tuple[Sight, ...]
    verdicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """Other cases about the same people, on any side and whenever; `also_open` wait, those of the same ring too."""

    decisions: tuple[Decision, ...]
    approved: int
    rejected: int
    also_open: tuple[Case, ...]


def basis_of(*, rewards: Sequence[Reward]) -> Basis:
    """Return why rewards wait, in three statements."""
    found = list(_sights(rewards))
    names = names_of(each for _sight, named in found for each in named[:NAMED_MAX])
    return Basis(
        sights=tuple(
            replace(
                sight,
                named=tuple((each, names[each]) for each in named[:NAMED_MAX]),
                unnamed=max(len(named) - NAMED_MAX, 0),
            )
            for sight, named in found
        ),
        verdicts=tuple(dict.fromkeys(_verdicts(rewards))),
    )


def record_of(*, case: Case, member_ids: Collection[int]) -> Record:
    """Return what was decided about these people before, and what else of theirs waits, in three statements."""
    rows = fetch(CASES, {"people": sorted(member_ids), "case_id": case.pk, "limit": CASES_MAX})
    about = Q(pk__in=[row.case_id for row in rows])
    ring, _colon, _campaign = case.group_key.partition(":campaign:")
    if ring.startswith("ring:"):
        about |= Q(status=Case.Status.OPEN, group_key__startswith=f"{ring}:")
    others = list(Case.objects.filter(about).exclude(pk=case.pk).select_related("campaign").order_by("-pk"))
    statuses = Counter(each.status for each in others)
    decisions = Decision.objects.filter(case__in=others).select_related("by", "case__campaign")
    return Record(
        decisions=tuple(decisions.order_by("-pk")[:CASES_MAX]),
        approved=statuses[Case.Status.APPROVED],
        rejected=statuses[Case.Status.REJECTED],
        also_open=tuple(each for each in others if each.status == Case.Status.OPEN),
    )


def _sights(rewards: Sequence[Reward]) -> Iterator[tuple[Sight, list[int]]]:
    """Yield what was seen, each once though both sides of a referral have it, and whom it names: the heaviest first."""
    asked = {(each.event_id, each.rule_id, each.member_id) for each in rewards}
    about = Signal.objects.filter(event__in={event_id for event_id, _rule, _member in asked}).select_related("member")
    seen: dict[str, tuple[Sight, list[int]]] = {}
    for row in about.order_by("-weight", "pk"):
        # What was seen of whoever was merged is about a reward of the one who stays.
        if (row.event_id, row.rule_id, row.member.merged_into_id or row.member_id) in asked:
            sight = _sight(row.name, row.evidence, weight=row.weight, is_shadow=row.is_shadow)
            seen.setdefault(sight.sentence, (sight, webs.named_in(row.evidence)))
    # A stop rule or a ban is no signal: it flags whatever was seen.
    known = {sight.signal for sight, _named in seen.values()}
    for reason in (reason for each in rewards for reason in each.reasons if reason.get("signal") not in known):
        sight = _sight(str(reason.get("signal", "")), reason.get("evidence") or {}, weight=None, is_shadow=False)
        seen.setdefault(sight.sentence, (sight, []))
    yield from sorted(seen.values(), key=lambda each: each[0].is_shadow)


def _sight(signal: str, evidence: Mapping[str, Any], *, weight: int | None, is_shadow: bool) -> Sight:
    return Sight(
        signal=signal,
        title=reasons.short(signal),
        sentence=reasons.sentence({"signal": signal, "evidence": evidence}),
        weight=weight,
        is_shadow=is_shadow,
    )


def _verdicts(rewards: Iterable[Reward]) -> Iterator[str]:
    """Yield what the traces say of how each reward came to be flagged."""
    flagged = {each.pk for each in rewards}
    events = Event.objects.filter(pk__in={each.event_id for each in rewards})
    for trace in events.order_by("pk").values_list("trace", flat=True):
        for entry in trace:
            if isinstance(entry, dict) and entry.get("reward_id") in flagged:
                told = (entry.get("params") or {}).get("because")
                yield from [reasons.because(told)] if told else []


# A member may stand on either side, and not be the one who was rewarded.
CASES = f"""
WITH sides AS (
    SELECT id AS member_id, NULL::bigint AS referral_id FROM unnest(%(people)s::bigint[]) AS p (id)
    UNION
    SELECT coalesce(m.merged_into_id, m.id), f.id FROM unnest(%(people)s::bigint[]) AS p (id)
    JOIN referrals_referral f ON f.invitee_id = ANY({selves("p.id")}) JOIN members_member m ON m.id = f.inviter_id
    UNION
    (SELECT coalesce(m.merged_into_id, m.id), f.id FROM unnest(%(people)s::bigint[]) AS p (id)
        JOIN referrals_referral f ON f.inviter_id = ANY({selves("p.id")}) JOIN members_member m ON m.id = f.invitee_id
        ORDER BY f.attributed_at DESC LIMIT 500)
)
SELECT DISTINCT cr.case_id
FROM sides
CROSS JOIN LATERAL (
    SELECT r.id FROM rewards_reward r
    WHERE r.member_id = sides.member_id AND (sides.referral_id IS NULL OR r.referral_id = sides.referral_id)
    ORDER BY r.id DESC LIMIT 500
) reward
JOIN antifraud_casereward cr ON cr.reward_id = reward.id
WHERE cr.case_id <> %(case_id)s
ORDER BY cr.case_id DESC LIMIT %(limit)s
"""  # noqa: S608 (constants only)

"""
What another policy would have decided about what has happened: told from the signals that were recorded then. It reads.

A signal's weight is the other policy's. One that the signal worked out by itself is taken in proportion. What was
refused by a stop list, or let through by an exemption, stays as it was: both policies have the same lists. A number
that was made stricter cannot be told from what was seen with the old one: then the other policy is shown too harsh.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from antifraud.judging import verdict
from antifraud.judging.observed import Seen, Setting
from antifraud.judging.policy import Policy
from antifraud.models import FraudPolicy
from antifraud.signals import block_list
from core.db import fetch

# Of a long period the latest rewards are compared.
COMPARED_MAX: Final = 20_000
HARDNESS: Final = ("allow", "flag", "refuse")


@dataclass(frozen=True, slots=True)
class Differing:
    """
    A reward that the other policy would have decided otherwise.

    `status` and `case_id` say what became of it; one that was refused has no number. `cost_minor` is in minor units of
    the tenant's currency.
    """

    event_id: int
    rule_id: int
    member_id: int
    at: datetime
    live: str
    shadow: str
    signals: tuple[str, ...]
    reward_id: int | None
    status: str
    case_id: int | None
    case_status: str
    cost_minor: int

    @property
    def is_more(self) -> bool:
        """Whether the other policy is the more careful."""
        return HARDNESS.index(self.shadow) > HARDNESS.index(self.live)


@dataclass(frozen=True, slots=True)
class Sum:
    """So many rewards, what they cost, and how many of them moderators rejected and approved."""

    rewards: int
    cost_minor: int
    rejected: int
    approved: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two policies differ over a period: by live and other answer, all of them, and whether there were too many."""

    compared: int
    is_cut: bool
    differing: tuple[Differing, ...]

    def more(self, answer: str) -> Sum:
        """Return what the other policy alone would have flagged or refused."""
        return _sum([each for each in self.differing if each.is_more and each.shadow == answer])

    def fewer(self, answer: str) -> Sum:
        """Return what was flagged or refused, and would not have been so hard."""
        return _sum([each for each in self.differing if not each.is_more and each.live == answer])


def compare(*, row: FraudPolicy, live: Policy, shadow: Policy, since: datetime, until: datetime) -> Comparison:
    """Compare over a period, its end not included, in one statement."""
    params = {"campaign_id": row.campaign_id, "since": since, "until": until, "most": COMPARED_MAX + 1}
    rows = fetch(COMPARED, params)
    found = tuple(_differing(rows[:COMPARED_MAX], live, shadow))
    return Comparison(min(len(rows), COMPARED_MAX), len(rows) > COMPARED_MAX, found)


def _differing(rows: Sequence[Any], live: Policy, shadow: Policy) -> Iterator[Differing]:
    for row in rows:
        answer = _answer(row, live, shadow)
        if answer != row.verdict:
            yield Differing(
                event_id=row.event_id,
                rule_id=row.rule_id,
                member_id=row.member_id,
                at=row.at,
                live=row.verdict,
                shadow=answer,
                signals=tuple(sorted({name for name, _weight, _is_shadow in row.seen})),
                reward_id=row.reward_id,
                status=row.status or "",
                case_id=row.case_id,
                case_status=row.case_status or "",
                cost_minor=int(row.cost_minor or 0),
            )


def _answer(row: Any, live: Policy, shadow: Policy) -> str:
    recorded = [Seen(name, weight, {}, is_shadow=is_shadow) for name, weight, is_shadow in row.seen]
    counted = [each for each in recorded if not each.is_shadow]
    if any(each.signal == block_list.NAME for each in counted) and row.verdict != "allow":
        return str(row.verdict)
    if row.verdict == "allow" and sum(each.weight for each in counted) >= live.flag_from:
        return "allow"  # An exemption.
    tried = [_tried(shadow.settings, live.settings, each) for each in recorded if each.signal in shadow.settings]
    return verdict.decide(seen=[each for each in tried if each], policy=shadow).answer


def _tried(shadow: Mapping[str, Setting], live: Mapping[str, Setting], each: Seen) -> Seen | None:
    setting, was = shadow[each.signal], live[each.signal]
    if setting.mode == "off":
        return None
    weight = each.weight
    # What the policy itself did not look for has been weighed by the other one.
    if not each.is_shadow or was.mode == "shadow":
        weight = each.weight * setting.weight // was.weight if was.weight else setting.weight
    return Seen(each.signal, weight, {}, setting.always, is_shadow=setting.mode == "shadow")


def _sum(found: Sequence[Differing]) -> Sum:
    return Sum(
        rewards=len(found),
        cost_minor=sum(each.cost_minor for each in found),
        rejected=sum(each.status == "rejected" for each in found),
        approved=sum(each.case_status == "approved" for each in found),
    )


COMPARED = """
WITH seen AS (
    SELECT s.event_id, s.rule_id, s.member_id, min(s.at) AS at, max(s.verdict) AS verdict, max(s.id) AS last_id,
        jsonb_agg(jsonb_build_array(s.name, s.weight, s.is_shadow) ORDER BY s.id) AS seen
    FROM antifraud_signal s JOIN campaigns_rule rule ON rule.id = s.rule_id
    WHERE s.at >= %(since)s AND s.at < %(until)s AND CASE
        WHEN %(campaign_id)s::bigint IS NULL THEN NOT EXISTS (
            SELECT FROM antifraud_fraudpolicy own WHERE own.campaign_id = rule.campaign_id)
        ELSE rule.campaign_id = %(campaign_id)s::bigint END
    GROUP BY s.event_id, s.rule_id, s.member_id
    ORDER BY max(s.id) DESC LIMIT %(most)s
)
SELECT seen.*, r.id AS reward_id, r.status, c.id AS case_id, c.status AS case_status,
    r.cost_minor - r.cost_minor::numeric * r.reversed / r.given AS cost_minor
FROM seen
LEFT JOIN LATERAL (
    SELECT * FROM rewards_reward r
    WHERE r.event_id = seen.event_id AND r.rule_id = seen.rule_id AND r.member_id = seen.member_id AND r.part = 0
    ORDER BY r.id LIMIT 1
) r ON true
LEFT JOIN antifraud_casereward cr ON cr.reward_id = r.id
LEFT JOIN antifraud_case c ON c.id = cr.case_id
ORDER BY seen.last_id DESC
"""

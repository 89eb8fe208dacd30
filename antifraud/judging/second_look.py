"""
A second look at what is on hold: what is known of an inviter's friends by now was not known when the first one bought.

Whoever makes false friends one after another is seen through by the third or the fourth. What the others have earned is
still pending then, if the rule has a hold: it waits for a moderator as well.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from antifraud.judging import observing, verdict
from antifraud.judging.observed import NoRanges, Observed, Party, Seen
from antifraud.judging.policy import Chosen, Policies, Policy
from antifraud.models import FraudPolicy
from antifraud.moderation import cases
from antifraud.moderation.cases import Flagged, NewSignal
from antifraud.signals import habits
from core.db import execute, fetch, in_transaction, json_text, transaction
from members import people
from tenants import context

# What a round has missed the next one finds.
SINCE: Final = timedelta(days=1)
INVITERS_MAX: Final = 500

ASKED = """
SELECT DISTINCT g.member_id FROM antifraud_signal g
WHERE g.at > %(since)s AND g.at <= %(at)s AND g.verdict <> 'allow' AND NOT g.is_shadow AND EXISTS (
    SELECT FROM rewards_reward r WHERE r.member_id = g.member_id AND r.side = 'inviter' AND r.status = 'pending')
ORDER BY g.member_id LIMIT %(limit)s
"""
INVITERS = f"""
SELECT m.id, m.first_seen_at, {observing.OF_INVITERS}, {observing.LISTED}
FROM members_member m WHERE m.id = ANY(%(inviters)s::bigint[]) ORDER BY m.id
"""  # noqa: S608 (constants only)
# What a moderator has approved before is not asked of again.
PENDING = """
SELECT r.id, r.campaign_id, r.event_id, r.rule_id, r.member_id, f.inviter_id, f.invitee_id
FROM referrals_referral f
CROSS JOIN LATERAL (SELECT * FROM rewards_reward each
    WHERE each.member_id IN (f.inviter_id, f.invitee_id) AND each.referral_id = f.id AND each.status = 'pending') r
WHERE f.inviter_id = ANY(%(inviters)s::bigint[])
    AND NOT EXISTS (SELECT FROM antifraud_casereward decided WHERE decided.reward_id = r.id)
ORDER BY r.id
"""
FLAG = """
UPDATE rewards_reward r SET status = 'flagged', reasons = told.reasons
FROM ROWS FROM (unnest(%(ids)s::bigint[]), jsonb_array_elements(%(reasons)s::jsonb)) AS told (id, reasons)
WHERE r.id = told.id AND r.status = 'pending'
"""


class _Suspect(NamedTuple):
    """An inviter as they look by now."""

    case: Observed
    is_exempt: bool


def is_due(*, at: datetime) -> bool:
    """Tell whether there is anybody to look at again, in one statement and without the tenant's lock."""
    return bool(_asked(at=at))


@transaction
def look(*, at: datetime) -> int:
    """Flag what is pending for friends of inviters who are under suspicion by now; return how many rewards."""
    people.lock(context.current().schema_name)
    suspects = _suspects(_asked(at=at), at=at)
    policies = Policies([Chosen(**row) for row in FraudPolicy.objects.values(*Chosen.__dataclass_fields__)])
    rows = fetch(PENDING, {"inviters": sorted(suspects)}) if suspects else []
    found = [(row, seen) for row in rows for seen in _seen(suspects[row.inviter_id], policies.of(row.campaign_id))]
    _flag(found, at=at)
    return len(found)


def _asked(*, at: datetime) -> list[int]:
    params = {"since": at - SINCE, "at": at, "limit": INVITERS_MAX}
    return [row.member_id for row in fetch(ASKED, params)]


def _suspects(inviter_ids: Sequence[int], *, at: datetime) -> dict[int, _Suspect]:
    rows = fetch(INVITERS, {"inviters": list(inviter_ids), "at": at}) if inviter_ids else []
    found = {}
    for row in rows:
        traits = observing.traits_of(row, ranges=NoRanges())
        party = Party(id=row.id, first_seen_at=row.first_seen_at, traits=traits)
        case = Observed(member_id=row.id, occurred_at=at, invitee=party, inviter=party, friends=traits.friends)
        found[row.id] = _Suspect(case, any(each.list == "exempt" for each in traits.listed))
    return found


def _seen(suspect: _Suspect, policy: Policy) -> Iterator[Seen]:
    setting = policy.settings[habits.SUSPECTED]
    found = habits.suspected(suspect.case, setting) if setting.mode == "live" else None
    if found:
        seen = Seen(habits.SUSPECTED, setting.weight, found.evidence, setting.always)
        if verdict.decide(seen=[seen], policy=policy, is_exempt=suspect.is_exempt).answer != "allow":
            yield seen


@in_transaction
def _flag(found: Sequence[tuple[Any, Seen]], *, at: datetime) -> None:
    if not found:
        return
    reasons = [[{"signal": seen.signal, "evidence": seen.evidence}] for _row, seen in found]
    execute(FLAG, {"ids": [row.id for row, _seen in found], "reasons": json_text(reasons)})
    flagged = [Flagged(_group_of(row), row.campaign_id, row.id) for row, _seen in found]
    signals = {(row.event_id, row.rule_id, row.member_id): seen for row, seen in found}
    kept = [NewSignal(*key, seen.signal, seen.weight, "flag", seen.evidence) for key, seen in signals.items()]
    cases.record(flagged=flagged, signals=kept, at=at)


def _group_of(row: Any) -> str:
    return cases.group_key(campaign_id=row.campaign_id, invitee_id=row.invitee_id, event_id=row.event_id)

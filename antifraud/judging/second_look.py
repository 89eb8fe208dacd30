"""
A second look at what is on hold: more is known of people by now than when the first of them bought.

Whoever makes false friends one after another is seen through by the third or the fourth, a ring when it closes, whoever
gives back what was bought when the first of it comes back. What the others have earned is still pending then, if the
rule has a hold: it waits for a moderator as well. A second look only ever flags.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from antifraud import signals
from antifraud.judging import observing, verdict
from antifraud.judging.observed import Observed, Party, Seen
from antifraud.judging.policy import Chosen, Policies, Policy
from antifraud.lists import ranges
from antifraud.models import FraudPolicy
from antifraud.moderation import cases
from antifraud.moderation.cases import Flagged, NewSignal
from antifraud.signals import habits, refund_rate, ring
from antifraud.signals.signal import OF_INVITER
from core.db import execute, fetch, in_transaction, json_text, transaction
from events.merging import selves
from members import people
from tenants import context

# What a round has missed the next one finds.
SINCE: Final = timedelta(days=1)
# What a refund tells of an inviter is asked before the next of their rewards is paid.
AHEAD: Final = timedelta(hours=1)
INVITERS_MAX, RINGS_MAX, DUE_MAX = 500, 500, 2_000
# What is to be paid first comes first: a round that is full leaves the rest to the next one.
PENDING_MAX: Final = 10_000
# What tells of an inviter by their friends, and so of those too who came first.
BY_FRIENDS: Final = (*habits.SIGNALS, *refund_rate.SIGNALS)

# Whoever was merged is seen as the one who stays, whose the rewards are: what was seen of them before keeps its number.
SURVIVING: Final = "COALESCE({0}.merged_into_id, {0}.id)"

# Three reasons to look again: something was seen of an inviter lately; a ring of members who are named in what was seen
# (of a reward that no moderator has approved since); what an inviter's friends have given back once it was rewarded.
ASKED: Final = f"""
WITH latest AS MATERIALIZED (
    SELECT g.* FROM antifraud_signal g
    WHERE g.at > %(since)s AND g.at <= %(at)s AND g.verdict <> 'allow' AND NOT g.is_shadow
), rings AS MATERIALIZED (
    SELECT DISTINCT ON (g.evidence -> 'members') g.evidence FROM latest g
    WHERE g.name = '{ring.NAME}' AND NOT EXISTS (
        SELECT FROM (SELECT r.id, r.event_id FROM rewards_reward r
            WHERE r.member_id = (SELECT {SURVIVING.format("m")} FROM members_member m WHERE m.id = g.member_id)
            ORDER BY r.id DESC LIMIT 2000) r
        JOIN antifraud_casereward cr ON cr.reward_id = r.id JOIN antifraud_case c ON c.id = cr.case_id
        WHERE r.event_id = g.event_id AND c.status = 'approved')
    ORDER BY g.evidence -> 'members', g.id DESC LIMIT {RINGS_MAX}
)
(SELECT DISTINCT {SURVIVING.format("m")} AS inviter_id, NULL::bigint AS invitee_id, NULL::jsonb AS ring
FROM latest g JOIN members_member m ON m.id = g.member_id
WHERE EXISTS (
    SELECT FROM rewards_reward r
    WHERE r.member_id = {SURVIVING.format("m")} AND r.side = 'inviter' AND r.status = 'pending')
ORDER BY 1 LIMIT {INVITERS_MAX})
UNION ALL
(SELECT {SURVIVING.format("inviter")}, {SURVIVING.format("friend")}, rings.evidence FROM rings
CROSS JOIN LATERAL jsonb_array_elements(rings.evidence -> 'members') AS named (id)
CROSS JOIN LATERAL (SELECT * FROM referrals_referral each WHERE each.invitee_id = named.id::bigint LIMIT 1) f
JOIN members_member inviter ON inviter.id = f.inviter_id
JOIN members_member friend ON friend.id = f.invitee_id
WHERE rings.evidence -> 'members' @> to_jsonb(f.inviter_id) AND EXISTS (
    SELECT FROM rewards_reward r WHERE r.member_id IN ({SURVIVING.format("inviter")}, {SURVIVING.format("friend")})
        AND r.referral_id = f.id AND r.status = 'pending'))
UNION ALL
(SELECT DISTINCT due.member_id, NULL::bigint, NULL::jsonb FROM (
    SELECT r.member_id FROM rewards_reward r WHERE r.status = 'pending' AND r.awaits = '' AND r.side = 'inviter'
        AND r.matures_at <= %(ahead)s ORDER BY r.matures_at LIMIT {DUE_MAX}) due
WHERE EXISTS (
    SELECT FROM (SELECT r.* FROM rewards_reward r
        WHERE r.member_id = due.member_id ORDER BY r.id DESC LIMIT {observing.SIGNALS_MAX}) r
    WHERE r.side = 'inviter' AND r.granted_at IS NOT NULL AND r.matures_at > r.occurred_at
        AND r.reversed + r.lost >= r.given))
"""  # noqa: S608 (constants only)
# With what was seen of each when it was proposed. What a moderator has approved before is not asked of again.
PENDING: Final = f"""
SELECT r.id, r.campaign_id, r.event_id, r.rule_id, r.member_id, {SURVIVING.format("inviter")} AS inviter_id,
    {SURVIVING.format("friend")} AS invitee_id, (
    SELECT jsonb_agg(jsonb_build_array(g.name, g.weight, g.evidence) ORDER BY g.id)
    FROM antifraud_signal g JOIN members_member m ON m.id = g.member_id
    WHERE g.event_id = r.event_id AND g.rule_id = r.rule_id AND {SURVIVING.format("m")} = r.member_id
        AND NOT g.is_shadow) AS kept
FROM (
    SELECT f.id, f.inviter_id, f.invitee_id FROM unnest(%(inviters)s::bigint[]) AS asked (id)
    JOIN referrals_referral f ON f.inviter_id = ANY({selves("asked.id")})
    UNION
    SELECT f.id, f.inviter_id, f.invitee_id FROM unnest(%(invitees)s::bigint[]) AS asked (id)
    JOIN referrals_referral f ON f.invitee_id = ANY({selves("asked.id")})
) f
JOIN members_member inviter ON inviter.id = f.inviter_id
JOIN members_member friend ON friend.id = f.invitee_id
CROSS JOIN LATERAL (SELECT * FROM rewards_reward each
    WHERE each.member_id IN ({SURVIVING.format("inviter")}, {SURVIVING.format("friend")}) AND each.referral_id = f.id
        AND each.status = 'pending') r
WHERE NOT EXISTS (SELECT FROM antifraud_casereward decided WHERE decided.reward_id = r.id)
ORDER BY r.matures_at, r.id LIMIT {PENDING_MAX}
"""  # noqa: S608 (constants only)
PEOPLE: Final = f"SELECT m.id, m.first_seen_at, {observing.OF_INVITERS}, {observing.LISTED}"
FROM: Final = "FROM members_member m WHERE m.id = ANY(%(related)s::bigint[])"
FLAG: Final = """
UPDATE rewards_reward r SET status = 'flagged', reasons = told.reasons
FROM ROWS FROM (unnest(%(ids)s::bigint[]), jsonb_array_elements(%(reasons)s::jsonb)) AS told (id, reasons)
WHERE r.id = told.id AND r.status = 'pending'
"""


class _Asked(NamedTuple):
    """Inviters whose friends are looked at again, and by (inviter, invitee) what was seen of the ring they are in."""

    inviters: list[int]
    rings: dict[tuple[int, int], Mapping[str, Any]]


class _Doubted(NamedTuple):
    """A pending reward that would have waited, had it been known: what was seen of it then, and what is seen now."""

    row: Any
    kept: tuple[Seen, ...]
    new: tuple[Seen, ...]


def is_due(*, at: datetime) -> bool:
    """Tell whether there is anybody to look at again, in one statement and without the tenant's lock."""
    asked = _asked(at=at)
    return bool(asked.inviters or asked.rings)


@transaction
def look(*, at: datetime) -> int:
    """Flag what is pending and would not be allowed with what is known by now; return how many rewards."""
    people.lock(context.current().schema_name)
    asked = _asked(at=at)
    invitees = sorted({invitee_id for _inviter_id, invitee_id in asked.rings})
    rows = fetch(PENDING, {"inviters": asked.inviters, "invitees": invitees})
    if not rows:
        return 0
    policies, lists_version = _policies()
    parties = _parties(rows, lists_version=lists_version, at=at)
    found = [doubted for row in rows if (doubted := _doubted(row, asked, parties, policies, at=at))]
    _flag(sorted(found, key=lambda each: each.row.id), at=at)
    return len(found)


def _asked(*, at: datetime) -> _Asked:
    rows = fetch(ASKED, {"since": at - SINCE, "at": at, "ahead": at + AHEAD})
    # Of several rings that two stand in, the largest is told.
    closed = sorted((row for row in rows if row.ring), key=lambda row: len(row.ring["members"]))
    return _Asked(
        inviters=sorted({row.inviter_id for row in rows if not row.ring}),
        rings={(row.inviter_id, row.invitee_id): row.ring for row in closed},
    )


def _policies() -> tuple[Policies, int]:
    """Return the policies, and the tenant's version of its lists."""
    columns = Chosen.__dataclass_fields__
    rows = list(FraudPolicy.objects.values("singleton", "lists_version", *columns))
    version = next(row["lists_version"] for row in rows if row["singleton"])
    return Policies([Chosen(**{name: row[name] for name in columns}) for row in rows]), version


def _parties(rows: Sequence[Any], *, lists_version: int, at: datetime) -> dict[int, Party]:
    """Return everybody whom these rewards are about, inviters as they look by now."""
    inviters = {row.inviter_id for row in rows}
    params = {"inviters": sorted(inviters), "related": sorted(inviters | {row.invitee_id for row in rows}), "at": at}
    # Addresses and domains are unsealed where a list could name them.
    sql = f"{PEOPLE}, {observing.OF_RELATED} {FROM}" if lists_version else f"{PEOPLE} {FROM}"
    listed = ranges.current(version=lists_version, at=at)
    return {
        row.id: Party(id=row.id, first_seen_at=row.first_seen_at, traits=observing.traits_of(row, ranges=listed))
        for row in fetch(sql, params)
    }


def _doubted(
    row: Any, asked: _Asked, parties: Mapping[int, Party], policies: Policies, *, at: datetime
) -> _Doubted | None:
    policy = policies.of(row.campaign_id)
    inviter, invitee = parties[row.inviter_id], parties[row.invitee_id]
    kept = tuple(_kept(row, policy))
    known = {each.signal for each in kept}
    # This friend's own sign does not make it a habit.
    own = {each.signal for each in kept if OF_INVITER not in each.evidence}
    others = {name: count - (name in own) for name, count in inviter.traits.habits.items()}
    case = Observed(
        member_id=row.member_id,
        occurred_at=at,
        invitee=invitee,
        inviter=replace(inviter, traits=replace(inviter.traits, habits=others)),
        friends=inviter.traits.friends,
    )
    closed = asked.rings.get((inviter.id, invitee.id))
    seen = [*_ring(closed, policy), *signals.observe(case=case, settings=policy.settings, among=BY_FRIENDS)]
    new = tuple(each for each in seen if not each.is_shadow and each.signal not in known)
    is_exempt = any(line.list == "exempt" for party in case.parties for line in party.traits.listed)
    judged = verdict.decide(seen=(*kept, *new), policy=policy, is_exempt=is_exempt)
    return _Doubted(row, kept, new) if new and judged.answer != "allow" else None


def _kept(row: Any, policy: Policy) -> Iterator[Seen]:
    """Yield what was seen of a reward when it was proposed, and still counts."""
    for name, weight, evidence in row.kept or ():
        if name in policy.settings and policy.settings[name].mode == "live":
            yield Seen(name, weight, evidence)


def _ring(closed: Mapping[str, Any] | None, policy: Policy) -> Iterator[Seen]:
    setting = policy.settings[ring.NAME]
    if closed and setting.mode == "live":
        yield Seen(ring.NAME, setting.weight, closed, setting.always)


@in_transaction
def _flag(found: Sequence[_Doubted], *, at: datetime) -> None:
    if not found:
        return
    reasons = [
        [{"signal": seen.signal, "evidence": seen.evidence} for seen in (*each.kept, *each.new)] for each in found
    ]
    execute(FLAG, {"ids": [each.row.id for each in found], "reasons": json_text(reasons)})
    flagged = [Flagged(_group_of(each), each.row.campaign_id, each.row.id) for each in found]
    # Once for all the parts of what one rule gives.
    signals_of = {(each.row.event_id, each.row.rule_id, each.row.member_id): each.new for each in found}
    kept = [
        NewSignal(*key, seen.signal, seen.weight, "flag", seen.evidence)
        for key, new in signals_of.items()
        for seen in new
    ]
    cases.record(flagged=flagged, signals=kept, at=at)


def _group_of(doubted: _Doubted) -> str:
    row = doubted.row
    named = (seen.evidence["members"] for seen in (*doubted.kept, *doubted.new) if seen.signal == ring.NAME)
    return cases.group_key(
        campaign_id=row.campaign_id, invitee_id=row.invitee_id, event_id=row.event_id, ring=next(named, ())
    )

"""Whom a batch is about, as they were known before it: one statement."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from core import db
from referrals.touch import Miss, Touch, Touches
from rewards import assets
from scoring.situation import Incoming, Person, Promise
from scoring.surroundings import Surroundings

HOUR = timedelta(hours=1)
JOINED = "member.joined"


# Of most members only the number of their orders is asked; what happened before, of those who join; the rest, of those
# who invite or are invited. Instants are bounded: the first order and the busiest hour are all that is asked of them.
PEOPLE = """
SELECT m.id, m.status = 'blocked' AS is_blocked, m.first_seen_at, m.joined_at,
    COALESCE(level.multiplier_bps, 10000) AS multiplier_bps,
    (SELECT jsonb_object_agg(capped.id, COALESCE((
            SELECT a.balance FROM rewards_account a WHERE (a.member_id, a.asset_id) = (m.id, capped.id)
        ), 0) + COALESCE((
            SELECT sum(r.given - r.reversed - r.lost) FROM rewards_reward r
            WHERE r.member_id = m.id AND r.asset_id = capped.id AND r.status IN ('pending', 'flagged')
        ), 0)) FROM unnest(%(capped)s::bigint[]) AS capped (id)) AS holdings,
    CASE WHEN m.id = ANY(%(actors)s::bigint[]) THEN
        (SELECT jsonb_agg(to_jsonb(r) - 'reasons' ORDER BY r.id) FROM rewards_reward r
            WHERE r.member_id = m.id AND r.awaits <> '' AND r.awaits = ANY(%(kinds)s::text[])
                AND r.status IN ('pending', 'flagged')) END AS promises,
    (SELECT count(*) FROM events_order o WHERE o.member_id = m.id AND o.cancelled_at IS NULL) AS orders_count,
    CASE WHEN m.id = ANY(%(joiners)s::bigint[]) THEN
        ARRAY(SELECT o.paid_at FROM events_order o WHERE o.member_id = m.id AND o.cancelled_at IS NULL
            ORDER BY o.paid_at LIMIT 500) END AS orders,
    CASE WHEN m.id = ANY(%(joiners)s::bigint[]) THEN
        EXISTS (SELECT FROM referrals_referral s WHERE s.inviter_id = m.id) END AS has_invited,
    CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN
        ARRAY(SELECT i.kind || ':' || i.lookup FROM members_identity i WHERE i.member_id = m.id LIMIT 300)
        END AS identities,
    CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN
        ARRAY(SELECT s.attributed_at FROM referrals_referral s WHERE s.inviter_id = m.id
            AND s.attributed_at > %(since)s ORDER BY s.attributed_at LIMIT 1000) END AS signups,
    CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN
        (SELECT count(*) FROM referrals_referral own JOIN referrals_referral s ON s.inviter_id = own.inviter_id
            AND s.attributed_at > own.attributed_at - interval '1 hour' AND s.attributed_at <= own.attributed_at
            WHERE own.invitee_id = m.id) END AS signups_in_hour,
    CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN
        (SELECT jsonb_agg(jsonb_build_array(o.id, o.first_seen_at)) FROM (
            SELECT DISTINCT o.id, o.first_seen_at FROM members_identity i
            JOIN members_identity first ON first.kind = i.kind AND first.lookup = i.lookup AND first.resolves
            JOIN members_member o ON o.id = first.member_id
            WHERE i.member_id = m.id AND i.kind IN ('telegram', 'email', 'phone') AND NOT i.resolves) o) END AS doubles
FROM members_member m
LEFT JOIN rewards_standing standing ON standing.member_id = m.id
LEFT JOIN rewards_level level ON level.id = standing.level_id
WHERE m.id = ANY(%(ids)s::bigint[])
"""


def read(
    *, incoming: Sequence[Incoming], touches: Touches, others: Collection[int], around: Surroundings
) -> dict[int, Person]:
    """Return everybody by their numbers: whom the events are about, whom touches lead to, and `others`."""
    actors = {each.member_id for each in incoming}
    joiners = {each.member_id for each in incoming if each.kind == JOINED}
    related = joiners | {touch.inviter_id for each in incoming for touch in touches_of(each, touches=touches)}
    related |= {
        member_id for invitee_id, each in touches.referrals.items() for member_id in (invitee_id, each.inviter_id)
    }
    ids = related | actors | set(others)
    since = min(each.occurred_at for each in incoming) - HOUR
    return {
        row.id: Person(
            id=row.id,
            is_blocked=row.is_blocked,
            first_seen_at=row.first_seen_at,
            joined_at=row.joined_at,
            orders=row.orders or [],
            orders_count=row.orders_count,
            identities=frozenset(map(_pair, row.identities or ())),
            signups=row.signups or [],
            has_invited=bool(row.has_invited),
            signups_in_hour=row.signups_in_hour or 0,
            doubles={member_id: datetime.fromisoformat(instant) for member_id, instant in row.doubles or ()},
            multiplier_bps=row.multiplier_bps,
            holdings={int(asset_id): int(units) for asset_id, units in (row.holdings or {}).items()},
            promises=tuple(_promise(each, around) for each in row.promises or ()),
        )
        for row in db.fetch(
            PEOPLE,
            {
                "ids": sorted(ids),
                "actors": sorted(actors),
                "joiners": sorted(joiners),
                "related": sorted(related),
                "since": since,
                "kinds": sorted({each.kind for each in incoming}),
                "capped": [each.id for each in around.lines.values() if each.balance_max is not None],
            },
        )
    }


def _promise(row: Mapping[str, Any], around: Surroundings) -> Promise:
    return Promise(
        member_id=row["member_id"],
        rule_id=row["rule_id"],
        version_id=row["version_id"],
        side=row["side"],
        kind=row["kind"],
        what=row["what"],
        is_points=row["asset_id"] is not None and around.lines[row["asset_id"]].code == assets.POINTS,
        status=row["status"],
        left=row["given"] - row["reversed"] - row["lost"],
        awaits=row["awaits"],
        awaits_until=row["awaits_until"] and datetime.fromisoformat(row["awaits_until"]),
        occurred_at=datetime.fromisoformat(row["occurred_at"]),
        matures_at=datetime.fromisoformat(row["matures_at"]),
        asset_id=row["asset_id"],
        reward_id=row["id"],
    )


def touches_of(incoming: Incoming, *, touches: Touches) -> Sequence[Touch]:
    """Return the touches that a sign-up gives: none for any other event, or where they are none of ours."""
    if incoming.kind != JOINED:
        return ()
    given = touches.given(code=str(incoming.fields.get("code", "")), click_key=str(incoming.fields.get("click_id", "")))
    return () if isinstance(given, Miss) else given


def _pair(text: str) -> tuple[str, str]:
    kind, _colon, lookup = text.partition(":")
    return kind, lookup

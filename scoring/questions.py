"""What a batch asks of the people it is about: the columns of one statement, and only those that it has to ask."""

from collections.abc import Mapping
from typing import Any

from antifraud.judging import observing
from antifraud.stops import lookout
from events.merging import selves
from referrals.attribution import REFERRAL
from scoring.surroundings import Surroundings

OWN = selves("m.id")
OF_ALL = """
m.id, m.status <> 'active' AS is_blocked, m.first_seen_at, m.joined_at,
    COALESCE(level.multiplier_bps, 10000) AS multiplier_bps,
    CASE WHEN m.id = ANY(%(actors)s::bigint[]) THEN
        (SELECT jsonb_agg(to_jsonb(r) - 'reasons' ORDER BY r.id) FROM rewards_reward r
            WHERE r.member_id = m.id AND r.awaits <> '' AND r.awaits = ANY(%(kinds)s::text[])
                AND r.status IN ('pending', 'flagged')) END AS promises"""
# Each is asked only if the batch has somebody, or the tenant something, to ask it of: planning one takes as long as
# answering it for a hundred people.
HOLDINGS = {
    "holdings": """
(SELECT jsonb_object_agg(capped.id, COALESCE((
        SELECT a.balance FROM rewards_account a WHERE (a.member_id, a.asset_id) = (m.id, capped.id)
    ), 0) + COALESCE((
        SELECT sum(r.given - r.reversed - r.lost) FROM rewards_reward r
        WHERE r.member_id = m.id AND r.asset_id = capped.id AND r.status IN ('pending', 'flagged')
    ), 0)) FROM unnest(%(capped)s::bigint[]) AS capped (id))"""
}
# Orders are counted where a rule asks for their number, since whoever orders often has many; what happened before is
# asked of those who join; the rest, of those who invite or are invited. Instants are bounded: the first order and the
# busiest hour are all that is asked of them.
OF_COUNTED = {
    "orders_count": f"""
CASE WHEN m.id = ANY(%(counted)s::bigint[]) THEN
    (SELECT count(*) FROM events_order o WHERE o.member_id = ANY({OWN}) AND o.cancelled_at IS NULL) END"""  # noqa: S608 (constants only)
}
OF_JOINERS = {
    "orders": f"""
CASE WHEN m.id = ANY(%(joiners)s::bigint[]) THEN
    ARRAY(SELECT o.paid_at FROM events_order o WHERE o.member_id = ANY({OWN}) AND o.cancelled_at IS NULL
        ORDER BY o.paid_at LIMIT 500) END""",  # noqa: S608 (constants only)
    "has_invited": f"""
CASE WHEN m.id = ANY(%(joiners)s::bigint[]) THEN
    EXISTS (SELECT FROM referrals_referral s WHERE s.inviter_id = ANY({OWN})) END""",
    "fresh": f"CASE WHEN m.id = ANY(%(joiners)s::bigint[]) THEN {lookout.FRESH} END",
}
OF_RELATED = {
    "identities": """
CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN
    ARRAY(SELECT i.kind || ':' || i.lookup FROM members_identity i WHERE i.member_id = m.id LIMIT 300) END""",
    "signups": f"""
CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN
    ARRAY(SELECT s.attributed_at FROM referrals_referral s WHERE s.inviter_id = ANY({OWN})
        AND s.attributed_at > %(signups_since)s ORDER BY s.attributed_at DESC LIMIT 1001) END""",  # noqa: S608 (constants only)
    "signups_around": f"""
CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN
    (SELECT ARRAY[count(*) FILTER (WHERE latest.attributed_at > own.attributed_at - interval '1 hour'), count(*)]
        FROM (SELECT m.id) asked (id) CROSS JOIN LATERAL ({REFERRAL}) own CROSS JOIN LATERAL (
            SELECT s.attributed_at FROM referrals_referral s WHERE s.inviter_id = ANY({selves("own.inviter_id")})
            AND s.attributed_at > own.attributed_at - interval '1 day' AND s.attributed_at <= own.attributed_at
            ORDER BY s.attributed_at DESC LIMIT 1001
        ) latest) END""",  # noqa: S608 (constants only)
    "doubles": """
CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN
    (SELECT jsonb_agg(jsonb_build_array(o.id, o.first_seen_at)) FROM (
        SELECT DISTINCT o.id, o.first_seen_at FROM members_identity i
        CROSS JOIN LATERAL (SELECT each.member_id, each.resolves FROM members_identity each
            WHERE each.kind = i.kind AND each.lookup >= i.lookup AND each.lookup <= i.lookup
                AND each.member_id <> m.id ORDER BY each.lookup LIMIT 20) other
        JOIN members_member o ON o.id = other.member_id
        WHERE i.member_id = m.id AND i.kind IN ('telegram', 'email', 'phone')
            AND (other.resolves AND NOT i.resolves OR o.status = 'erased')) o) END""",
}
PARTS = {"capped": HOLDINGS, "counted": OF_COUNTED, "joiners": OF_JOINERS, "related": OF_RELATED}
FROM = """
FROM members_member m
LEFT JOIN rewards_standing standing ON standing.member_id = m.id
LEFT JOIN rewards_level level ON level.id = standing.level_id
WHERE m.id = ANY(%(ids)s::bigint[])
"""


def statement(params: Mapping[str, Any], around: Surroundings) -> str:
    """Return the statement for these parameters. A column that nobody is asked for reads NULL, or is not there."""
    columns = [OF_ALL]
    for whom, part in PARTS.items():
        columns += [f"{sql if params[whom] else 'NULL'} AS {name}" for name, sql in part.items()]
    if params["related"]:
        columns += [observing.OF_RELATED, observing.OF_INVITERS, observing.OF_INVITEES, observing.NEARBY]
    if params["named_kinds"]:
        columns.append(observing.ACCOUNTS)
    if around.has_listings:
        columns.append(observing.LISTED)
    if around.staff:
        columns.append(observing.STAFF)
    return f"SELECT {', '.join(columns)} {FROM}"

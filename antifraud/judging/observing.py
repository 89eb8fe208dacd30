"""
What signals look at, as fragments of SQL for the statement that reads a batch's people, and their rows as values.

Every question is bounded: how far ties are followed, how many members of one tie are looked at, how many friends of an
inviter. Of those who have an identity in common the latest are looked at: equal entries of an index stand in the order
of the table, and a range of one value may be read backwards where an equality may not.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from antifraud.judging.observed import NO_TRAITS, Friend, Listed, Nearby, Pace, Ranges, Traits, is_bare
from antifraud.judging.ties import BINDING, DEPTH_MAX, MEMBERS_MAX, Ties, type_of_identity
from antifraud.signals import disposable_email, habits
from antifraud.signals.signal import OF_INVITER
from core import db
from core.sealing import unseal
from events.merging import selves
from members import identities, normalise
from members.people import IDENTITIES_OF_A_KIND_MAX
from referrals.attribution import REFERRAL
from tenants import context
from tenants.memory import Memory

FRIENDS_MAX: Final = 60
# Of a person's own binding identities, and of the members whom ties lead to from a whole batch.
OWN_MAX, REACHED_MAX = 40, 3_000
LATEST_MAX: Final = 100
REWARDS_MAX: Final = 1_000
OWED_OF: Final = 500
# Of one inviter: a few for each friend of the last months.
SIGNALS_MAX: Final = 300
RECORD_DAYS: Final = 90
TELEGRAM_DAYS, TELEGRAMS_MIN = 30, 100
HELD = "i.kind = own.kind AND i.lookup >= own.lookup AND i.lookup <= own.lookup ORDER BY i.lookup DESC LIMIT"

BOUND = ", ".join(f"'{kind}'" for kind in BINDING)
TYING = ", ".join(f"'{kind}'" for kind in normalise.TYING)

# --- One column each, of a member m ---------------------------------------------------------------------------------

OWN: Final = selves("m.id")
OF_RELATED: Final = f"""
CASE WHEN m.id = ANY(%(related)s::bigint[]) THEN jsonb_build_object(
    'values', (SELECT jsonb_agg(jsonb_build_array(given.kind, given.lookup, given.value)) FROM (
        -- All of these: whatever is left out could be hidden behind what is not.
        (SELECT i.kind, i.lookup, i.value FROM members_identity i WHERE i.member_id = m.id AND i.value <> ''
            AND i.kind IN ('email', 'ip') LIMIT {2 * IDENTITIES_OF_A_KIND_MAX})
        UNION ALL
        (SELECT i.kind, i.lookup, i.value FROM members_identity i WHERE i.member_id = m.id AND i.value <> ''
            AND i.kind IN ('phone', 'card', 'device') AND EXISTS (
                SELECT FROM members_identity o WHERE o.kind = i.kind AND o.lookup = i.lookup AND o.member_id <> m.id)
            ORDER BY i.id DESC LIMIT 20)) given),
    'first_paid', (SELECT extract(epoch FROM min(o.paid_at)) FROM events_order o
        WHERE o.member_id = ANY({OWN}) AND o.cancelled_at IS NULL),
    -- Among the latest rewards: those of whoever owes nothing, which are nearly all, are not gone through.
    'owes', (SELECT count(*) FROM rewards_reward r
        WHERE r.member_id = m.id AND r.lost > 0 AND r.lost_why IN ('shown', 'used', 'sent') AND r.id >= COALESCE((
            SELECT l.id FROM rewards_reward l WHERE l.member_id = m.id ORDER BY l.id DESC OFFSET {OWED_OF - 1} LIMIT 1
        ), 0))
) END AS traits"""  # noqa: S608 (constants only)

OF_INVITERS: Final = f"""
CASE WHEN m.id = ANY(%(inviters)s::bigint[]) THEN (
WITH latest AS MATERIALIZED (
    SELECT l.* FROM unnest({OWN}) AS self (id) CROSS JOIN LATERAL (
        SELECT g.event_id, g.rule_id, g.name, g.weight, g.verdict, g.is_shadow, g.at,
            g.evidence ? '{OF_INVITER}' AS is_of_inviter
        FROM antifraud_signal g
        -- A range of one, as HELD: an equality would be read in the order of all signals, whoever they are about.
        WHERE g.member_id >= self.id AND g.member_id <= self.id ORDER BY g.member_id, g.id DESC LIMIT {SIGNALS_MAX}) l
    WHERE NOT l.is_shadow AND l.at > %(at)s::timestamptz - interval '{RECORD_DAYS} days'
), own AS MATERIALIZED (
    SELECT r.id, r.event_id, r.side, r.status, r.given, r.reversed + r.lost AS returned,
        r.granted_at IS NOT NULL AND r.matures_at > r.occurred_at AS has_outlived
    FROM rewards_reward r
    WHERE r.member_id = m.id ORDER BY r.id DESC LIMIT 2000
), brought AS (
    SELECT * FROM (SELECT * FROM own LIMIT {SIGNALS_MAX}) r WHERE r.side = 'inviter'
)
SELECT jsonb_build_object(
    'friends', (SELECT jsonb_agg(jsonb_build_array(s.invitee_id, extract(epoch FROM s.attributed_at), o.first_paid,
            o.amount_minor, o.orders, o.returned, n.lookup))
        FROM (SELECT COALESCE(f.merged_into_id, f.id) AS invitee_id, r.attributed_at
            FROM unnest({OWN}) AS self (id) CROSS JOIN LATERAL (
                SELECT invitee_id, attributed_at FROM referrals_referral WHERE inviter_id = self.id
                ORDER BY attributed_at DESC LIMIT {FRIENDS_MAX}
            ) r JOIN members_member f ON f.id = r.invitee_id
            ORDER BY r.attributed_at DESC LIMIT {FRIENDS_MAX}) s
        CROSS JOIN LATERAL (SELECT extract(epoch FROM min(o.paid_at)) AS first_paid,
            (array_agg(o.amount_minor ORDER BY o.paid_at))[1] AS amount_minor, count(*) AS orders,
            count(*) FILTER (WHERE o.refunded_minor > 0 OR o.cancelled_at IS NOT NULL) AS returned
            FROM unnest({selves("s.invitee_id")}) AS friend (id) CROSS JOIN LATERAL (
                SELECT e.paid_at, e.amount_minor, e.refunded_minor, e.cancelled_at FROM events_order e
                WHERE e.member_id >= friend.id AND e.member_id <= friend.id
                ORDER BY e.member_id, e.paid_at LIMIT 20) o) o
        LEFT JOIN LATERAL (SELECT i.lookup FROM members_identity i WHERE i.member_id = s.invitee_id
            AND i.kind = 'subnet' ORDER BY i.id LIMIT 1) n ON true),
    'suspected', (SELECT jsonb_agg(weight) FROM (SELECT max(weight) AS weight FROM (
        SELECT l.event_id, sum(l.weight) AS weight FROM latest l
        WHERE l.verdict <> 'allow' AND l.name <> '{habits.SUSPECTED}' GROUP BY l.event_id, l.rule_id
    ) l GROUP BY l.event_id) l),
    'rewarded', (SELECT count(DISTINCT b.event_id) FROM brought b)
        + (SELECT count(DISTINCT l.event_id) FROM latest l WHERE l.verdict = 'refuse'),
    'outlived', (SELECT jsonb_build_array(count(DISTINCT b.event_id),
            count(DISTINCT b.event_id) FILTER (WHERE b.returned >= b.given)) FROM brought b WHERE b.has_outlived),
    'habits', (SELECT jsonb_object_agg(l.name, l.count) FROM (
        SELECT l.name, count(DISTINCT l.event_id) FROM latest l WHERE NOT l.is_of_inviter GROUP BY l.name) l),
    'record', (SELECT jsonb_build_array(count(DISTINCT c.id) FILTER (WHERE r.status = 'rejected'),
            count(DISTINCT c.id) FILTER (WHERE r.status <> 'rejected'))
        FROM (SELECT * FROM own r WHERE r.side = 'inviter' LIMIT 200) r
        JOIN antifraud_casereward cr ON cr.reward_id = r.id JOIN antifraud_case c ON c.id = cr.case_id
        -- Of a case that is decided no reward is flagged any more.
        WHERE r.status <> 'flagged' AND c.status <> 'open'
            AND c.decided_at > %(at)s::timestamptz - interval '{RECORD_DAYS} days')
)) END AS inviter"""  # noqa: S608 (constants only)

OF_INVITEES: Final = f"""
CASE WHEN m.id = ANY(%(invitees)s::bigint[]) THEN jsonb_build_object(
    'pace', (SELECT jsonb_object_agg(found.kind, jsonb_build_array(found.hour, found.day)) FROM (
        SELECT own.kind, max(seen.hour) AS hour, max(seen.day) AS day
        FROM (SELECT i.kind, i.lookup FROM members_identity i WHERE i.member_id = m.id
            AND i.kind IN ('device', 'card', 'ip', 'subnet') ORDER BY i.id DESC LIMIT {OWN_MAX}) own
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE o.first_seen_at > m.first_seen_at - interval '1 hour') AS hour,
                count(*) AS day
            FROM (SELECT i.member_id FROM members_identity i WHERE {HELD} {LATEST_MAX}) latest
            JOIN members_member o ON o.id = latest.member_id
            WHERE o.first_seen_at > m.first_seen_at - interval '1 day' AND o.first_seen_at <= m.first_seen_at
        ) seen GROUP BY own.kind) found),
    'joined', (SELECT jsonb_build_array(e.data -> 'telegram_username', e.data -> 'telegram_photo')
        FROM (SELECT m.id) asked (id) CROSS JOIN LATERAL ({REFERRAL}) s
        JOIN referrals_referral r ON r.id = s.id JOIN events_event e ON e.id = r.event_id)
) END AS invitee"""  # noqa: S608 (constants only)

# Lists are read for everybody, where there are any. What is somebody else's exempts nobody who names it.
LISTED: Final = f"""
(SELECT jsonb_agg(jsonb_build_array(l.list, l.answer, l.kind)) FROM (
    SELECT 'member' AS kind, m.id::text AS lookup, true AS is_own
    UNION ALL
    (SELECT i.kind, i.lookup, i.resolves OR i.kind IN ({TYING}) FROM members_identity i
        WHERE i.member_id = m.id LIMIT 300)
) own CROSS JOIN LATERAL (
    SELECT * FROM antifraud_listing each WHERE each.kind = own.kind AND each.lookup = own.lookup
        AND (own.is_own OR each.list <> 'exempt') LIMIT 10
) l WHERE l.until IS NULL OR l.until > %(at)s::timestamptz) AS listed"""  # noqa: S608 (constants only)
STAFF: Final = """
m.id IN (SELECT i.member_id FROM members_identity i WHERE i.kind = 'email' AND i.lookup = ANY(%(staff)s::text[]))
    AS is_staff"""

# --- Once for all of them: in the row of the first ------------------------------------------------------------------

NEARBY: Final = f"""
CASE WHEN m.id = %(first)s THEN jsonb_build_object(
    'reached', (
        WITH RECURSIVE reached (member_id, depth) AS (
            SELECT id, 0 FROM unnest(%(related)s::bigint[]) AS r (id)
            UNION
            SELECT other.member_id, reached.depth + 1
            FROM reached
            CROSS JOIN LATERAL (SELECT i.kind, i.lookup FROM members_identity i
                WHERE i.member_id = reached.member_id AND i.kind IN ({BOUND}) LIMIT {OWN_MAX}) own
            CROSS JOIN LATERAL (SELECT i.member_id FROM members_identity i WHERE {HELD} {MEMBERS_MAX + 1}) other
            WHERE reached.depth < {DEPTH_MAX} AND other.member_id <> reached.member_id
        )
        SELECT jsonb_agg(jsonb_build_array(found.member_id, s.inviter_id, CASE
            WHEN found.member_id <> ALL(%(related)s::bigint[]) THEN (
                SELECT jsonb_agg(i.kind || ':' || i.lookup) FROM (SELECT i.kind, i.lookup FROM members_identity i
                    WHERE i.member_id = found.member_id AND i.kind IN ({BOUND}) LIMIT {OWN_MAX}) i) END))
        FROM (SELECT DISTINCT member_id FROM (SELECT member_id FROM reached LIMIT {REACHED_MAX}) r) found
        CROSS JOIN LATERAL (SELECT found.member_id AS id) asked LEFT JOIN LATERAL ({REFERRAL}) s ON true
    ),
    'chains', (
        WITH RECURSIVE up (invitee_id, inviter_id, depth) AS (
            SELECT s.invitee_id, s.inviter_id, 1 FROM unnest(%(related)s::bigint[]) AS asked (id)
            CROSS JOIN LATERAL ({REFERRAL}) s
            UNION
            SELECT s.invitee_id, s.inviter_id, up.depth + 1 FROM up
            CROSS JOIN LATERAL (SELECT up.inviter_id AS id) asked CROSS JOIN LATERAL ({REFERRAL}) s
            WHERE up.depth < {DEPTH_MAX}
        )
        SELECT jsonb_agg(DISTINCT jsonb_build_array(invitee_id, inviter_id)) FROM up
    ),
    'alike', (SELECT jsonb_agg(jsonb_build_array(own.lookup, ARRAY(
            SELECT i.member_id FROM members_identity i WHERE {HELD} {MEMBERS_MAX})))
        FROM (SELECT DISTINCT i.kind, i.lookup FROM members_identity i
            WHERE i.member_id = ANY(%(related)s::bigint[]) AND i.kind = 'email_alike') own),
    'rewards', (SELECT jsonb_object_agg(c.id, ARRAY(
            SELECT extract(epoch FROM r.occurred_at) FROM rewards_reward r
            WHERE r.campaign_id = c.id AND r.side <> 'actor' AND r.part = 0
                AND r.occurred_at > %(since)s::timestamptz AND r.occurred_at <= %(until)s::timestamptz
            ORDER BY r.occurred_at DESC LIMIT {REWARDS_MAX}))
        FROM unnest(%(campaigns)s::bigint[]) AS c (id))
) END AS nearby"""  # noqa: S608 (constants only)

# Of a device or card that an event names, whoever gets something for themselves: how many members have it.
ACCOUNTS: Final = f"""
CASE WHEN m.id = %(first)s THEN (
    SELECT jsonb_agg(jsonb_build_array(own.kind, own.lookup, (SELECT count(*) FROM (
        SELECT FROM members_identity i WHERE {HELD} {MEMBERS_MAX + 1}) c)))
    FROM unnest(%(named_kinds)s::text[], %(named_lookups)s::text[]) AS own (kind, lookup)
) END AS accounts"""  # noqa: S608 (constants only)

NEWEST: Final = f"""
SELECT CASE WHEN count(*) >= {TELEGRAMS_MIN} THEN max(i.lookup::numeric) END AS number
FROM members_identity i JOIN members_member m ON m.id = i.member_id
WHERE i.kind = 'telegram' AND m.first_seen_at <= %(at)s::timestamptz - interval '{TELEGRAM_DAYS} days'
    AND m.status <> 'erased' -- of whom a keyed index is left, which is no number
"""  # noqa: S608 (constants only)

_newest: Memory[int | None] = Memory(ttl_seconds=24 * 3600, size_max=5_000)


def telegram_newest(*, at: datetime) -> int | None:
    """
    Return the largest number of a Telegram account among members known for a month; None with fewer than a hundred.

    It moves slowly: a process asks once a day.
    """

    def look_up() -> int | None:
        number = db.fetch(NEWEST, {"at": at})[0].number
        return None if number is None else int(number)

    return _newest.recall(context.current().schema_name, look_up)


def forget() -> None:
    """Ask again at the next opportunity."""
    _newest.forget()


def traits_of(row: Any, *, ranges: Ranges) -> Traits:
    """Return what the columns above say of one member. A column that was not asked for says nothing."""
    related, inviter, invitee = (getattr(row, name, None) or {} for name in ("traits", "inviter", "invitee"))
    listed = [Listed(*each) for each in getattr(row, "listed", None) or ()]
    if getattr(row, "is_staff", False):
        listed.append(Listed("staff", "", "email"))
    if not (related or inviter or invitee or listed):
        return NO_TRAITS
    domains, found = _addresses(related.get("values") or (), ranges)
    record = inviter.get("record") or (0, 0)
    given, returned = inviter.get("outlived") or (0, 0)
    return Traits(
        listed=(*listed, *found),
        throwaway=tuple(sorted(each for each in domains if disposable_email.is_throwaway(each))),
        pace={kind: Pace(*pace) for kind, pace in (invitee.get("pace") or {}).items()},
        first_paid_at=_instant(related.get("first_paid")),
        friends=tuple(_friend(each) for each in inviter.get("friends") or ()),
        owes=related.get("owes", 0),
        rejected=record[0],
        approved=record[1],
        outlived=(given, returned),
        is_bare=is_bare(*(invitee.get("joined") or (None, None))),
        rewarded=inviter.get("rewarded", 0),
        suspected=tuple(inviter.get("suspected") or ()),
        habits=inviter.get("habits") or {},
    )


def nearby_of(rows: Sequence[Any], *, own: Mapping[int, frozenset[type_of_identity]]) -> Nearby:
    """Return what stands in the row of the first member, together with the `own` identities of those who are asked."""
    first = min(rows, key=lambda row: row.id, default=None)
    found = getattr(first, "nearby", None) or {}
    reached = found.get("reached") or ()
    binding = {
        member_id: frozenset(pair_of(each) for each in pairs or ()) for member_id, _inviter_id, pairs in reached
    } | {member_id: frozenset(each for each in pairs if each[0] in BINDING) for member_id, pairs in own.items()}
    inviters = {member_id: inviter_id for member_id, inviter_id, _pairs in reached if inviter_id is not None}
    holders: dict[type_of_identity, set[int]] = {}
    for member_id, pairs in binding.items():
        for pair in pairs:
            holders.setdefault(pair, set()).add(member_id)
    for lookup, member_ids in found.get("alike") or ():
        holders["email_alike", lookup] = set(member_ids)
    return Nearby(
        ties=Ties(
            identities=binding,
            holders={pair: frozenset(each) for pair, each in holders.items()},
            inviters=inviters | dict(found.get("chains") or ()),
            shown=dict(_shown(rows, holders)),
        ),
        rewards={
            int(campaign_id): tuple(datetime.fromtimestamp(each, UTC) for each in instants)
            for campaign_id, instants in (found.get("rewards") or {}).items()
        },
        accounts={(kind, lookup): count for kind, lookup, count in getattr(first, "accounts", None) or ()},
    )


def pair_of(text: str) -> type_of_identity:
    """Return an identity that was written as `kind:lookup`."""
    kind, _colon, lookup = text.partition(":")
    return kind, lookup


def _shown(rows: Sequence[Any], holders: Mapping[type_of_identity, set[int]]) -> Iterator[tuple[type_of_identity, str]]:
    """Yield what several members have in common, masked."""
    schema = context.current().schema_name
    for row in rows:
        for kind, lookup, value in (getattr(row, "traits", None) or {}).get("values") or ():
            if len(holders.get((kind, lookup), ())) > 1:
                yield (kind, lookup), identities.masked(schema=schema, kind=kind, value=value)


def _addresses(values: Sequence[Sequence[str]], ranges: Ranges) -> tuple[set[str], list[Listed]]:
    """Return the domains of sealed e-mail addresses, and the lines that these or sealed IP addresses stand in."""
    schema = context.current().schema_name
    domains: set[str] = set()
    listed: list[Listed] = []
    for kind, _lookup, value in values:
        if kind not in {"email", "ip"}:
            continue
        plain = unseal(schema=schema, kind=kind, value=value)
        if kind == "email":
            domain = plain.rpartition("@")[2]
            domains.add(domain)
            listed += [Listed(line[0], line[1], "email_domain") for line in ranges.domain(domain)]
        else:
            listed += [Listed(line[0], line[1], "ip_range") for line in ranges.match(plain)]
    return domains, listed


def _friend(row: Sequence[Any]) -> Friend:
    member_id, attributed, first_paid, amount_minor, orders, returned, network = row
    return Friend(
        member_id=member_id,
        attributed_at=datetime.fromtimestamp(attributed, UTC),
        paid_at=_instant(first_paid),
        amount_minor=amount_minor,
        orders=orders,
        returned=returned,
        network=network or "",
    )


def _instant(epoch: float | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)

"""What the back office shows of a member: who they are, what they hold, whom they brought, and what happened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import get_language

from core.db import fetch
from core.money import format_money
from events.kinds import label_of
from events.merging import selves, selves_of
from members import identities
from members.models import Identity
from members.names import names_of
from referrals import codes
from referrals.attribution import REFERRAL
from referrals.models import Referral
from rewards import assets, units
from rewards.models import Reward
from tenants import context

TIMELINE_PAGE_SIZE = 20
FRIENDS_MAX = 50


@dataclass(frozen=True, slots=True)
class Known:
    """One identity as staff may see it."""

    kind: str
    label: str
    value: str
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Purse:
    """What a member has of one asset, and what of it is owed but not granted yet."""

    code: str
    name: str
    kind: str
    currency: str
    scale: int
    balance: int
    pending: int
    flagged: int

    @property
    def balance_text(self) -> str:
        return units.written(self.balance, self)

    @property
    def pending_text(self) -> str:
        return units.written(self.pending, self)

    @property
    def flagged_text(self) -> str:
        return units.written(self.flagged, self)


@dataclass(frozen=True, slots=True)
class Portrait:
    """
    One member in figures. `flagged` and `pending` are points that are owed but not granted yet.

    `purses` are of all assets of which there is something, points first. `level` is "" for whoever has none.
    """

    id: int
    name: str
    status: str
    first_seen_at: datetime
    joined_at: datetime | None
    identities: tuple[Known, ...]
    balance: int
    pending: int
    flagged: int
    orders: int
    inviter_id: int | None
    inviter_name: str
    invited: int
    qualified: int
    level: str
    purses: tuple[Purse, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """What a member holds, and how many they brought: enough for a line of a list."""

    balance: int
    invited: int


@dataclass(frozen=True, slots=True)
class Friend:
    """Somebody whom a member brought."""

    referral_id: int
    member_id: int
    name: str
    attributed_at: datetime
    qualified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Moment:
    """
    One line of a timeline. `what` is event, reward or referral, `id` that row's.

    Only a reward has a status, and says what it gives: units, or a gift by its name.
    """

    at: datetime
    what: str
    id: int
    kind: str
    title: str
    detail: str
    gives: str
    status: str
    status_label: str


OWN = selves("m.id")
# Of two referrals of one person, as after a merger, the one that counts (`referrals.attribution.REFERRAL`).
PORTRAITS = f"""
SELECT m.id, m.status, m.first_seen_at, m.joined_at, referral.inviter_id,
    COALESCE(account.balance, 0) AS balance, owed.pending, owed.flagged, orders.n AS orders,
    brought.invited, brought.qualified, COALESCE(level.name, '') AS level, held.purses
FROM members_member m
CROSS JOIN (SELECT id FROM rewards_asset WHERE code = 'points') points
LEFT JOIN rewards_account account ON account.member_id = m.id AND account.asset_id = points.id
CROSS JOIN LATERAL (SELECT m.id) asked (id)
LEFT JOIN LATERAL ({REFERRAL}) referral ON true
LEFT JOIN rewards_standing standing ON standing.member_id = m.id
LEFT JOIN rewards_level level ON level.id = standing.level_id
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(given - reversed) FILTER (WHERE status = 'pending'), 0)::bigint AS pending,
        COALESCE(sum(given - reversed) FILTER (WHERE status = 'flagged'), 0)::bigint AS flagged
    FROM rewards_reward WHERE member_id = m.id AND asset_id = points.id
) owed
CROSS JOIN LATERAL (
    SELECT COALESCE(jsonb_agg(to_jsonb(purse) - 'id' ORDER BY purse.id), '[]') AS purses
    FROM (
        SELECT a.id, a.code, a.name, a.kind, a.currency, a.scale, COALESCE(own.balance, 0) AS balance,
            COALESCE(coming.pending, 0) AS pending, COALESCE(coming.flagged, 0) AS flagged
        FROM rewards_asset a
        LEFT JOIN rewards_account own ON own.member_id = m.id AND own.asset_id = a.id
        LEFT JOIN (
            SELECT asset_id, COALESCE(sum(given - reversed) FILTER (WHERE status = 'pending'), 0)::bigint AS pending,
                COALESCE(sum(given - reversed) FILTER (WHERE status = 'flagged'), 0)::bigint AS flagged
            FROM rewards_reward
            WHERE member_id = m.id AND asset_id IS NOT NULL AND status IN ('pending', 'flagged')
            GROUP BY asset_id
        ) coming ON coming.asset_id = a.id
        WHERE own.id IS NOT NULL OR coming.asset_id IS NOT NULL OR a.id = points.id
    ) purse
) held
CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM events_order WHERE member_id = ANY({OWN}) AND cancelled_at IS NULL
) orders
CROSS JOIN LATERAL (
    SELECT count(*) AS invited, count(qualified_at) AS qualified FROM referrals_referral WHERE inviter_id = ANY({OWN})
) brought
WHERE m.id = ANY(%(member_ids)s::bigint[])
"""  # noqa: S608 (constants only)

HOLDINGS = f"""
SELECT m.id, COALESCE(account.balance, 0) AS balance,
    (SELECT count(*) FROM referrals_referral r WHERE r.inviter_id = ANY({OWN})) AS invited
FROM unnest(%(member_ids)s::bigint[]) AS m (id)
LEFT JOIN rewards_account account ON account.member_id = m.id
    AND account.asset_id = (SELECT id FROM rewards_asset WHERE code = 'points')
"""  # noqa: S608 (constants only)

# A value that another member has too is what moderators look for.
IDENTITIES = """
SELECT i.member_id, i.kind, i.value, EXISTS (
    SELECT FROM members_identity o WHERE o.kind = i.kind AND o.lookup = i.lookup AND o.member_id <> i.member_id
) AS is_shared
FROM members_identity i
WHERE i.member_id = ANY(%(member_ids)s::bigint[]) AND i.value <> ''
ORDER BY array_position(ARRAY['external_id', 'telegram', 'email', 'phone', 'card', 'device'], i.kind::text), i.id
"""

TIMELINE = f"""
SELECT * FROM (
    (SELECT e.occurred_at AS at, 'event' AS what, e.id, e.kind, e.data, NULL::bigint AS points, e.status,
        NULL::bigint AS other_id, '' AS title, NULL::jsonb AS asset, '' AS gift
    FROM events_event e WHERE e.member_id = %(member_id)s AND e.source = 'api'
    ORDER BY e.occurred_at DESC LIMIT %(last)s)
    UNION ALL
    (SELECT r.occurred_at, 'reward', r.id, r.side, NULL, r.given - r.reversed, r.status, NULL, c.name,
        to_jsonb(a), COALESCE(g.name, r.what)
    FROM rewards_reward r JOIN campaigns_campaign c ON c.id = r.campaign_id
    LEFT JOIN rewards_asset a ON a.id = r.asset_id
    LEFT JOIN rewards_gift g ON g.code = r.what AND r.asset_id IS NULL
    WHERE r.member_id = %(member_id)s ORDER BY r.occurred_at DESC LIMIT %(last)s)
    UNION ALL
    (SELECT f.attributed_at, 'referral', f.id, f.channel, NULL, NULL, '', f.invitee_id, '',
        NULL, ''
    FROM referrals_referral f WHERE f.inviter_id = ANY({selves("%(member_id)s::bigint")})
    ORDER BY f.attributed_at DESC LIMIT %(last)s)
) moment
ORDER BY at DESC, what DESC, id DESC
LIMIT %(limit)s OFFSET %(skip)s
"""  # noqa: S608 (constants only)


def portraits_of(member_ids: Iterable[int]) -> dict[int, Portrait]:
    """Return the members' portraits, in three statements however many they are."""
    wanted = sorted(set(member_ids))
    rows = fetch(PORTRAITS, {"member_ids": wanted})
    known: dict[int, list[Known]] = {each: [] for each in wanted}
    schema = context.current().schema_name
    for row in fetch(IDENTITIES, {"member_ids": wanted}):
        shown = identities.masked(schema=schema, kind=row.kind, value=row.value)
        known[row.member_id].append(Known(row.kind, str(Identity.Kind(row.kind).label), shown, row.is_shared))
    names = names_of([*wanted, *(row.inviter_id for row in rows)])
    return {
        row.id: Portrait(
            **{name: value for name, value in row._asdict().items() if name not in {"id", "purses"}},
            id=row.id,
            name=names[row.id],
            purses=tuple(Purse(**each) for each in row.purses),
            identities=tuple(known[row.id]),
            inviter_name=names.get(row.inviter_id, ""),
        )
        for row in rows
    }


def holdings_of(member_ids: Iterable[int]) -> dict[int, Holding]:
    """Return what each member holds, in one statement."""
    rows = fetch(HOLDINGS, {"member_ids": list(member_ids)})
    return {row.id: Holding(balance=row.balance, invited=row.invited) for row in rows}


def timeline_of(*, member_id: int, page: int = 1, size: int = TIMELINE_PAGE_SIZE) -> list[Moment]:
    """Return what happened to a member, newest first: events, rewards and whom they brought. Pages count from 1."""
    skip = (page - 1) * size
    params = {"member_id": member_id, "skip": skip, "limit": size, "last": skip + size}
    rows = fetch(TIMELINE, params)
    names = names_of(row.other_id for row in rows)
    language = get_language() or context.current().language
    return [
        Moment(
            at=row.at,
            what=row.what,
            id=row.id,
            kind=row.kind,
            title=label_of(row.kind) if row.what == "event" else row.title or names.get(row.other_id, ""),
            detail=_detail(row.data, language) if row.what == "event" else "",
            gives=_gives(row),
            status=row.status,
            status_label=str(Reward.Status(row.status).label) if row.what == "reward" else "",
        )
        for row in rows
    ]


def friends_of(*, member_id: int) -> list[Friend]:
    """Return whom a member brought, the latest first, as many as fit a page."""
    rows = Referral.objects.filter(inviter_id__in=selves_of(member_id)).order_by("-attributed_at")[:FRIENDS_MAX]
    names = names_of(row.invitee_id for row in rows)
    return [Friend(row.pk, row.invitee_id, names[row.invitee_id], row.attributed_at, row.qualified_at) for row in rows]


def find_code(*, member_id: int) -> str | None:
    """Return the code that a member shares, if they have asked for one."""
    return next((each.text for each in codes.list_of(member_id=member_id)), None)


def _gives(row: Any) -> str:
    if row.what != "reward":
        return ""
    return units.written(row.points, assets.line_of(row.asset)) if row.asset else row.gift


def _detail(data: Mapping[str, Any], language: str) -> str:
    parts = [str(data[name]) for name in ("order_id", "place", "channel") if data.get(name)]
    amount, currency = data.get("amount_minor"), data.get("currency", context.current().currency)
    if isinstance(amount, int):
        parts.append(format_money(amount, currency, language))
    return " · ".join(parts)

"""
What happened in the last months, from the rewards, orders and referrals themselves: also before minutes were counted.

For the page that shows what a stop rule would have done. It is as near to the tallies as what is kept allows: of a
campaign only those orders and sign-ups are known that earned something.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import OperationalError
from django.utils.translation import gettext_lazy as _

from antifraud.stops.minutes import COLUMNS, Tally
from antifraud.stops.windows import StopLine
from core import db
from core.errors import Unprocessable

# Of each campaign, channel or inviter by itself so many are looked at: those to whom most has happened.
SUBJECTS_MAX: Final = 6
ROWS_MAX: Final = 60_000
SECONDS_MAX: Final = 8
HOUR: Final = timedelta(hours=1)
QUERY_CANCELLED: Final = "57014"

type_of_buckets = Mapping[str, Mapping[datetime, Tally]]


class TooMuchHistory(Unprocessable):
    """It would take too long to look at all of it."""

    message = _("There is too much history to look at in a few seconds. Choose one campaign.")


class Source(NamedTuple):
    """Where some columns of a tally come from."""

    columns: tuple[str, ...]
    sql: str


# Each gives rows of (subject, at) and its columns. What a subject is, is put in by scope: `f` is the referral.
OF_REFERRAL: Final = {"channel": "NULLIF(f.channel, '')", "inviter": "f.inviter_id::text", "tenant": "''"}

REWARDS = Source(
    ("rewards", "points", "cost_minor", "flagged"),
    """
SELECT {subject} AS subject, r.occurred_at AS at, (r.part = 0)::int AS rewards,
    CASE WHEN r.asset_id = (SELECT id FROM rewards_asset WHERE code = 'points') THEN r.given ELSE 0 END AS points,
    r.cost_minor, (r.part = 0 AND r.reasons @? '$[*] ? (@.signal != "stopped")')::int AS flagged
FROM rewards_reward r LEFT JOIN referrals_referral f ON f.id = r.referral_id
WHERE r.occurred_at >= %(since)s AND r.occurred_at < %(until)s
""",
)
REFUSED = Source(
    ("refused",),
    """
SELECT {subject} AS subject, e.occurred_at AS at, 1 AS refused FROM (
    SELECT DISTINCT s.event_id, s.rule_id, s.member_id FROM antifraud_signal s
    WHERE s.at >= %(since)s AND s.verdict = 'refuse' AND NOT s.is_shadow
) s JOIN events_event e ON e.id = s.event_id JOIN campaigns_rule r ON r.id = s.rule_id
LEFT JOIN referrals_referral f ON f.invitee_id = e.member_id
WHERE e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
""",
)
# Orders and sign-ups: whose they are, or which campaigns they earned something of.
ORDERS = Source(
    ("orders", "order_minor"),
    """
SELECT {subject} AS subject, o.paid_at AS at, 1 AS orders, o.amount_minor AS order_minor
FROM events_order o LEFT JOIN referrals_referral f ON f.invitee_id = o.member_id {of_campaigns}
WHERE o.paid_at >= %(since)s AND o.paid_at < %(until)s
""",
)
REFUNDS = Source(
    ("refunds",),
    """
SELECT {subject} AS subject, e.occurred_at AS at, 1 AS refunds FROM (
    SELECT DISTINCT ON (e.data ->> 'order_id') e.data ->> 'order_id' AS number, e.occurred_at FROM events_event e
    WHERE e.kind IN ('order.refunded', 'order.cancelled') AND e.status = 'handled' AND e.received_at >= %(since)s
    ORDER BY e.data ->> 'order_id', e.occurred_at
) e JOIN events_order o ON o.number = e.number LEFT JOIN referrals_referral f ON f.invitee_id = o.member_id
{of_campaigns} WHERE e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
""",
)
SIGNUPS = Source(
    ("signups",),
    """
SELECT {subject} AS subject, m.joined_at AS at, 1 AS signups {places}
FROM members_member m LEFT JOIN referrals_referral f ON f.invitee_id = m.id {of_campaigns}
WHERE m.joined_at >= %(since)s AND m.joined_at < %(until)s
""",
)
OF_ORDER = """
JOIN (SELECT DISTINCT campaign_id, order_id FROM rewards_reward WHERE order_id IS NOT NULL) r ON r.order_id = o.id
"""
OF_JOINING = """
JOIN (SELECT DISTINCT r.campaign_id, e.member_id FROM rewards_reward r JOIN events_event e ON e.id = r.event_id
    WHERE e.kind = 'member.joined') r ON r.member_id = m.id
"""
# Of what a sign-up told: whether nobody else was known by it before.
PLACES = """,
    EXISTS (SELECT FROM members_identity i WHERE i.member_id = m.id AND i.kind = '{kind}')::int AS {told},
    EXISTS (SELECT FROM members_identity i WHERE i.member_id = m.id AND i.kind = '{kind}' AND NOT EXISTS (
        SELECT FROM members_identity o WHERE (o.kind, o.lookup) = (i.kind, i.lookup)
            AND (o.added_at, o.member_id) < (i.added_at, i.member_id)))::int AS {new}
"""
PLACED: Final = {
    "device_members": ("device", "device_signups", "devices"),
    "ip_members": ("ip", "ip_signups", "ips"),
}
NEEDS: Final[Mapping[str, tuple[Source, ...]]] = {
    "rewards": (REWARDS,),
    "points": (REWARDS,),
    "cost": (REWARDS,),
    "signups": (SIGNUPS,),
    "orders": (ORDERS,),
    "flagged_share": (REWARDS, REFUSED),
    "refund_share": (ORDERS, REFUNDS),
    "conversion": (SIGNUPS, ORDERS),
    "order_cost": (REWARDS, ORDERS),
    "device_members": (SIGNUPS,),
    "ip_members": (SIGNUPS,),
}


def read(*, rule: StopLine, since: datetime, until: datetime) -> type_of_buckets:
    """
    Return what happened, by subject and by the beginning of each hour (or shorter window) after `since`.

    :raises TooMuchHistory:
    """
    step = min(HOUR, timedelta(minutes=rule.window_minutes))
    params = {"since": since, "until": until, "step": step, "only": str(rule.campaign_id or ""), "rows": ROWS_MAX}
    found: dict[str, dict[datetime, Tally]] = {}
    for row in _fetch(_statement(rule), params | {"subjects": SUBJECTS_MAX}):
        columns = {column: int(getattr(row, column)) for column in COLUMNS}
        found.setdefault(row.subject, {})[row.bucket] = Tally(**columns)
    return found


def _fetch(sql: str, params: Mapping[str, object]) -> list[Any]:
    try:
        with db.transaction():
            db.execute("SELECT set_config('statement_timeout', %s, true)", [str(SECONDS_MAX * 1000)])
            return db.fetch(sql, params)
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", "") == QUERY_CANCELLED:
            raise TooMuchHistory from error
        raise


def _statement(rule: StopLine) -> str:
    sources = " UNION ALL ".join(_source(each, rule) for each in NEEDS[rule.metric])
    sums = ", ".join(f"sum({column}) AS {column}" for column in COLUMNS)
    size = " + ".join(f"sum({column})" for column in ("signups", "orders", "refunds", "rewards", "refused"))
    return f"""
        WITH happened AS (
            SELECT subject, date_bin(%(step)s::interval, at, %(since)s) AS bucket, {sums} FROM ({sources}) each
            WHERE subject IS NOT NULL AND %(only)s IN ('', subject) GROUP BY 1, 2
        )
        SELECT * FROM happened WHERE subject IN (
            SELECT subject FROM happened GROUP BY subject ORDER BY {size} DESC, subject LIMIT %(subjects)s
        ) ORDER BY bucket DESC LIMIT %(rows)s
    """  # noqa: S608 (constants only)


def _source(source: Source, rule: StopLine) -> str:
    is_campaign = rule.scope == "campaign"
    place = PLACED.get(rule.metric) if source == SIGNUPS else None
    told = (*source.columns, *(place[1:] if place else ()))
    columns = ", ".join(column if column in told else f"0 AS {column}" for column in COLUMNS)
    sql = source.sql.format(
        subject="r.campaign_id::text" if is_campaign else OF_REFERRAL[rule.scope],
        of_campaigns=(OF_JOINING if source == SIGNUPS else OF_ORDER) if is_campaign else "",
        places=PLACES.format(kind=place[0], told=place[1], new=place[2]) if place else "",
    )
    return f"SELECT subject, at, {columns} FROM ({sql}) each"  # noqa: S608 (constants only)

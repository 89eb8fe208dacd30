"""
How much of each limit is used.

Whoever reads counters to reserve from them holds the tenant's lock, so that a reading stays true until it is written.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from antifraud.usage import Key, Reading, Used, Window
from core import db
from core.errors import Conflict, conflict_of
from tenants import periods

COUNTED: Final = ("day", "week", "month", "ever")

# Of a reward that was taken back what the member has kept goes on counting, or a limit would be none for whoever spends
# first and returns the order then. It is no step of a ladder any more.
STATUSES: Final = "('flagged', 'pending', 'granted', 'reversed')"
COUNTS: Final = """
r.part = 0 AND (r.status <> 'reversed' OR r.lost > 0 OR EXISTS (
    SELECT FROM rewards_reward other WHERE (other.rule_id, other.member_id, other.event_id)
        = (r.rule_id, r.member_id, r.event_id) AND other.lost > 0
))
"""

# What a rule gives at once counts once: its first part. Points are those of the asset `points`, and of nothing else.
# A counter that does not exist yet starts from the rewards there already are, so that a limit added in the middle of a
# month knows the month. Each branch of the seed has an index of its own: by member, or by campaign.
GATHER = f"""
SELECT k.n, COALESCE(c.count, seed.count, 0) AS count, COALESCE(c.points, seed.points, 0)::bigint AS points,
    c.max_count, c.max_points
FROM unnest(%(scopes)s::text[], %(scope_ids)s::bigint[], %(member_ids)s::bigint[], %(periods)s::text[],
    %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(campaign_ids)s::bigint[])
    WITH ORDINALITY AS k (scope, scope_id, member_id, period, period_start, period_end, campaign_id, n)
CROSS JOIN (SELECT id FROM rewards_asset WHERE code = 'points') points
LEFT JOIN LATERAL (
    SELECT * FROM antifraud_counter each
    WHERE (each.scope, each.scope_id, each.member_id, each.period, each.period_start)
        = (k.scope, k.scope_id, k.member_id, k.period, k.period_start) LIMIT 1
) c ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE {COUNTS}) AS count,
        sum(r.given - r.reversed) FILTER (WHERE r.asset_id = points.id) AS points FROM (
        SELECT * FROM rewards_reward WHERE c.id IS NULL AND k.member_id > 0 AND member_id = k.member_id
        UNION ALL
        SELECT * FROM rewards_reward WHERE c.id IS NULL AND k.member_id = 0 AND k.period <> 'minute'
            AND campaign_id = k.campaign_id
    ) r WHERE r.status IN {STATUSES} AND r.campaign_id = k.campaign_id
        AND (k.scope NOT IN ('rule', 'invitee') OR (r.rule_id = k.scope_id AND r.status <> 'reversed'
            AND (r.side = 'invitee') = (k.scope = 'invitee')))
        AND r.occurred_at >= k.period_start AND (k.period_end IS NULL OR r.occurred_at < k.period_end)
) seed ON true
UNION ALL
SELECT -w.n, COALESCE(sum(c.count), 0)::bigint, COALESCE(sum(c.points), 0)::bigint, NULL, NULL
FROM unnest(%(window_campaign_ids)s::bigint[], %(sinces)s::timestamptz[])
    WITH ORDINALITY AS w (campaign_id, since, n)
LEFT JOIN antifraud_counter c ON c.scope = 'campaign' AND c.scope_id = w.campaign_id AND c.member_id = 0
    AND c.period = 'minute' AND c.period_start >= w.since
GROUP BY w.n
"""  # noqa: S608 (constants only)

# Values, not differences: the lock makes what was read still true. The maxima are those that the reservation respected,
# so that the database refuses (counter_within_max_…) what a mistake in Python would let through.
WRITE = """
INSERT INTO antifraud_counter AS c
    (scope, scope_id, member_id, period, period_start, count, points, max_count, max_points)
SELECT * FROM unnest(%(scopes)s::text[], %(scope_ids)s::bigint[], %(member_ids)s::bigint[], %(periods)s::text[],
    %(starts)s::timestamptz[], %(counts)s::bigint[], %(points)s::bigint[], %(max_counts)s::bigint[],
    %(max_points)s::bigint[])
ON CONFLICT (scope, scope_id, member_id, period, period_start) DO UPDATE SET
    count = EXCLUDED.count, points = EXCLUDED.points, max_count = EXCLUDED.max_count, max_points = EXCLUDED.max_points
"""

FORGET_MINUTES = """
DELETE FROM antifraud_counter WHERE scope = 'campaign' AND scope_id = %(campaign_id)s AND period = 'minute'
"""

# The campaign of each limit that was ever published, be it deleted since: what it counted goes on being counted.
LIMITS = """
SELECT DISTINCT (line ->> 'id')::bigint AS id, campaign_id
FROM campaigns_campaignversion CROSS JOIN jsonb_array_elements(definition -> 'limits') line
"""

# Which counters a reward stands in follows from the reward and the periods that it lies in, which the tenant's calendar
# says in Python: PostgreSQL's differs where midnight comes twice. Those that were never made are left alone. Minutes
# are not among them: a stop rule looks at what was given, whatever became of it.
COUNTERS_OF_REWARDS = f"""
SELECT c.id, count(*) FILTER (WHERE r.part = 0) AS count,
    COALESCE(sum(r.given - r.reversed) FILTER (WHERE r.asset_id = points.id), 0)::bigint AS points
FROM rewards_reward r
CROSS JOIN (SELECT id FROM rewards_asset WHERE code = 'points') points
JOIN unnest(%(reward_ids)s::bigint[], %(periods)s::text[], %(starts)s::timestamptz[]) AS p (id, period, period_start)
    ON p.id = r.id
JOIN antifraud_counter c ON c.member_id IN (0, r.member_id) AND c.period = p.period
    AND c.period_start = p.period_start AND CASE c.scope WHEN 'campaign' THEN c.scope_id = r.campaign_id
        ELSE (c.scope_id, r.campaign_id) IN ({LIMITS}) END
GROUP BY c.id
"""  # noqa: S608 (constants only)
GIVE_BACK = f"""
UPDATE antifraud_counter c SET count = c.count - d.count, points = c.points - d.points
FROM ({COUNTERS_OF_REWARDS}) d WHERE c.id = d.id
"""  # noqa: S608 (constants only)
TAKE_AGAIN = f"""
UPDATE antifraud_counter c SET count = c.count + d.count, points = c.points + d.points
FROM ({COUNTERS_OF_REWARDS}) d WHERE c.id = d.id
"""  # noqa: S608 (constants only)

PERIODS = "SELECT DISTINCT period, period_start FROM antifraud_counter WHERE period <> 'minute'"
# A counter must say what the rewards say.
VERIFY = f"""
SELECT c.id, c.scope, c.scope_id, c.member_id, c.period, c.period_start, c.count, c.points,
    count(r.id) FILTER (WHERE {COUNTS}) AS rewards,
    COALESCE(sum(r.given - r.reversed) FILTER (WHERE r.asset_id = points.id), 0)::bigint AS given
FROM antifraud_counter c
CROSS JOIN (SELECT id FROM rewards_asset WHERE code = 'points') points
JOIN unnest(%(periods)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
    AS p (period, period_start, period_end) USING (period, period_start)
LEFT JOIN ({LIMITS}) bound ON c.scope = 'limit' AND bound.id = c.scope_id
LEFT JOIN rewards_reward r ON r.status IN {STATUSES} AND c.member_id IN (0, r.member_id)
    AND r.campaign_id = CASE c.scope WHEN 'campaign' THEN c.scope_id ELSE bound.campaign_id END
    AND r.occurred_at >= p.period_start AND (p.period_end IS NULL OR r.occurred_at < p.period_end)
GROUP BY c.id HAVING count(r.id) FILTER (WHERE {COUNTS}) <> c.count
    OR COALESCE(sum(r.given - r.reversed) FILTER (WHERE r.asset_id = points.id), 0) <> c.points
ORDER BY c.id
"""  # noqa: S608 (constants only)


# A stop rule looks back a week at most (stoprule_window_within_a_week).
MINUTES_KEPT = timedelta(days=8)
PRUNE = "DELETE FROM antifraud_counter WHERE period = 'minute' AND period_start < %(until)s"


class LimitReached(Conflict):
    """What was free in the meantime has been given to others."""

    message = _("The limit or budget has been used up in the meantime.")


@db.in_transaction
def gather(*, keys: Mapping[Key, int], windows: Sequence[Window], zone: tzinfo) -> Reading:
    """
    Read the counters in `keys` (each with its campaign's id) and the sums of `windows`, in one statement.

    `zone` is the tenant's: it says where the periods end, for counters that start from the rewards there are.
    """
    wanted = sorted(keys)
    rows = db.fetch(
        GATHER,
        {
            **_columns(wanted),
            "ends": [periods.end_of(key.period, zone=zone, start=key.period_start) for key in wanted],
            "campaign_ids": [keys[key] for key in wanted],
            "window_campaign_ids": [window.campaign_id for window in windows],
            "sinces": [window.since for window in windows],
        },
    )
    used = {row.n: Used(row.count, row.points, row.max_count, row.max_points) for row in rows}
    return Reading(
        counters={key: used[n] for n, key in enumerate(wanted, start=1)},
        windows={window[:2]: used[-n] for n, window in enumerate(windows, start=1)},
    )


@db.in_transaction
def write(*, used: Mapping[Key, Used]) -> None:
    """
    Store what is now used, in one statement.

    :raises django.db.IntegrityError: (counter_within_max_…) if more is used than a maximum; nothing may be paid then.
    """
    wanted = sorted(used)
    if wanted:
        values = [used[key] for key in wanted]
        db.execute(
            WRITE,
            {
                **_columns(wanted),
                "counts": [value.count for value in values],
                "points": [value.points for value in values],
                "max_counts": [value.max_count for value in values],
                "max_points": [value.max_points for value in values],
            },
        )


@db.in_transaction
def forget_minutes(*, campaign_id: int) -> None:
    """Let stop rules count a campaign anew."""
    db.execute(FORGET_MINUTES, {"campaign_id": campaign_id})


@db.in_transaction
def give_back(*, reward_ids: Sequence[int], zone: str) -> None:
    """Free what these rewards use of limits, as they are rejected or lapse. `zone` is the tenant's IANA name."""
    db.execute(GIVE_BACK, _of_rewards(reward_ids, zone=zone))


@db.in_transaction
def take_again(*, reward_ids: Sequence[int], zone: str) -> None:
    """
    Use the limits again for rewards whose rejection is undone.

    :raises LimitReached: if others have used them up.
    """
    try:
        with db.savepoint():
            db.execute(TAKE_AGAIN, _of_rewards(reward_ids, zone=zone))
    except IntegrityError as error:
        if conflict_of(error).startswith("counter_within_max"):
            raise LimitReached from error
        raise


def prune(*, at: datetime) -> int:
    """Delete the minutes that no stop rule can look back to any more, and return how many there were."""
    return db.execute(PRUNE, {"until": at - MINUTES_KEPT})


def verify(*, zone: str) -> list[str]:
    """Return a sentence for each counter that does not say what the rewards say. Empty when all is well."""
    spans = db.fetch(PERIODS)
    params = {
        "periods": [span.period for span in spans],
        "starts": [span.period_start for span in spans],
        "ends": [periods.end_of(span.period, zone=ZoneInfo(zone), start=span.period_start) for span in spans],
    }
    return [
        f"counter {row.scope} {row.scope_id}, member {row.member_id}, {row.period} from {row.period_start:%Y-%m-%d}: "
        f"{row.count} rewards and {row.points} points counted, {row.rewards} and {row.given} found"
        for row in db.fetch(VERIFY, params)
    ]


def _columns(keys: Sequence[Key]) -> dict[str, object]:
    # Sorted, so that two writers take the rows in one order.
    return {
        "scopes": [key.scope for key in keys],
        "scope_ids": [key.scope_id for key in keys],
        "member_ids": [key.member_id for key in keys],
        "periods": [key.period for key in keys],
        "starts": [key.period_start for key in keys],
    }


def _of_rewards(reward_ids: Sequence[int], *, zone: str) -> dict[str, object]:
    rewards = db.fetch("SELECT id, occurred_at FROM rewards_reward WHERE id = ANY(%s::bigint[])", [list(reward_ids)])
    places = [(reward, period) for reward in rewards for period in COUNTED]
    return {
        "reward_ids": [reward.id for reward, _period in places],
        "periods": [period for _reward, period in places],
        "starts": [periods.start_of(period, zone=ZoneInfo(zone), at=reward.occurred_at) for reward, period in places],
    }

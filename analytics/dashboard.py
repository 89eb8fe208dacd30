"""What the first page shows: the last 30 days in the tenant's days, what waits, and what stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from antifraud.models import Trip
from core.db import fetch

DAYS = 30
# From one to two is no growth of 100 %.
COMPARABLE_MIN = 10
# The latest: a list has the others.
TRIPS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the last 30 days, today included, beside that of the 30 days before."""

    now: int
    before: int

    @property
    def change_percent(self) -> int | None:
        """The difference in percent, rounded; None where there was too little to compare with."""
        return round((self.now - self.before) * 100 / self.before) if self.before >= COMPARABLE_MIN else None


@dataclass(frozen=True, slots=True)
class Day:
    """One of the tenant's days."""

    date: date
    events: int
    points: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What moderators have before them."""

    cases: int
    points: int
    oldest_at: datetime | None
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All figures of the page. `events_failed` is of the last 30 days; `has_*` is of all time."""

    days: tuple[Day, ...]
    events: Figure
    joined: Figure
    referrals: Figure
    qualified: Figure
    rewards: Figure
    points: Figure
    waiting: Waiting
    trips: tuple[Trip, ...]
    events_failed: int
    has_campaign: bool
    has_event: bool
    has_reward: bool


# `occurred_at` stands second in an index of each table behind few first values, which PostgreSQL 18 skips over.
# What counts as granted is what still is: what a refund has taken back is not in it.
DAILY = """
WITH happened AS (
    SELECT (occurred_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS events, 0::bigint AS rewards,
        0::bigint AS points, count(*) FILTER (WHERE status = 'failed') AS failed
    FROM events_event
    WHERE source = 'api' AND occurred_at >= %(since)s AND occurred_at < %(until)s GROUP BY 1
    UNION ALL
    -- Of whatever else is given the number counts, not the amount: two stars and three points are not five.
    SELECT (occurred_at AT TIME ZONE %(zone)s)::date, 0, count(*),
        coalesce(sum(given - reversed) FILTER (WHERE asset.code = 'points'), 0)::bigint, 0
    FROM rewards_reward LEFT JOIN rewards_asset asset ON asset.id = asset_id
    WHERE status = 'granted' AND occurred_at >= %(since)s AND occurred_at < %(until)s GROUP BY 1
)
SELECT day, sum(events)::bigint AS events, sum(rewards)::bigint AS rewards, sum(points)::bigint AS points,
    sum(failed)::bigint AS failed
FROM happened GROUP BY day
"""

TOTALS = """
SELECT
    (SELECT count(*) FROM members_member WHERE joined_at >= %(middle)s AND joined_at < %(until)s) AS joined,
    (SELECT count(*) FROM members_member WHERE joined_at >= %(since)s AND joined_at < %(middle)s) AS joined_before,
    r.brought, r.brought_before, r.qualified, r.qualified_before,
    c.cases, c.oldest_at, c.points, c.is_overdue,
    EXISTS (SELECT FROM campaigns_campaign WHERE status <> 'draft') AS has_campaign,
    EXISTS (SELECT FROM events_event WHERE source = 'api') AS has_event,
    EXISTS (SELECT FROM rewards_reward) AS has_reward
FROM (
    SELECT count(*) FILTER (WHERE attributed_at >= %(middle)s) AS brought,
        count(*) FILTER (WHERE attributed_at < %(middle)s) AS brought_before,
        count(qualified_at) FILTER (WHERE attributed_at >= %(middle)s) AS qualified,
        count(qualified_at) FILTER (WHERE attributed_at < %(middle)s) AS qualified_before
    FROM referrals_referral WHERE attributed_at >= %(since)s AND attributed_at < %(until)s
) r CROSS JOIN (
    SELECT count(DISTINCT k.id) AS cases, min(k.opened_at) AS oldest_at,
        COALESCE(bool_or(k.due_at < %(at)s), false) AS is_overdue,
        COALESCE(sum(w.given - w.reversed) FILTER (
            WHERE w.status = 'flagged' AND w.asset_id = (SELECT id FROM rewards_asset WHERE code = 'points')
        ), 0)::bigint AS points
    FROM antifraud_case k
    LEFT JOIN antifraud_casereward cr ON cr.case_id = k.id
    LEFT JOIN rewards_reward w ON w.id = cr.reward_id
    WHERE k.status = 'open'
) c
"""


def figures(*, zone: ZoneInfo, at: datetime) -> Dashboard:
    """Return the figures of the current tenant, in three statements."""
    today = at.astimezone(zone).date()
    first = today - timedelta(days=DAYS - 1)
    params = {
        "zone": zone.key,
        "since": _midnight(first - timedelta(days=DAYS), zone),
        "middle": _midnight(first, zone),
        "until": _midnight(today + timedelta(days=1), zone),
        "at": at,
    }
    daily = {row.day: row for row in fetch(DAILY, params)}
    totals = fetch(TOTALS, params)[0]
    now = [daily[day] for day in daily if day >= first]
    before = [daily[day] for day in daily if day < first]
    return Dashboard(
        days=tuple(_day(first + timedelta(days=number), daily) for number in range(DAYS)),
        events=_figure("events", now, before),
        joined=Figure(totals.joined, totals.joined_before),
        referrals=Figure(totals.brought, totals.brought_before),
        qualified=Figure(totals.qualified, totals.qualified_before),
        rewards=_figure("rewards", now, before),
        points=_figure("points", now, before),
        waiting=Waiting(
            cases=totals.cases,
            points=totals.points,
            oldest_at=totals.oldest_at,
            is_overdue=totals.is_overdue,
        ),
        trips=tuple(Trip.objects.filter(resumed_at=None).select_related("campaign").order_by("-pk")[:TRIPS_SHOWN]),
        events_failed=_figure("failed", now, before).now,
        has_campaign=totals.has_campaign,
        has_event=totals.has_event,
        has_reward=totals.has_reward,
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)


def _day(day: date, daily: dict[date, Any]) -> Day:
    row = daily.get(day)
    return Day(day, row.events, row.points) if row else Day(day, 0, 0)


def _figure(name: str, now: Sequence[Any], before: Sequence[Any]) -> Figure:
    return Figure(sum(getattr(row, name) for row in now), sum(getattr(row, name) for row in before))

"""Telling members in time what is about to expire: the fact `points.expiring`, 30 days, 7 days and one day before."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any, Final, NamedTuple

from core.db import fetch, transaction
from events import facts
from events.facts import Fact
from rewards import expiry
from tenants import context, periods

DAYS_BEFORE: Final = (30, 7, 1)
BATCH_SIZE: Final = 2_000


class Window(NamedTuple):
    """What expires on one day, and the notice that is due of it now."""

    expires_date: date
    starts_at: datetime
    ends_at: datetime
    days_before: int
    told_at: datetime


def night(*, schema: str, day: date, at: datetime) -> None:
    """Record every notice that is due on this day."""
    while tell_due(day=day, limit=BATCH_SIZE, at=at):
        pass


@transaction
def tell_due(*, day: date, limit: int, at: datetime) -> int:
    """
    Record up to `limit` notices that are due on the tenant's `day` and were not recorded yet; return how many.

    One notice is of everything that an account loses on one day. Of those that were missed the nearest alone is made
    up for. Whatever came too late for a notice is told of with the next one.
    """
    rows = fetch(DUE, _params(day, context.zone()) | {"limit": limit})
    facts.record(facts=[_fact(row, day) for row in rows], at=at)
    return len(rows)


def windows(*, day: date, zone: tzinfo) -> Iterator[Window]:
    """Yield each day on which something that expires is told of on `day`."""
    # Thirty days before the notice of thirty days is due, eight days before still, seven days before that of seven.
    for days_before, nearer in pairwise((*DAYS_BEFORE, 0)):
        for days in range(days_before, nearer, -1):
            expires = day + timedelta(days=days)
            yield Window(
                expires_date=expires,
                starts_at=periods.midnight(expires, zone=zone),
                ends_at=periods.midnight(expires + timedelta(days=1), zone=zone),
                days_before=days_before,
                told_at=periods.midnight(expires - timedelta(days=days_before), zone=zone),
            )


def _params(day: date, zone: tzinfo) -> dict[str, object]:
    found = list(windows(day=day, zone=zone))
    idle = [(line, window) for line in expiry.idle_lines() for window in found]
    # Whoever last earned or spent on this day loses it on that of the window.
    last_days = [window.expires_date - timedelta(days=(line.expiry_count or 0) + 1) for line, window in idle]
    return {
        **_columns("", found),
        **_columns("idle_", [window for _line, window in idle]),
        "idle_assets": [line.id for line, _window in idle],
        "idle_moved_from": [periods.midnight(last, zone=zone) for last in last_days],
        "idle_moved_to": [periods.midnight(last + timedelta(days=1), zone=zone) for last in last_days],
    }


def _columns(prefix: str, found: list[Window]) -> dict[str, object]:
    return {f"{prefix}{name}": [getattr(window, name) for window in found] for name in Window._fields}


def _fact(row: Any, day: date) -> Fact:
    return Fact(
        kind="points.expiring",
        key=row.key,
        data={
            "asset": row.code,
            "amount": int(row.amount),
            "expires_on": row.expires_date,
            "days_left": (row.expires_date - day).days,
        },
        member_id=row.member_id,
    )


# Each window looks into the index of what expires, and each notice for its key: LATERAL and its LIMIT keep a planner
# without statistics from reading the whole log. Of what lies idle the accounts are read once, for all windows.
# What was not there yet when the notice was due does not bring a late one about.
DUE = """
WITH resting AS MATERIALIZED (
    SELECT a.id AS account_id, a.asset_id, coalesce(a.moved_at, lots.opened_at) AS rested_from, lots.amount
    FROM (
        SELECT asset_id, min(moved_from) AS moved_from, max(moved_to) AS moved_to
        FROM unnest(%(idle_assets)s::bigint[], %(idle_moved_from)s::timestamptz[], %(idle_moved_to)s::timestamptz[])
            AS w (asset_id, moved_from, moved_to)
        GROUP BY asset_id
    ) span
    JOIN rewards_account a ON a.asset_id = span.asset_id AND a.kind = 'member' AND a.balance > 0
        AND (a.moved_at IS NULL OR (a.moved_at >= span.moved_from AND a.moved_at < span.moved_to))
    CROSS JOIN LATERAL (
        SELECT sum(remaining) AS amount, max(available_at) AS opened_at FROM rewards_lot
        WHERE account_id = a.id AND remaining > 0 AND expires_at IS NULL
    ) lots
    WHERE lots.amount > 0
), told AS (
    SELECT w.expires_date, w.days_before, found.account_id, found.amount
    FROM unnest(%(expires_date)s::date[], %(starts_at)s::timestamptz[], %(ends_at)s::timestamptz[],
        %(days_before)s::int[], %(told_at)s::timestamptz[])
        AS w (expires_date, starts_at, ends_at, days_before, told_at)
    CROSS JOIN LATERAL (
        SELECT account_id, sum(remaining) AS amount FROM rewards_lot
        WHERE remaining > 0 AND expires_at >= w.starts_at AND expires_at < w.ends_at
        GROUP BY account_id HAVING min(available_at) <= w.told_at
    ) found
    UNION ALL
    SELECT w.expires_date, w.days_before, resting.account_id, resting.amount
    FROM resting
    JOIN unnest(%(idle_assets)s::bigint[], %(idle_expires_date)s::date[], %(idle_days_before)s::int[],
        %(idle_told_at)s::timestamptz[], %(idle_moved_from)s::timestamptz[], %(idle_moved_to)s::timestamptz[])
        AS w (asset_id, expires_date, days_before, told_at, moved_from, moved_to)
        ON w.asset_id = resting.asset_id AND resting.rested_from >= w.moved_from
            AND resting.rested_from < w.moved_to AND resting.rested_from <= w.told_at
)
SELECT named.key, told.amount, told.expires_date, a.member_id, asset.code
FROM told
JOIN rewards_account a ON a.id = told.account_id
JOIN rewards_asset asset ON asset.id = a.asset_id
CROSS JOIN LATERAL (
    SELECT format('expiring:%%s:%%s:%%s', told.account_id, told.expires_date, told.days_before) AS key
) named
LEFT JOIN LATERAL (
    SELECT e.id FROM events_event e WHERE e.source = 'sarafan' AND e.key = named.key LIMIT 1
) known ON true
WHERE known.id IS NULL
ORDER BY told.expires_date, told.account_id
LIMIT %(limit)s
"""

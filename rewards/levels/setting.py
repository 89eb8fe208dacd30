"""What a tenant has chosen for levels: its policy and its ladder, as values."""

from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from core.db import fetch
from rewards.levels.ladder import Ladder, Policy, Step
from tenants import context, periods


class Setting(NamedTuple):
    """All that deciding about levels needs to know of the tenant."""

    policy: Policy
    ladder: Ladder
    zone: tzinfo
    currency: str
    points_scale: int


class Window(NamedTuple):
    """What counts: from the first instant on, before the last one. Where nothing ends it, that is None."""

    start: datetime
    end: datetime | None


def get() -> Setting:
    """Return what the current tenant has chosen, in one statement."""
    (row,) = fetch(SETTING)
    policy = Policy(
        measure=row.level_measure,
        window=row.level_window,
        window_days=row.level_window_days,
        fall=row.level_fall,
        grace_days=row.level_grace_days,
        notice_days=row.level_notice_days,
    )
    steps = (Step(**each) for each in row.steps)
    return Setting(policy, Ladder(steps), context.zone(), context.current().currency, row.points_scale)


def window_of(*, policy: Policy, zone: tzinfo, at: datetime) -> Window:
    """
    Return what counts at this time.

    The last N days are local days, today among them. A calendar window begins at 0: whatever lies before it counts for
    nothing any more, also when it is reported late.
    """
    if policy.window == "rolling":
        first = at.astimezone(zone).date() - timedelta(days=(policy.window_days or 1) - 1)
        return Window(periods.midnight(first, zone=zone), None)
    start = periods.start_of(policy.window, zone=zone, at=at)
    return Window(start, periods.end_of(policy.window, zone=zone, start=start))


SETTING = """
SELECT level_measure, level_window, level_window_days, level_fall, level_grace_days, level_notice_days, (
    SELECT coalesce(json_agg(json_build_object(
        'id', id, 'code', code, 'threshold', threshold, 'multiplier_bps', multiplier_bps
    ) ORDER BY threshold), '[]') FROM rewards_level
) AS steps, (SELECT scale FROM rewards_asset WHERE code = 'points') AS points_scale
FROM rewards_rewardpolicy WHERE id = 1
"""

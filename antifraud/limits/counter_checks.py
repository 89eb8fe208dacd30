"""What must hold of counters: each says what the rewards say. `antifraud.limits.counters.verify` asks."""

from datetime import datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from antifraud.limits import recount
from antifraud.limits.usage import KNOWN
from core import db
from tenants import periods

# The campaign of each limit that was ever published, be it deleted since: what it counted goes on being counted. What
# a limit over all campaigns (0) counted is forgotten with it.
LIMITS: Final = """
SELECT DISTINCT (line ->> 'id')::bigint AS id, campaign_id
FROM campaigns_campaignversion CROSS JOIN jsonb_array_elements(definition -> 'limits') line
UNION ALL SELECT id, 0 FROM campaigns_limit WHERE campaign_id IS NULL
"""
# The release before this one counts minutes, too, until the last of its processes is gone.
PERIODS: Final = "SELECT DISTINCT period, period_start FROM antifraud_counter WHERE period <> 'minute'"
VERIFY: Final = f"""
WITH things AS MATERIALIZED ({recount.THINGS})
SELECT k.scope, k.scope_id, k.subject_id, k.period, k.period_start, k.count, k.points, k.cost_minor, k.days,
    COALESCE(found.count, 0) AS found_count, COALESCE(found.points, 0) AS found_points,
    COALESCE(found.cost_minor, 0) AS found_cost_minor, found.days AS found_days
FROM (
    SELECT c.scope, c.scope_id, c.member_id AS subject_id, c.period, c.period_start, p.period_end,
        CASE c.scope WHEN 'campaign' THEN c.scope_id ELSE bound.campaign_id END AS campaign_id,
        c.count, c.points, c.cost_minor, c.days, COALESCE((c.days ->> '{KNOWN}')::bigint, 0) AS known
    FROM antifraud_counter c
    JOIN unnest(%(periods)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
        AS p (period, period_start, period_end) USING (period, period_start)
    LEFT JOIN ({LIMITS}) bound ON c.scope <> 'campaign' AND bound.id = c.scope_id
) k
CROSS JOIN (SELECT id FROM rewards_asset WHERE code = 'points') points
CROSS JOIN LATERAL ({recount.ALL}) found
WHERE k.campaign_id IS NOT NULL
ORDER BY k.scope, k.scope_id, k.subject_id, k.period, k.period_start
"""  # noqa: S608 (constants only)


def verify(*, zone: str) -> list[str]:
    """
    Return a sentence for each counter that does not say what the rewards say. Empty when all is well.

    Those of a time when the tenant lived in another zone count nothing any more, and are left out.
    """
    local = ZoneInfo(zone)
    spans = [span for span in db.fetch(PERIODS) if is_local(span, zone=local)]
    blocks = [(span.period_start, length) for span in spans if (length := periods.days_of(span.period))]
    midnights = periods.midnights(blocks, zone=local)
    params = {
        "periods": [span.period for span in spans],
        "starts": [span.period_start for span in spans],
        "ends": [periods.end_of(span.period, zone=local, start=span.period_start) for span in spans],
        "midnights": list(midnights),
    }
    days = [day.isoformat() for day in midnights.values()]
    return [sentence for row in db.fetch(VERIFY, params) for sentence in _differences(row, days)]


def is_local(span: Any, *, zone: tzinfo) -> bool:
    """Tell whether a counter's period begins by this zone's clock."""
    start: datetime = span.period_start
    return periods.start_of(span.period, zone=zone, at=start) == start


def _differences(row: Any, days: list[str]) -> list[str]:
    name = (
        f"counter {row.scope} {row.scope_id} of {row.subject_id}, {row.period} from {row.period_start:%Y-%m-%d %H:%M}"
    )
    counted = (row.count, row.points, row.cost_minor)
    found = (row.found_count, row.found_points, row.found_cost_minor)
    if counted != found:
        said = "{} rewards, {} points, cost {}"
        return [f"{name}: {said.format(*counted)} counted; {said.format(*found)} found"]
    stored = {day: tuple(figures) for day, figures in row.days.items() if day != KNOWN}
    daily = {days[int(nth) - 1]: tuple(figures) for nth, figures in (row.found_days or {}).items() if any(figures)}
    return [] if stored == daily else [f"{name}: {stored} counted; {daily} found"]

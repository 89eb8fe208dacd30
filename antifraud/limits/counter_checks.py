"""What must hold of counters: each says what the rewards say. `antifraud.limits.counters.verify` asks."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from antifraud.limits import recount
from antifraud.limits.usage import KNOWN, Figures
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
# `counters` are those to be looked at, `things` the devices and cards that these may be of.
_COUNTED: Final = f"""
WITH things AS MATERIALIZED ({{things}})
SELECT k.id, k.scope, k.scope_id, k.subject_id, k.period, k.period_start, k.count, k.points, k.cost_minor, k.days,
    COALESCE(found.count, 0) AS found_count, COALESCE(found.points, 0) AS found_points,
    COALESCE(found.cost_minor, 0) AS found_cost_minor, found.days AS found_days
FROM (
    SELECT c.id, c.scope, c.scope_id, c.member_id AS subject_id, c.period, c.period_start, p.period_end,
        CASE c.scope WHEN 'campaign' THEN c.scope_id ELSE bound.campaign_id END AS campaign_id,
        c.count, c.points, c.cost_minor, c.days, COALESCE((c.days ->> '{KNOWN}')::bigint, 0) AS known
    FROM {{counters}} c
    JOIN unnest(%(periods)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
        AS p (period, period_start, period_end) USING (period, period_start)
    LEFT JOIN ({LIMITS}) bound ON c.scope <> 'campaign' AND bound.id = c.scope_id
) k
CROSS JOIN (SELECT id FROM rewards_asset WHERE code = 'points') points
CROSS JOIN LATERAL ({recount.ALL}) found
WHERE k.campaign_id IS NOT NULL
ORDER BY k.scope, k.scope_id, k.subject_id, k.period, k.period_start
"""  # noqa: S608 (constants only)
VERIFY: Final = _COUNTED.format(counters="antifraud_counter", things=recount.THINGS)


class Found(NamedTuple):
    """A counter's row, what the rewards say it should have, and that by local day, if it is of a rolling limit."""

    row: Any
    used: Figures
    days: dict[str, Figures]


def verify(*, zone: str) -> list[str]:
    """
    Return a sentence for each counter that does not say what the rewards say. Empty when all is well.

    Those of a time when the tenant lived in another zone count nothing any more, and are left out.
    """
    found = counted(sql=VERIFY, params={}, zone=ZoneInfo(zone))
    return [sentence for each in found for sentence in _differences(each)]


def counted(*, sql: str, params: Mapping[str, object], zone: tzinfo) -> list[Found]:
    """Return the counters that `sql` (`sql_of`) asks for, each with what the rewards say."""
    spans = [span for span in db.fetch(PERIODS) if is_local(span, zone=zone)]
    blocks = [(span.period_start, length) for span in spans if (length := periods.days_of(span.period))]
    midnights = periods.midnights(blocks, zone=zone)
    asked = {
        "periods": [span.period for span in spans],
        "starts": [span.period_start for span in spans],
        "ends": [periods.end_of(span.period, zone=zone, start=span.period_start) for span in spans],
        "midnights": list(midnights),
    }
    days = [day.isoformat() for day in midnights.values()]
    return [_found(row, days) for row in db.fetch(sql, {**params, **asked})]


def sql_of(*, counters: str, things: str) -> str:
    """Return the statement that counts anew what some counters count: rows of them, and of the devices and cards."""
    return _COUNTED.format(counters=counters, things=things)


def is_local(span: Any, *, zone: tzinfo) -> bool:
    """Tell whether a counter's period begins by this zone's clock."""
    start: datetime = span.period_start
    return periods.start_of(span.period, zone=zone, at=start) == start


def _found(row: Any, days: Sequence[str]) -> Found:
    figures = Figures(row.found_count, int(row.found_points), int(row.found_cost_minor))
    daily = {days[int(nth) - 1]: Figures(*each) for nth, each in (row.found_days or {}).items() if any(each)}
    return Found(row, figures, daily)


def _differences(found: Found) -> list[str]:
    row = found.row
    name = (
        f"counter {row.scope} {row.scope_id} of {row.subject_id}, {row.period} from {row.period_start:%Y-%m-%d %H:%M}"
    )
    counted = (row.count, row.points, row.cost_minor)
    if counted != found.used:
        said = "{} rewards, {} points, cost {}"
        return [f"{name}: {said.format(*counted)} counted; {said.format(*found.used)} found"]
    stored = {day: tuple(figures) for day, figures in row.days.items() if day != KNOWN}
    daily = {day: tuple(figures) for day, figures in found.days.items()}
    return [] if stored == daily else [f"{name}: {stored} counted; {daily} found"]

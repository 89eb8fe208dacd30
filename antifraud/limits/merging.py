"""
Two members who are one share one count: a limit gives them what it gives one person.

What both have used is counted anew, from the rewards that are the one's now. It may be more than a limit allows: then
there is nothing left for them. Nothing that was given is taken back.
"""

from datetime import datetime
from typing import Any, Final

from antifraud.limits import counter_checks, recount
from antifraud.limits.counter_checks import LIMITS, Found
from antifraud.limits.usage import KNOWN
from core import db
from tenants import context


@db.in_transaction
def add_up(*, into_id: int, away_id: int, at: datetime) -> dict[str, Any]:
    """Count for the one who stays what both have used of each limit. Rewards and identities are theirs already."""
    whose = {"into_id": into_id, "away_id": away_id}
    db.execute(RENAME, whose)
    db.execute(JOIN, whose)
    found = counter_checks.counted(sql=RECOUNT, params=whose, zone=context.zone())
    _write([each for each in found if not _agrees(each)])
    return {}


def _agrees(found: Found) -> bool:
    row = found.row
    stored = {day: tuple(figures) for day, figures in row.days.items() if day != KNOWN}
    return (row.count, row.points, row.cost_minor) == found.used and stored == found.days


def _write(found: list[Found]) -> None:
    db.execute(
        WRITE,
        {
            "ids": [each.row.id for each in found],
            "counts": [each.used.rewards for each in found],
            "points": [each.used.points for each in found],
            "costs": [each.used.cost_minor for each in found],
            "days": db.json_text([_days(each) for each in found]),
        },
    )


def _days(found: Found) -> dict[str, object]:
    days: dict[str, object] = {day: list(figures) for day, figures in sorted(found.days.items())}
    return days | {name: known for name, known in found.row.days.items() if name == KNOWN}


# Limits that count people: for each of those there ever were one look into the index of counters.
_OWN: Final = f"""
SELECT c.* FROM ({LIMITS}) limits CROSS JOIN unnest(ARRAY['limit', 'inviter']) AS s (scope) CROSS JOIN LATERAL (
    SELECT * FROM antifraud_counter each
    WHERE each.scope = s.scope AND each.scope_id = limits.id AND each.member_id = {{member}} OFFSET 0
) c
"""  # noqa: S608 (constants only)
RENAME: Final = f"""
UPDATE antifraud_counter c SET member_id = %(into_id)s
FROM ({_OWN.format(member="%(away_id)s")}) gone
WHERE c.id = gone.id AND NOT EXISTS (
    SELECT FROM antifraud_counter own
    WHERE (own.scope, own.scope_id, own.member_id, own.period, own.period_start)
        = (gone.scope, gone.scope_id, %(into_id)s, gone.period, gone.period_start)
)
"""  # noqa: S608 (constants only)
# Of two maxima that were respected the lower one holds, but for what is used already.
_LEAST: Final = "CASE WHEN coalesce(own.{0}, gone.{0}) IS NOT NULL THEN greatest(least(own.{0}, gone.{0}), own.{1}) END"
JOIN: Final = f"""
WITH gone AS (
    DELETE FROM antifraud_counter c USING ({_OWN.format(member="%(away_id)s")}) gone WHERE c.id = gone.id
    RETURNING c.scope, c.scope_id, c.period, c.period_start, c.max_count, c.max_points, c.max_cost_minor
)
UPDATE antifraud_counter own SET max_count = {_LEAST.format("max_count", "count")},
    max_points = {_LEAST.format("max_points", "points")},
    max_cost_minor = {_LEAST.format("max_cost_minor", "cost_minor")}
FROM gone
WHERE (own.scope, own.scope_id, own.member_id, own.period, own.period_start)
    = (gone.scope, gone.scope_id, %(into_id)s, gone.period, gone.period_start)
"""  # noqa: S608 (constants only)
_THINGS: Final = f"""
SELECT i.id, i.member_id, i.kind, i.added_at, {recount.SUBJECT} AS subject_id
FROM members_identity own JOIN members_identity i ON i.kind = own.kind AND i.lookup = own.lookup
WHERE own.member_id = %(into_id)s AND own.kind IN ('device', 'card')
"""  # noqa: S608 (constants only)
_OF_THINGS: Final = f"""
SELECT c.* FROM (SELECT DISTINCT kind, subject_id FROM things) s CROSS JOIN ({LIMITS}) limits CROSS JOIN LATERAL (
    SELECT * FROM antifraud_counter each
    WHERE each.scope = s.kind AND each.scope_id = limits.id AND each.member_id = s.subject_id OFFSET 0
) c
"""  # noqa: S608 (constants only)
RECOUNT: Final = counter_checks.sql_of(
    counters=f"({_OWN.format(member='%(into_id)s')} UNION ALL {_OF_THINGS})", things=_THINGS
)
WRITE: Final = """
UPDATE antifraud_counter c SET count = n.count, points = n.points, cost_minor = n.cost_minor, days = n.days,
    max_count = greatest(c.max_count, CASE WHEN c.max_count IS NOT NULL THEN n.count END),
    max_points = greatest(c.max_points, CASE WHEN c.max_points IS NOT NULL THEN n.points END),
    max_cost_minor = greatest(c.max_cost_minor, CASE WHEN c.max_cost_minor IS NOT NULL THEN n.cost_minor END)
FROM ROWS FROM (unnest(%(ids)s::bigint[], %(counts)s::bigint[], %(points)s::bigint[], %(costs)s::bigint[]),
    jsonb_array_elements(%(days)s::jsonb)) AS n (id, count, points, cost_minor, days)
WHERE c.id = n.id
"""

"""Who has used most of a limit that is for each by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from antifraud.limits import filling, places
from antifraud.limits.filling import Share, Use
from antifraud.limits.usage import SUBJECT_DIGITS, Figures
from core.db import fetch
from tenants import periods

TOP_MAX: Final = 20

# Whoever has used most of any of the maxima. Of a rolling limit it is summed over its days, which may lie in two rows.
TOP_OF = """
SELECT subject_id, count, points, cost_minor FROM (
    SELECT c.member_id AS subject_id, sum(u.count)::bigint AS count, sum(u.points)::bigint AS points,
        sum(u.cost_minor)::bigint AS cost_minor
    FROM antifraud_counter c CROSS JOIN LATERAL (
        SELECT c.count, c.points, c.cost_minor WHERE %(since)s::text IS NULL
        UNION ALL
        SELECT (each.value ->> 0)::bigint, (each.value ->> 1)::bigint, (each.value ->> 2)::bigint
        FROM jsonb_each(c.days) each WHERE each.key BETWEEN %(since)s::text AND %(until)s::text
    ) u
    WHERE c.scope = %(scope)s AND c.scope_id = %(scope_id)s AND c.period = %(period)s
        AND c.period_start = ANY(%(starts)s::timestamptz[]) AND c.member_id > 0
    GROUP BY c.member_id
) used
WHERE count > 0 OR points > 0 OR cost_minor > 0
ORDER BY greatest(count::numeric / %(max_count)s, points::numeric / %(max_points)s,
    cost_minor::numeric / %(max_cost_minor)s) DESC, subject_id
LIMIT %(limit)s
"""
# A device's number is the beginning of its blind index.
THINGS_OF = """
SELECT n.subject_id, min(i.kind) AS kind, min(i.value) AS value, count(*) AS members
FROM unnest(%(subjects)s::bigint[], %(from_)s::text[], %(to)s::text[]) AS n (subject_id, from_, to_)
JOIN members_identity i ON i.kind = %(kind)s AND i.lookup >= n.from_ AND i.lookup < n.to_
GROUP BY n.subject_id
"""


@dataclass(frozen=True, slots=True)
class Top:
    """Somebody, or a device or card, with what they have used."""

    subject_id: int
    shares: tuple[Share, ...]


def top_of(use: Use, *, zone: tzinfo, at: datetime) -> list[Top]:
    """Return who has used most of a limit that is for each by itself."""
    if use.limit is None or use.key.subject_id or use.limit.per == "campaign":
        return []
    day, days = at.astimezone(zone).date(), periods.days_of(use.key.period)
    starts = [use.key.period_start, *(each.period_start for each in places.around(use.key, zone=zone))]
    rows = fetch(
        TOP_OF,
        {
            "scope": use.key.scope,
            "scope_id": use.key.scope_id,
            "period": use.key.period,
            "starts": starts,
            "since": (day - timedelta(days=days - 1)).isoformat() if days else None,
            "until": day.isoformat(),
            "limit": TOP_MAX,
            **{name: getattr(use.limit, name) for name in ("max_count", "max_points", "max_cost_minor")},
        },
    )
    maxima = filling.maxima_of(use.limit)
    return [
        Top(row.subject_id, filling.shares_of(maxima, Figures(row.count, row.points, row.cost_minor))) for row in rows
    ]


def things_of(*, kind: str, subject_ids: Sequence[int]) -> dict[int, Any]:
    """Return the devices or cards with these numbers: each with its sealed `value`, and how many `members` use it."""
    lowest = [f"{subject_id:0{SUBJECT_DIGITS}x}" for subject_id in subject_ids]
    params = {
        "kind": kind,
        "subjects": list(subject_ids),
        "from_": lowest,
        "to": [f"{subject_id + 1:0{SUBJECT_DIGITS}x}" for subject_id in subject_ids],
    }
    return {row.subject_id: row for row in fetch(THINGS_OF, params)}

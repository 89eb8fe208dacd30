"""Two members who are one: what is listed of the one who went is listed of the other, the stricter of both."""

from datetime import datetime
from typing import Any, Final

from core.db import execute, in_transaction


@in_transaction
def follow(*, into_id: int, away_id: int, at: datetime) -> dict[str, Any]:
    """Let stop list and own staff name the one who stays. An exemption was for one of two people, and ends."""
    execute(FOLLOW, {"into_id": into_id, "away_id": away_id})
    return {}


FOLLOW: Final = """
WITH gone AS (
    DELETE FROM antifraud_listing WHERE kind = 'member' AND lookup = %(away_id)s::text
    RETURNING list, answer, until, note, added_by, added_at
)
INSERT INTO antifraud_listing AS l (list, kind, lookup, value, answer, until, note, added_by, added_at)
SELECT list, 'member', %(into_id)s::text, %(into_id)s::text, answer, until, note, added_by, added_at
FROM gone WHERE list IN ('block', 'staff')
ON CONFLICT (list, kind, lookup) DO UPDATE SET
    answer = CASE WHEN 'refuse' IN (l.answer, EXCLUDED.answer) THEN 'refuse' ELSE l.answer END,
    until = CASE WHEN l.until IS NOT NULL THEN greatest(l.until, coalesce(EXCLUDED.until, 'infinity')) END
"""

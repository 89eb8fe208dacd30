"""Two members who are one: stop rules that look at inviters see what both have done as what one has."""

from datetime import datetime
from typing import Any, Final

from antifraud.stops.minutes import COLUMNS
from core.db import execute, in_transaction


@in_transaction
def follow(*, into_id: int, away_id: int, at: datetime) -> dict[str, Any]:
    """Add up the tallies of two inviters. A rule that holds the one who went holds the one who stays."""
    whose = {"into": str(into_id), "away": str(away_id)}
    execute(TALLIES, whose)
    execute(TRIPS, whose)
    return {}


_SUMS: Final = ", ".join(f"{column} = t.{column} + EXCLUDED.{column}" for column in COLUMNS)
TALLIES: Final = f"""
WITH gone AS (
    DELETE FROM antifraud_tally WHERE scope = 'inviter' AND subject = %(away)s
    RETURNING minute, {", ".join(COLUMNS)}
)
INSERT INTO antifraud_tally AS t (scope, subject, minute, {", ".join(COLUMNS)})
SELECT 'inviter', %(into)s, minute, {", ".join(COLUMNS)} FROM gone ORDER BY minute
ON CONFLICT (scope, subject, minute) DO UPDATE SET {_SUMS}
"""  # noqa: S608 (constants only)
# Where the same rule holds both, it goes on holding the one who stays.
TRIPS: Final = """
UPDATE antifraud_trip t SET subject = %(into)s
WHERE t.scope = 'inviter' AND t.subject = %(away)s AND t.resumed_at IS NULL AND NOT EXISTS (
    SELECT FROM antifraud_trip own WHERE own.stop_rule_id = t.stop_rule_id AND own.scope = t.scope
        AND own.subject = %(into)s AND own.resumed_at IS NULL
)
"""

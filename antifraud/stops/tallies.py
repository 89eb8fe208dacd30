"""What happens minute by minute: summed for stop rules, written with each batch, forgotten when out of date."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from antifraud.stops.minutes import COLUMNS, Subject, Tally, Window
from core import db

# A part of limits.counters.GATHER: each window's sums as one JSON, so that both are read in one statement. Of a
# window that is over there are none if nobody had heard of the subject when it began: that is not the same as nothing.
SUMS: Final = f"""
SELECT w.n, CASE WHEN w.until IS NULL OR (
        SELECT minute FROM antifraud_tally t WHERE (t.scope, t.subject) = (w.scope, w.subject) ORDER BY minute LIMIT 1
    ) <= w.since THEN t.sums END AS sums
FROM unnest(%(window_scopes)s::text[], %(window_subjects)s::text[], %(sinces)s::timestamptz[],
    %(untils)s::timestamptz[]) WITH ORDINALITY AS w (scope, subject, since, until, n)
CROSS JOIN LATERAL (
    SELECT jsonb_build_object({", ".join(f"'{column}', COALESCE(sum(t.{column}), 0)" for column in COLUMNS)}) AS sums
    FROM antifraud_tally t WHERE t.scope = w.scope AND t.subject = w.subject AND t.minute >= w.since
        AND t.minute < COALESCE(w.until, 'infinity')
) t
"""  # noqa: S608 (constants only)

# A part of limits.counters.WRITE.
ADD: Final = f"""
INSERT INTO antifraud_tally AS t (scope, subject, minute, {", ".join(COLUMNS)})
SELECT scope, subject, %(minute)s, {", ".join(COLUMNS)}
FROM unnest(%(tally_scopes)s::text[], %(tally_subjects)s::text[],
    {", ".join(f"%(tally_{column})s::bigint[]" for column in COLUMNS)})
    AS n (scope, subject, {", ".join(COLUMNS)})
ON CONFLICT (scope, subject, minute) DO UPDATE SET
    {", ".join(f"{column} = t.{column} + EXCLUDED.{column}" for column in COLUMNS)}
"""  # noqa: S608 (constants only)

# A stop rule looks back a week at most (stoprule_window_within_a_week), and compares with the eight weeks before.
KEPT: Final = timedelta(days=64)
PRUNE = "DELETE FROM antifraud_tally WHERE minute < %(until)s"
# Whoever was heard of since; the inviters among them may be many.
SUBJECTS = """
SELECT each.scope, each.subject, (
    SELECT minute FROM antifraud_tally t WHERE (t.scope, t.subject) = (each.scope, each.subject) ORDER BY minute LIMIT 1
) AS first FROM (
    SELECT scope, subject FROM antifraud_tally WHERE minute >= %(since)s AND scope = ANY(%(scopes)s::text[])
    GROUP BY scope, subject ORDER BY max(minute) DESC, scope, subject LIMIT %(limit)s
) each
"""


def window_columns(windows: Sequence[Window]) -> dict[str, object]:
    """Return the parameters of SUMS."""
    return {
        "window_scopes": [window.subject.scope for window in windows],
        "window_subjects": [window.subject.name for window in windows],
        "sinces": [window.since for window in windows],
        "untils": [window.until for window in windows],
    }


def tally_of(sums: Mapping[str, Any] | None) -> Tally | None:
    """Return the sums of a window from their JSON; None where nobody had heard of the subject when it began."""
    return None if sums is None else Tally(**{column: int(number) for column, number in sums.items()})


def tally_columns(noted: Mapping[Subject, Tally], *, at: datetime) -> dict[str, object]:
    """Return the parameters of ADD: what happened in the minute of `at`. Sorted: two writers take rows in one order."""
    wanted = sorted(noted)
    return {
        "minute": at.replace(second=0, microsecond=0),
        "tally_scopes": [subject.scope for subject in wanted],
        "tally_subjects": [subject.name for subject in wanted],
        **{f"tally_{column}": [getattr(noted[subject], column) for subject in wanted] for column in COLUMNS},
    }


def read(windows: Sequence[Window]) -> dict[Window, Tally | None]:
    """Return the sums of windows, in one statement."""
    found = {row.n: row.sums for row in db.fetch(SUMS, window_columns(windows))} if windows else {}
    return {window: tally_of(found[n]) for n, window in enumerate(windows, start=1)}


def firsts(*, scopes: Sequence[str], limit: int, since: datetime) -> dict[Subject, datetime]:
    """Return those to which something has happened since, the latest ones, each with the first minute it ever did."""
    rows = db.fetch(SUBJECTS, {"scopes": list(scopes), "limit": limit, "since": since})
    return {Subject(row.scope, row.subject): row.first for row in rows}


def prune(*, at: datetime) -> int:
    """Delete the minutes that no stop rule can look back to any more, and return how many there were."""
    return db.execute(PRUNE, {"until": at - KEPT})

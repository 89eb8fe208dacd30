"""What is watched now: the stop rules in use, and their trips that still matter."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from antifraud.stops.minutes import Subject, Tally
from antifraud.stops.windows import PastTrip, StopLine
from core import db

# Parts of a statement, each a value: with scoring.surroundings they cost none of their own. A rule rests after a trip,
# and its window begins there, for a week at most (stoprule_window_within_a_week) or as long as it says.
RULES: Final = """
(SELECT COALESCE(jsonb_agg(jsonb_build_object('id', s.id, 'scope', s.scope, 'campaign_id', s.campaign_id,
    'metric', s.metric, 'comparison', s.comparison, 'threshold', s.threshold, 'window_minutes', s.window_minutes,
    'data_min', s.data_min, 'weeks_min', s.weeks_min, 'action', s.action, 'throttle_per_hour', s.throttle_per_hour,
    'cooldown_minutes', s.cooldown_minutes, 'resume_minutes', s.resume_minutes) ORDER BY s.id), '[]')
FROM antifraud_stoprule s WHERE s.is_active)
"""
TRIPS: Final = """
(SELECT COALESCE(jsonb_agg(jsonb_build_object('id', t.id, 'stop_rule_id', t.stop_rule_id, 'scope', t.scope,
    'subject', COALESCE(t.campaign_id::text, t.subject), 'action', t.action, 'throttle_per_hour', t.throttle_per_hour,
    'resumed_at', t.resumed_at, 'counted', t.baseline -> 'counted') ORDER BY t.resumed_at, t.id), '[]')
FROM antifraud_trip t JOIN antifraud_stoprule s ON s.id = t.stop_rule_id
WHERE t.resumed_at IS NULL
    OR t.resumed_at >= %(at)s::timestamptz - make_interval(mins => GREATEST(10080, s.cooldown_minutes)))
"""
# A part of a statement over members `m`: of each kind that somebody told, whether nobody was known by it before them.
FRESH: Final = """
(SELECT jsonb_object_agg(told.kind, told.is_fresh) FROM (
    SELECT i.kind, bool_or(NOT EXISTS (
        SELECT FROM members_identity o WHERE o.kind = i.kind AND o.lookup = i.lookup
            AND (o.added_at, o.member_id) < (i.added_at, i.member_id))) AS is_fresh
    FROM members_identity i WHERE i.member_id = m.id AND i.kind IN ('device', 'ip') GROUP BY i.kind) told)
"""


def read(*, at: datetime) -> tuple[tuple[StopLine, ...], tuple[PastTrip, ...]]:
    """Return the stop rules in use and the trips that matter to them, in one statement."""
    row = db.fetch(f"SELECT {RULES} AS rules, {TRIPS} AS trips", {"at": at})[0]
    return rules_of(row.rules), trips_of(row.trips)


def rules_of(rows: Iterable[Mapping[str, Any]]) -> tuple[StopLine, ...]:
    """Return stop rules from RULES."""
    return tuple(StopLine(**row) for row in rows)


def trips_of(rows: Iterable[Mapping[str, Any]]) -> tuple[PastTrip, ...]:
    """Return trips from TRIPS, in the order in which they were closed; those that are open come last."""
    return tuple(
        PastTrip(
            id=row["id"],
            stop_rule_id=row["stop_rule_id"],
            subject=Subject(row["scope"], row["subject"]),
            action=row["action"],
            throttle_per_hour=row["throttle_per_hour"],
            resumed_at=datetime.fromisoformat(row["resumed_at"]) if row["resumed_at"] else None,
            counted=Tally(**(row["counted"] or {})),
        )
        for row in rows
    )

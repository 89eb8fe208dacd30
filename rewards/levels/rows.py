"""Standings as they are stored: read together with what their members have come to, and written, a batch at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from core.db import execute, fetch, in_transaction
from rewards.levels import measures
from rewards.levels.ladder import Standing
from rewards.levels.setting import Setting

COLUMNS = tuple(field.name for field in fields(Standing))


@dataclass(frozen=True, slots=True)
class Seen:
    """A member, where they stand, and what they have come to."""

    member_id: int
    standing: Standing | None
    measured: int


@dataclass(frozen=True, slots=True)
class Changed:
    """A member's standing before and after."""

    member_id: int
    before: Standing | None
    after: Standing | None
    measured: int


def read(*, member_ids: Collection[int], setting: Setting, at: datetime) -> list[Seen]:
    """Return those of the members who stand on a level, or have enough for the first. One statement."""
    lowest = min((step.threshold for step in setting.ladder.steps), default=0)
    return _read(sorted(set(member_ids)), lowest, setting, at)


def read_one(*, member_id: int, setting: Setting, at: datetime) -> Seen:
    """Return a member, wherever they stand."""
    return _read([member_id], 0, setting, at)[0]


@in_transaction
def write(*, changed: Sequence[Changed]) -> None:
    """Write the standings as they are now, in one statement. The caller holds the tenant's lock."""
    if not changed:
        return
    kept = [each for each in changed if each.after is not None]
    columns = {name: [getattr(each.after, name) for each in kept] for name in COLUMNS}
    gone = [each.member_id for each in changed if each.after is None]
    execute(WRITE, {**columns, "member_id": [each.member_id for each in kept], "gone": gone})


def _read(member_ids: Sequence[int], lowest: int, setting: Setting, at: datetime) -> list[Seen]:
    sql = f"""
        SELECT m.id AS member_id, v.value, s.level_id, s.since, s.measured, s.is_manual, s.manual_until, s.falls_at,
            s.warned_at
        FROM unnest(%(ids)s::bigint[]) AS m (id)
        CROSS JOIN LATERAL ({measures.sql_of(setting)}) v
        LEFT JOIN rewards_standing s ON s.member_id = m.id
        WHERE s.member_id IS NOT NULL OR v.value >= %(lowest)s
        ORDER BY m.id
    """  # noqa: S608 (constants only)
    asked = {"ids": member_ids, "lowest": lowest, **measures.params(setting=setting, at=at)}
    return [Seen(row.member_id, _standing(row), row.value) for row in fetch(sql, asked)]


def _standing(row: Any) -> Standing | None:
    return None if row.level_id is None else Standing(**{name: getattr(row, name) for name in COLUMNS})


WRITE = """
WITH gone AS (
    DELETE FROM rewards_standing WHERE member_id = ANY(%(gone)s::bigint[])
)
INSERT INTO rewards_standing
    (member_id, level_id, since, measured, is_manual, manual_until, falls_at, warned_at)
SELECT * FROM unnest(%(member_id)s::bigint[], %(level_id)s::bigint[], %(since)s::timestamptz[], %(measured)s::bigint[],
    %(is_manual)s::boolean[], %(manual_until)s::timestamptz[], %(falls_at)s::timestamptz[],
    %(warned_at)s::timestamptz[])
ON CONFLICT (member_id) DO UPDATE SET level_id = excluded.level_id, since = excluded.since,
    measured = excluded.measured, is_manual = excluded.is_manual, manual_until = excluded.manual_until,
    falls_at = excluded.falls_at, warned_at = excluded.warned_at
"""

"""How many members stand on each level, and how many of them have too little for it."""

from datetime import datetime

from core.db import fetch
from rewards.levels import measures
from rewards.levels.setting import Setting


def count_on_each() -> dict[int, int]:
    """Return how many members stand on each level where there are any."""
    rows = fetch("SELECT level_id, count(*) AS count FROM rewards_standing GROUP BY level_id")
    return {row.level_id: row.count for row in rows}


def count_short(*, level_id: int, setting: Setting, at: datetime) -> int:
    """Return how many members stand on a level for which they have too little."""
    sql = f"""
        SELECT count(*) AS count
        FROM (SELECT member_id AS id FROM rewards_standing WHERE level_id = %(level_id)s) m
        CROSS JOIN LATERAL ({measures.sql_of(setting)}) v
        WHERE v.value < %(threshold)s
    """  # noqa: S608 (constants only)
    asked = {"level_id": level_id, "threshold": setting.ladder.get(level_id).threshold}
    return int(fetch(sql, {**asked, **measures.params(setting=setting, at=at)})[0].count)

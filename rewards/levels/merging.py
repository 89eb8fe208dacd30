"""Two members who are one: the one who stays stands where the higher of them stood, or higher for both together."""

from datetime import datetime
from typing import Final

from core.db import execute, in_transaction
from events.facts import Fact
from rewards.levels import review


@in_transaction
def join(*, into_id: int, away_id: int, at: datetime) -> list[Fact]:
    """Leave the higher of two standings, and raise it if need be; return the facts, which the caller records."""
    whose = {"into_id": into_id, "away_id": away_id}
    execute(LOWER, whose)
    execute(HIGHER, whose)
    return review.rise(member_ids=[into_id], at=at)


LOWER: Final = """
DELETE FROM rewards_standing lower USING rewards_level below, rewards_standing higher, rewards_level above
WHERE lower.member_id IN (%(into_id)s, %(away_id)s) AND higher.member_id IN (%(into_id)s, %(away_id)s)
    AND lower.member_id <> higher.member_id AND below.id = lower.level_id AND above.id = higher.level_id
    AND (above.threshold, higher.member_id = %(into_id)s) > (below.threshold, lower.member_id = %(into_id)s)
"""
HIGHER: Final = "UPDATE rewards_standing SET member_id = %(into_id)s WHERE member_id = %(away_id)s"

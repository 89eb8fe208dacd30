"""
Two members who are one: what happened to the one who went is the other's, and where rows cannot follow, readers do.

An event's member is who we take it to be about, so that it follows. An order and a referral never change: they keep the
number under which they were written, and whoever reads a person's asks for all of the person's numbers (`selves`).
"""

from datetime import datetime
from typing import Any

from core.db import execute, fetch, in_transaction
from events import facts
from events.facts import Fact


def selves(member: str) -> str:
    """
    Return the SQL of an array: a member's own number, and those of whoever was merged into them.

    `member` is SQL for the number of a member who was merged into nobody. It takes one look into an index, and is to be
    compared with `= ANY(…)`. Nobody reports facts of ours from outside: their kinds are none of `events.kinds`.
    """
    return f"""ARRAY(SELECT {member} UNION ALL SELECT (gone.data ->> 'away_id')::bigint FROM events_event gone
        WHERE gone.member_id = {member} AND gone.kind = 'member.merged')"""  # noqa: S608 (a column's name)


def selves_of(member_id: int) -> list[int]:
    """Return a member's own number, and those of whoever was merged into them."""
    rows = fetch(f"SELECT unnest({selves('%(member_id)s::bigint')}) AS id", {"member_id": member_id})
    return [row.id for row in rows]


@in_transaction
def follow(*, into_id: int, away_id: int, at: datetime) -> dict[str, Any]:
    """Give the one who stays all that happened to the other, and tell the fact, from which `selves` reads."""
    whose = {"into_id": into_id, "away_id": away_id}
    execute(FLATTEN, whose)
    count = execute(FOLLOW, whose)
    data = {"into_id": into_id, "away_id": away_id}
    facts.record(facts=[Fact("member.merged", f"member:{away_id}:merged", data, into_id)], at=at)
    return {"events": count}


# Whoever went into them before goes with them: nobody is to be followed twice.
FLATTEN = f"""
UPDATE members_member SET merged_into_id = %(into_id)s
WHERE id = ANY({selves("%(away_id)s::bigint")}) AND id <> %(away_id)s
"""  # noqa: S608 (constants only)
FOLLOW = "UPDATE events_event SET member_id = %(into_id)s WHERE member_id = %(away_id)s"

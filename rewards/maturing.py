"""The clock of the refund window: what has been pending long enough is paid. What is flagged waits for a person."""

from collections.abc import Sequence
from datetime import datetime

from core.db import fetch, transaction
from events import facts
from events.facts import Fact
from members import people
from rewards import releases
from rewards.releases import Moved


def is_due(*, at: datetime) -> bool:
    """Tell whether there is anything to pay. Costs one look at an index, so ask before `release_due`, which locks."""
    return bool(fetch(DUE, {"at": at}))


@transaction
def release_due(*, schema: str, limit: int, at: datetime) -> int:
    """Grant up to `limit` rewards whose time has come, the oldest first, record the facts, and return how many."""
    # What scoring has read of rewards and balances must stay true until it has written.
    people.lock(schema)
    granted = releases.release_matured(limit=limit, at=at)
    facts.record(facts=_facts(granted, at=at), at=at)
    return len(granted)


def _facts(granted: Sequence[Moved], *, at: datetime) -> list[Fact]:
    depths = {row.id: row.depth for row in fetch(DEPTHS, {"ids": [each.event_id for each in granted]})}
    return [
        Fact(
            kind="reward.granted",
            key=f"reward:{each.id}:granted:{at.isoformat()}",
            data={"reward_id": each.id, "campaign_id": each.campaign_id, "points": each.amount},
            member_id=each.member_id,
            cause_id=each.event_id,
            depth=min(depths[each.event_id] + 1, facts.DEPTH_MAX),
        )
        for each in granted
    ]


DUE = "SELECT FROM rewards_reward WHERE status = 'pending' AND matures_at <= %(at)s LIMIT 1"
DEPTHS = "SELECT id, depth FROM events_event WHERE id = ANY(%(ids)s::bigint[])"

"""
The clocks of rewards: what has been pending long enough is given, and a promise that nobody kept in time lapses.

What is flagged waits for a person.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from core.db import fetch, in_transaction, transaction
from events import facts
from events.facts import Fact
from members import people
from rewards import releases
from rewards.levels import review
from rewards.releases import Moved
from tenants import context


def is_due(*, at: datetime) -> bool:
    """Tell whether there is anything to pay. Costs one look at an index, so ask before `release_due`, which locks."""
    return bool(fetch(DUE, {"at": at}))


@transaction
def release_due(*, schema: str, limit: int, at: datetime) -> int:
    """Grant up to `limit` rewards whose time has come, the oldest first, record the facts, and return how many."""
    # What scoring has read of rewards and balances must stay true until it has written.
    people.lock(schema)
    granted = releases.release_matured(limit=limit, at=at)
    told = _facts("granted", granted, at=at)
    risen = review.rise(member_ids={each.member_id for each in granted}, at=at)
    facts.record(facts=[*told, *facts.following(facts=risen, links=facts.links_of(told))], at=at)
    return len(granted)


@transaction
def lapse_due(*, schema: str, limit: int, at: datetime) -> int:
    """Let up to `limit` promises lapse whose time is over, and return how many."""
    people.lock(schema)
    return len(lapse(limit=limit, at=at))


@in_transaction
def lapse(*, limit: int, at: datetime) -> list[Moved]:
    """
    Cancel up to `limit` promises whose time is over, free what they used of limits and budgets, and record the facts.

    The caller holds the tenant's lock.
    """
    lapsed = releases.lapse(limit=limit, at=at)
    if lapsed:
        give_back = import_string(settings.LIMITS_FREED)
        give_back(reward_ids=[each.id for each in lapsed], zone=context.current().time_zone)
    facts.record(facts=_facts("cancelled", lapsed, at=at), at=at)
    return lapsed


def _facts(what: str, moved: Sequence[Moved], *, at: datetime) -> list[Fact]:
    if not moved:
        return []
    told = {row.id: row for row in fetch(TOLD, {"ids": [each.id for each in moved]})}
    return [
        Fact(
            kind=f"reward.{what}",
            key=f"reward:{each.id}:{what}:{at.isoformat()}",
            data={
                "reward_id": each.id,
                "campaign_id": each.campaign_id,
                "points": each.amount if told[each.id].is_points else 0,
                "given": each.amount,
                "kind": each.kind,
                "what": each.what,
                "asset": told[each.id].asset,
            },
            member_id=each.member_id,
            cause_id=each.event_id,
            depth=min(told[each.id].depth + 1, facts.DEPTH_MAX),
        )
        for each in moved
    ]


DUE = "SELECT FROM rewards_reward WHERE status = 'pending' AND awaits = '' AND matures_at <= %(at)s LIMIT 1"
TOLD = """
SELECT r.id, e.depth, asset.code AS asset, coalesce(asset.code = 'points', false) AS is_points
FROM rewards_reward r
JOIN events_event e ON e.id = r.event_id
LEFT JOIN rewards_asset asset ON asset.id = r.asset_id
WHERE r.id = ANY(%(ids)s::bigint[])
"""

"""
Privileges on their way: a right that holds from now for so many days.

Whoever has it already keeps it for longer: the new period begins where the last one ends.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta, tzinfo

from core.db import execute, fetch, in_transaction
from rewards import entitlements as all_entitlements
from rewards.entitlements import Issue
from rewards.models import Entitlement
from tenants import context, periods

Status = Entitlement.Status


@in_transaction
def begin(*, entitlements: Sequence[Entitlement], at: datetime) -> None:
    """Issue them all, each after what its member has of the same right."""
    ends = _ends(entitlements, at=at)
    zone = context.zone()
    issues = []
    for each in entitlements:
        whose = (each.member_id, each.gift_id)
        begins_at = ends[whose]
        ends_at = _end(days=each.gift.terms.get("days"), begins_at=begins_at, zone=zone, at=at)
        issues.append(Issue(id=each.pk, valid_from=begins_at or at, valid_until=ends_at))
        # What holds for ever is not prolonged.
        ends[whose] = ends_at or begins_at
    all_entitlements.mark_issued(issues=issues, at=at)


@in_transaction
def stop(*, entitlements: Sequence[Entitlement], why: str, at: datetime) -> dict[int, str]:
    """End them at once: a right can always be taken back. What was to follow one of them follows earlier."""
    ids = [each.pk for each in entitlements]
    ended = all_entitlements.cancel(ids=ids, was=[Status.WAITING, Status.ISSUED], why=why, at=at)
    _close_up({(each.member_id, each.gift_id) for each in entitlements if each.pk in ended}, at=at)
    return {}


def why_lost(*, entitlement: Entitlement) -> str:
    """Say why it cannot be taken back: there is no reason, ever."""
    return ""


def _close_up(whose: Collection[tuple[int, int]], *, at: datetime) -> None:
    """Let what has not begun begin where what is left before it ends, and hold for as many days as it was to."""
    zone = context.zone()
    params = {"members": [each[0] for each in whose], "gifts": [each[1] for each in whose], "at": at}
    ends: dict[tuple[int, int], datetime | None] = {}
    moved = []
    for row in fetch(FOLLOWING, params) if whose else []:
        key = (row.member_id, row.gift_id)
        if row.valid_from > at:
            days = row.valid_until and (row.valid_until.astimezone(zone) - row.valid_from.astimezone(zone)).days
            begins_at = ends.get(key)
            until = _end(days=days, begins_at=begins_at, zone=zone, at=at)
            moved.append((row.id, begins_at or at, until))
            ends[key] = until
        else:
            ends[key] = row.valid_until
    columns = [list(column) for column in zip(*moved, strict=True)] or [[], [], []]
    execute(MOVE, dict(zip(("ids", "froms", "untils"), columns, strict=True)))


def _ends(entitlements: Sequence[Entitlement], *, at: datetime) -> dict[tuple[int, int], datetime | None]:
    """Return until when each member has each right already."""
    params = {
        "members": [each.member_id for each in entitlements],
        "gifts": [each.gift_id for each in entitlements],
        "at": at,
    }
    found: dict[tuple[int, int], datetime | None] = defaultdict(lambda: None)
    return found | {(row.member_id, row.gift_id): row.ends_at for row in fetch(ENDS, params)}


def _end(*, days: int | None, begins_at: datetime | None, zone: tzinfo, at: datetime) -> datetime | None:
    if begins_at is None or days is None:
        return all_entitlements.last_instant(days=days, zone=zone, at=at)
    # It begins at a midnight, so that this is the first of the days.
    return periods.midnight(begins_at.astimezone(zone).date() + timedelta(days=days), zone=zone)


ENDS = """
SELECT e.member_id, e.gift_id, max(e.valid_until) AS ends_at
FROM rewards_entitlement e
JOIN (SELECT DISTINCT * FROM unnest(%(members)s::bigint[], %(gifts)s::bigint[])) AS asked (member_id, gift_id)
    USING (member_id, gift_id)
WHERE e.status = 'issued' AND e.valid_until > %(at)s
GROUP BY e.member_id, e.gift_id
"""

FOLLOWING = """
SELECT e.id, e.member_id, e.gift_id, e.valid_from, e.valid_until
FROM rewards_entitlement e
JOIN unnest(%(members)s::bigint[], %(gifts)s::bigint[]) AS asked (member_id, gift_id) USING (member_id, gift_id)
WHERE e.status = 'issued' AND (e.valid_until > %(at)s OR e.valid_until IS NULL)
ORDER BY e.valid_from, e.id
"""

MOVE = """
UPDATE rewards_entitlement e SET valid_from = n.valid_from, valid_until = n.valid_until
FROM unnest(%(ids)s::bigint[], %(froms)s::timestamptz[], %(untils)s::timestamptz[]) AS n (id, valid_from, valid_until)
WHERE e.id = n.id AND e.status = 'issued'
"""

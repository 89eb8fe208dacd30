"""Which rights a member has now: those that were given for a time, and those of the level they stand on."""

from datetime import datetime
from typing import NamedTuple

from core.db import fetch
from rewards.levels import standing
from rewards.models import Gift


class Right(NamedTuple):
    """A named right, and the first instant without it: None for as long as the level is kept, or for ever."""

    code: str
    name: str
    until: datetime | None
    is_of_level: bool


def list_rights(*, member_id: int, at: datetime) -> list[Right]:
    """Return what a member may do now, by the names of the rights. A period that follows at once prolongs one."""
    of_level = set(standing.privileges_of(member_id=member_id))
    names = dict(Gift.objects.filter(code__in=of_level).values_list("code", "name"))
    rights = {code: Right(code, name, None, is_of_level=True) for code, name in names.items()}
    for row in fetch(HELD, {"member_id": member_id, "at": at}):
        rights.setdefault(row.code, Right(row.code, row.name, row.until, is_of_level=False))
    return sorted(rights.values(), key=lambda each: (each.name, each.code))


HELD = """
SELECT gift.code, gift.name, CASE WHEN bool_or(e.valid_until IS NULL) THEN NULL ELSE max(e.valid_until) END AS until
FROM rewards_entitlement e JOIN rewards_gift gift ON gift.id = e.gift_id
WHERE e.member_id = %(member_id)s AND e.kind = 'privilege' AND e.status = 'issued'
    AND (e.valid_until > %(at)s OR e.valid_until IS NULL)
GROUP BY gift.code, gift.name HAVING bool_or(e.valid_from <= %(at)s)
"""

"""How a member does as an inviter."""

from typing import NamedTuple

from core.db import fetch
from events.merging import selves


class Counts(NamedTuple):
    """How many people a member brought, and how many of them have earned the member a reward that was not refused."""

    total: int
    qualified: int


def count_referrals(*, inviter_id: int) -> Counts:
    """Return a member's counts, in one statement."""
    row = fetch(COUNT, {"inviter_id": inviter_id})[0]
    return Counts(total=row.total, qualified=row.qualified)


COUNT = f"""
SELECT count(*) AS total, count(qualified_at) AS qualified FROM referrals_referral
WHERE inviter_id = ANY({selves("%(inviter_id)s::bigint")})
"""  # noqa: S608 (constants only)

"""What a member shares: a code of their own, made when it is first asked for."""

from datetime import datetime
from random import Random

from django.utils.translation import gettext_lazy as _

from core.codes import new_code
from core.db import execute, fetch
from core.errors import Conflict

# 10 random characters of 30: two draws meet once in 5.9e14, so that a third try means broken randomness.
TRIES_MAX = 3

FIND = "SELECT text FROM referrals_code WHERE member_id = %(member_id)s"
# A code that is taken and a member who got theirs a moment ago both end here; reading again tells them apart.
INSERT = """
INSERT INTO referrals_code (text, member_id, created_at)
VALUES (%(text)s, %(member_id)s, %(at)s)
ON CONFLICT DO NOTHING
"""


class NoFreeCode(Conflict):
    """Every code that was drawn is somebody's."""

    message = _("No free code was found. Please try again.")


def code_of(*, member_id: int, rng: Random | None = None, at: datetime) -> str:
    """
    Return a member's code, made now if there is none: one statement, or three the first time.

    :raises NoFreeCode: never, with good randomness.
    """
    for _attempt in range(TRIES_MAX):
        found = fetch(FIND, {"member_id": member_id})
        if found:
            return str(found[0].text)
        execute(INSERT, {"text": new_code(rng=rng), "member_id": member_id, "at": at})
    found = fetch(FIND, {"member_id": member_id})
    if not found:
        raise NoFreeCode
    return str(found[0].text)

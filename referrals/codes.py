"""
What a member shares: a code of their own, made when it is first asked for, or one that they chose since.

No code is ever taken away or given to somebody else: each that a member had goes on leading to them.
"""

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from core.codes import can_be_chosen, new_code, normalise_shared
from core.db import current_schema, execute, fetch, in_transaction
from core.errors import Conflict, Invalid
from events.merging import selves
from members import people
from tenants import audit, context

# 10 random characters of 30: two draws meet once in 5.9e14, so that a third try means broken randomness.
TRIES_MAX = 3
CHOSEN_MAX: Final = 5

# What a stranger would take for ours or for the tenant's own word. The tenant's name is kept beside these.
RESERVED: Final = frozenset(
    {
        *("ADMIN", "ADMINISTRATOR", "API", "BONUS", "CODE", "CODES", "FREE", "GIFT", "HELP", "INVITE", "LOGIN"),
        *("MODERATOR", "OFFICIAL", "PROMO", "REFERRAL", "ROOT", "SARAFAN", "STAFF", "SUPPORT", "SYSTEM", "TEST"),
        # What programs write where there is none.
        *("FALSE", "NONE", "NULL", "TRUE", "UNDEFINED"),
    }
)


class NoFreeCode(Conflict):
    """Every code that was drawn is somebody's."""

    message = _("No free code was found. Please try again.")


class InvalidCode(Invalid):
    """Not a code that anybody may choose."""

    message = _("A code has 4 to 16 Latin letters and digits, and must not look like one that was drawn.")


class ReservedCode(Invalid):
    """A word that seems to come from us or from the tenant."""

    message = _("This word is nobody's to choose.")


class CodeTaken(Conflict):
    """It is somebody else's, or looks just like one that is."""

    message = _("Somebody has this code, or one that cannot be told from it.")


class ChosenBefore(Conflict):
    """It is the member's own, and they have chosen another one since."""

    message = _("This member chose this code before, and another one since. It works, but is not shared again.")


class TooManyCodes(Conflict):
    """The member has chosen as many as anybody may."""

    message = _("This member has chosen 5 codes. Nobody has more.")


class Owned(NamedTuple):
    """One code of a member."""

    text: str
    is_chosen: bool
    created_at: datetime


def code_of(*, member_id: int, rng: Random | None = None, at: datetime) -> str:
    """
    Return the code that a member shares, made now if there is none: one statement, or three the first time.

    :raises NoFreeCode: never, with good randomness.
    """
    for _attempt in range(TRIES_MAX):
        found = fetch(FIND, {"member_id": member_id})
        if found:
            return str(found[0].text)
        execute(INSERT, {"text": new_code(rng=rng), "member_id": member_id, "is_chosen": False, "at": at})
    found = fetch(FIND, {"member_id": member_id})
    if not found:
        raise NoFreeCode
    return str(found[0].text)


def list_of(*, member_id: int) -> list[Owned]:
    """Return all codes of a member: first the one that they share, then the others that they chose, then the random."""
    return [Owned(*row) for row in fetch(OWNED, {"member_id": member_id})]


@in_transaction
def choose(*, member_id: int, text: str, key: str, at: datetime) -> str:
    """
    Let a member share a code of their choice from now on, and return it as it is written. `key` names who asks.

    The one that they share already is left as it is.

    :raises InvalidCode: | ReservedCode | CodeTaken | ChosenBefore | TooManyCodes
    """
    code = _require_choosable(text)
    # Whether a code looks like another is no constraint of the database: choosing waits in line.
    people.lock(current_schema())
    own = list_of(member_id=member_id)
    if own and own[0].text == code:
        return code
    _require_free(code, own, member_id)
    if not execute(INSERT, {"text": code, "member_id": member_id, "is_chosen": True, "at": at}):
        raise CodeTaken
    target = f"member:{member_id}"
    audit.record(actor_kind="key", actor=key, action="code.chosen", target=target, changes={"code": code}, at=at)
    return code


def _require_choosable(text: str) -> str:
    code = normalise_shared(text)
    if not can_be_chosen(code):
        raise InvalidCode(pointer="/code")
    # Of a slug such as acme-shop the dashes are nothing.
    words = {*RESERVED, normalise_shared(context.current().slug)}
    # Nor is SUPP0RT anybody's.
    if code.translate(LOOKS) in {each.translate(LOOKS) for each in words}:
        raise ReservedCode(pointer="/code")
    return code


def _require_free(code: str, own: Sequence[Owned], member_id: int) -> None:
    if any(each.text == code for each in own):
        raise ChosenBefore
    if sum(each.is_chosen for each in own) >= CHOSEN_MAX:
        raise TooManyCodes
    if fetch(ALIKE, {"text": code, "looks": code.translate(LOOKS), "member_id": member_id}):
        raise CodeTaken


# Of these nobody can tell in every font which one is meant. Random codes have none of them.
LOOKS: Final = str.maketrans("OIL", "011")

# Codes of whoever was merged into a member are theirs as well.
OWNED = f"""
SELECT text, is_chosen, created_at FROM referrals_code WHERE member_id = ANY({selves("%(member_id)s::bigint")})
ORDER BY is_chosen DESC, member_id = %(member_id)s DESC, id DESC
"""  # noqa: S608 (constants only)
FIND = f"{OWNED} LIMIT 1"

# A code that is taken and a member who got theirs a moment ago both end here; reading again tells them apart.
INSERT = """
INSERT INTO referrals_code (text, member_id, is_chosen, created_at)
VALUES (%(text)s, %(member_id)s, %(is_chosen)s, %(at)s)
ON CONFLICT DO NOTHING
"""

ALIKE = """
SELECT FROM referrals_code WHERE text = %(text)s
UNION ALL
SELECT FROM referrals_code
WHERE is_chosen AND member_id <> %(member_id)s AND %(text)s ~ '[01OIL]' AND translate(text, 'OIL', '011') = %(looks)s
LIMIT 1
"""

"""
The lists: who is blocked, exempt or our own staff, and which addresses are those of data centres.

A line is put and taken out by name, and told in the audit log, personal values masked. Lists of ranges and domains
have a version, by which a process knows that the ones it remembers are old (`antifraud.lists.ranges`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from antifraud.lists.lines import RANGED, Line
from antifraud.models import Listing
from core.db import current_schema, execute, fetch, in_transaction
from core.errors import Invalid, NotFound
from members import identities
from tenants import audit

List, Kind, Answer = Listing.List, Listing.Kind, Listing.Answer

NOTE_LENGTH_MAX = 300


class UnknownAnswer(Invalid):
    """A stop list says what becomes of a reward, other lists do not."""

    message = _("A line of a stop list says what then: wait for a moderator, or give nothing.")


class ExemptionWithoutEnd(Invalid):
    """An exemption that nobody remembers is a hole."""

    message = _("Say until when: an exemption has an end.")


class AlreadyOver(Invalid):
    """It would never count."""

    message = _("This time is over.")


class NotARange(Invalid):
    """A data centre is known by its addresses alone."""

    message = _("The list of data centres holds IP ranges only.")


class NobodyListed(NotFound):
    """There is no member of that number."""

    message = _("There is no member of that number.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A line to be put: into which list, what then (stop lists alone say it), until when, and a note."""

    list: str
    line: Line
    answer: str = ""
    until: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Put:
    """How many lines are new, and how many were there and say now what was asked for."""

    added: int
    known: int


def require_sound(wish: Wish, *, at: datetime) -> None:
    """
    See to it that a line may stand in its list.

    :raises UnknownAnswer: | ExemptionWithoutEnd | AlreadyOver | NotARange
    """
    if wish.answer not in (Answer.values if wish.list == List.BLOCK else [""]):
        raise UnknownAnswer(pointer="/answer")
    if wish.list == List.EXEMPT and wish.until is None:
        raise ExemptionWithoutEnd(pointer="/until")
    if wish.until is not None and wish.until <= at:
        raise AlreadyOver(pointer="/until")
    if wish.list == List.DATACENTER and wish.line.kind != Kind.IP_RANGE:
        raise NotARange(pointer="/kind")


@in_transaction
def put(*, wishes: Sequence[Wish], by: str, at: datetime) -> Put:
    """
    Put lines into lists, in one statement. One that is there already says from now on what this one does.

    :raises NobodyListed: if a member is named who does not exist.
    :raises UnknownAnswer: | ExemptionWithoutEnd | AlreadyOver | NotARange
    """
    for wish in wishes:
        require_sound(wish, at=at)
    if missing_members(wish.line for wish in wishes):
        raise NobodyListed(pointer="/value")
    different = {(each.list, each.line.kind, each.line.lookup): each for each in wishes}
    if not different:
        return Put(0, 0)
    rows = fetch(PUT, _columns([different[key] for key in sorted(different)], by=by, at=at))
    _renew(wish.line.kind for wish in wishes)
    added = sum(row.is_new for row in rows)
    _tell("listing.added", rows, {"added": added, "known": len(rows) - added}, by=by, at=at)
    return Put(added, len(rows) - added)


@in_transaction
def remove(*, listing_ids: Collection[int], by: str, at: datetime) -> int:
    """Take lines out of their lists, and return how many there were."""
    rows = fetch(REMOVE, {"ids": sorted(listing_ids)})
    if rows:
        _renew(row.kind for row in rows)
        _tell("listing.removed", rows, {"removed": len(rows)}, by=by, at=at)
    return len(rows)


@in_transaction
def forget(*, member_id: int) -> None:
    """
    Keep of an erased member's identities what stops them, and nothing that can be read back.

    Whoever is blocked does not get rid of that by being erased: who comes with what was theirs waits for a moderator.
    """
    execute(REMEMBER, {"member_id": member_id})
    execute(FORGET, {"member_id": member_id})


def missing_members(lines: Iterable[Line]) -> set[str]:
    """Return which of the members that lines name do not exist."""
    named = {line.lookup for line in lines if line.kind == Kind.MEMBER}
    rows = fetch(MEMBERS, {"ids": sorted(map(int, named))}) if named else []
    return named - {str(row.id) for row in rows}


def masked(row: Any) -> str:
    """Return what a stored line is about, as staff may see it: personal values masked."""
    return identities.masked(schema=current_schema(), kind=row.kind, value=row.value)


def plain(row: Any) -> str:
    """Return what a stored line is about, as it was put there: for whoever keeps the list elsewhere too."""
    return identities.opened(schema=current_schema(), kind=row.kind, value=row.value)


def _columns(wishes: Sequence[Wish], *, by: str, at: datetime) -> dict[str, Any]:
    return {
        "lists": [str(each.list) for each in wishes],
        "kinds": [str(each.line.kind) for each in wishes],
        "lookups": [each.line.lookup for each in wishes],
        "values": [each.line.value for each in wishes],
        "answers": [str(each.answer) for each in wishes],
        "untils": [each.until for each in wishes],
        "notes": [each.note[:NOTE_LENGTH_MAX] for each in wishes],
        "by": by,
        "at": at,
    }


def _renew(kinds: Iterable[str]) -> None:
    if not RANGED.isdisjoint(kinds):
        execute("UPDATE antifraud_fraudpolicy SET lists_version = lists_version + 1 WHERE singleton")


def _tell(action: str, rows: Sequence[Any], counts: dict[str, Any], *, by: str, at: datetime) -> None:
    first = rows[0]
    if len(rows) == 1:
        target, changes = f"listing:{first.id} {first.list} {first.kind} {masked(first)}", {**_said(first)}
    else:
        target, changes = f"listings of {', '.join(sorted({row.list for row in rows}))}", counts
    audit.record(actor_kind="staff", actor=by, action=action, target=target, changes=changes, at=at)


def _said(row: Any) -> dict[str, str]:
    until = row.until.isoformat() if row.until else ""
    return {name: text for name, text in (("then", row.answer), ("until", until), ("note", row.note)) if text}


MEMBERS = "SELECT id FROM members_member WHERE id = ANY(%(ids)s::bigint[])"

# A row that an UPDATE has made has the number of its transaction in xmax as well.
PUT = """
INSERT INTO antifraud_listing AS l (list, kind, lookup, value, answer, until, note, added_by, added_at)
SELECT list, kind, lookup, value, answer, until, note, %(by)s, %(at)s
FROM unnest(%(lists)s::text[], %(kinds)s::text[], %(lookups)s::text[], %(values)s::text[], %(answers)s::text[],
    %(untils)s::timestamptz[], %(notes)s::text[]) WITH ORDINALITY
    AS n (list, kind, lookup, value, answer, until, note, nth)
ORDER BY nth
ON CONFLICT (list, kind, lookup) DO UPDATE
SET value = EXCLUDED.value, answer = EXCLUDED.answer, until = EXCLUDED.until, note = EXCLUDED.note,
    added_by = EXCLUDED.added_by, added_at = EXCLUDED.added_at
RETURNING l.id, l.list, l.kind, l.value, l.answer, l.until, l.note, xmax = 0 AS is_new
"""

REMOVE = """
DELETE FROM antifraud_listing WHERE id = ANY(%(ids)s::bigint[])
RETURNING id, list, kind, value, answer, until, note
"""

# Keyed indexes alone. A line that is there already says more than this one would.
REMEMBER = """
INSERT INTO antifraud_listing (list, kind, lookup, value, answer, note, added_by, added_at)
SELECT 'block', i.kind, i.lookup, '', 'flag', '', '', (
    SELECT COALESCE(max(e.occurred_at), m.first_seen_at) FROM events_event e
    WHERE e.member_id = m.id AND e.kind = 'member.banned' AND e.source = 'sarafan')
FROM members_member m JOIN members_identity i ON i.member_id = m.id
WHERE m.id = %(member_id)s AND m.status = 'blocked'
    AND (i.kind IN ('email', 'phone') AND i.resolves OR i.kind IN ('card', 'device'))
ON CONFLICT (list, kind, lookup) DO NOTHING
"""

FORGET = """
UPDATE antifraud_listing l SET value = ''
FROM members_identity i
WHERE i.member_id = %(member_id)s AND i.kind IN ('email', 'phone', 'card', 'device')
    AND l.kind = i.kind AND l.lookup = i.lookup AND l.value <> ''
"""

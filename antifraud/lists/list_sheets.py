"""
Lists as people keep them elsewhere: CSV with the columns value, kind, then, until and note.

All but `value` may be left out, and come then from what was chosen for the whole file. What is wrong is said of each
row by its number in the file; the others are good.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from antifraud.lists import lines, listings
from antifraud.lists.lines import InvalidLine
from antifraud.lists.listings import Wish
from antifraud.models import Listing
from core.errors import Failure, Invalid
from rewards import sheets
from tenants import periods

ROWS_MAX: Final = 50_000
SIZE_BYTES_MAX: Final = 10 * 1024 * 1024
# Without a first row that names them, a file has these columns.
COLUMNS: Final = ("value", "note")
NAMED: Final = frozenset({"value", "kind", "then", "until", "note"})
HEADER: Final = ("list", "kind", "value", "then", "until", "note", "added_by", "added_at")
# What our own sheets put before a text that a spreadsheet would take for a formula.
APOSTROPHE: Final = "'"


class SheetUnreadable(Invalid):
    """Not a list at all."""

    message = _("This is not a CSV file in UTF-8 with a line in it.")


class SheetTooLarge(Invalid):
    """More rows or bytes than one upload may have."""

    message = _("A file may have 50,000 rows and ten mebibytes. Send it in parts.")


class Wrong(NamedTuple):
    """A row that is left out, by its number in the file, and why."""

    row: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for the rows that do not say it, and what they are read by."""

    list: str
    kind: str
    answer: str = ""
    until: datetime | None = None
    note: str = ""
    zone: tzinfo
    schema: str
    region: str | None


@dataclass(slots=True)
class Sheet:
    """What a file has: good lines, each once; wrong rows in their order; and how many said the same as one before."""

    wishes: list[Wish] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    repeated: int = 0


def read(content: bytes, *, terms: Terms, at: datetime) -> Sheet:
    """
    Return the rows of a file.

    :raises SheetUnreadable: when it is not UTF-8, not CSV, or empty.
    :raises SheetTooLarge: above SIZE_BYTES_MAX or ROWS_MAX.
    """
    rows = _rows(content)
    columns, first = _columns(rows[0])
    sheet, numbers = Sheet(), dict[tuple[str, str], int]()
    for number, cells in enumerate(rows[first:], start=first + 1):
        told = {name: cells[place].removeprefix(APOSTROPHE) for name, place in columns.items() if place < len(cells)}
        if any(told.values()):
            _take(sheet, numbers, number, told, terms=terms, at=at)
    _leave_out_strangers(sheet, numbers)
    return sheet


def rows_of(rows: Iterable[Listing]) -> Iterator[Sequence[object]]:
    """Yield the rows of lists for a spreadsheet, below HEADER. Personal values are opened: whoever asks is noted."""
    for row in rows:
        until = row.until.isoformat() if row.until else ""
        said = (row.answer, until, row.note, row.added_by, row.added_at.isoformat())
        yield (row.list, row.kind, listings.plain(row), *said)


def end_of(text: str, *, zone: tzinfo) -> datetime | None:
    """
    Return until when something counts: through a day of the tenant's (2026-12-31), or to an instant.

    :raises InvalidLine:
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidLine(_("The date is not one: write 2026-12-31.")) from error
    if len(text) == len("2026-12-31"):
        return periods.midnight(found.date() + timedelta(days=1), zone=zone)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _rows(content: bytes) -> list[list[str]]:
    if len(content) > SIZE_BYTES_MAX:
        raise SheetTooLarge
    try:
        rows = sheets.read(text=content.decode())
    except (UnicodeDecodeError, csv.Error) as error:
        raise SheetUnreadable from error
    if not any(any(cells) for cells in rows):
        raise SheetUnreadable
    if len(rows) > ROWS_MAX + 1:
        raise SheetTooLarge
    return rows


def _columns(head: Sequence[str]) -> tuple[Mapping[str, int], int]:
    """Return where each column is, and the index of the first row behind the head."""
    named = {name: place for place, cell in enumerate(head) if (name := cell.lower()) in NAMED}
    return (named, 1) if "value" in named else ({name: place for place, name in enumerate(COLUMNS)}, 0)


def _take(
    sheet: Sheet,
    numbers: dict[tuple[str, str], int],
    number: int,
    told: Mapping[str, str],
    *,
    terms: Terms,
    at: datetime,
) -> None:
    try:
        wish = _wish(told, terms)
        listings.require_sound(wish, at=at)
    except Failure as failure:
        sheet.wrong.append(Wrong(number, str(failure)))
        return
    key = (wish.line.kind, wish.line.lookup)
    if key in numbers:
        sheet.repeated += 1
        return
    numbers[key] = number
    sheet.wishes.append(wish)


def _wish(told: Mapping[str, str], terms: Terms) -> Wish:
    line = lines.line_of(
        kind=told.get("kind") or terms.kind, text=told.get("value", ""), schema=terms.schema, region=terms.region
    )
    wish = Wish(list=terms.list, line=line, answer=terms.answer, until=terms.until, note=terms.note)
    return replace(
        wish,
        answer=told.get("then") or wish.answer,
        until=end_of(told.get("until", ""), zone=terms.zone) or wish.until,
        note=told.get("note") or wish.note,
    )


def _leave_out_strangers(sheet: Sheet, numbers: Mapping[tuple[str, str], int]) -> None:
    missing = listings.missing_members(wish.line for wish in sheet.wishes)
    strangers = [
        each for each in sheet.wishes if each.line.kind == listings.Kind.MEMBER and each.line.lookup in missing
    ]
    if not strangers:
        return
    why = str(listings.NobodyListed.message)
    left_out = [Wrong(numbers[each.line.kind, each.line.lookup], why) for each in strangers]
    sheet.wrong = sorted([*sheet.wrong, *left_out])
    sheet.wishes = [each for each in sheet.wishes if each not in set(strangers)]

"""
A list of codes as people send it: CSV with the columns code, value and expires, of which the last two may be left out.

What is wrong is said of each row by its number in the file; the others are good.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from core.errors import Invalid, type_of_text
from core.errors import translated as _
from core.money import TooFine, to_minor
from tenants import periods

ROWS_MAX: Final = 100_000
SIZE_BYTES_MAX: Final = 10 * 1024 * 1024
CODE_LENGTH_MAX: Final = 100
DELIMITERS: Final = (",", ";", "\t")
HEADERS: Final[Mapping[str, str]] = {
    "code": "code",
    "код": "code",
    "代码": "code",
    "value": "value",
    "denomination": "value",
    "номинал": "value",
    "面值": "value",
    "expires": "expires",
    "valid until": "expires",
    "действует до": "expires",
    "срок": "expires",
    "有效期": "expires",
}
COLUMNS: Final = ("code", "value", "expires")

UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
# A spreadsheet would run it when somebody opens an export; none is a code that a shop prints.
FORMULA = re.compile(r"[=+@\-\t]")
# A spreadsheet has made a number of it, and the last digits are gone.
SHORTENED = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+")

SENTENCES: Final[Mapping[str, type_of_text]] = {
    "empty": _("There is no code."),
    "too_long": _("The code is longer than 100 characters."),
    "unreadable": _("The code has characters that cannot be seen."),
    "formula": _("The code looks like a formula of a spreadsheet."),
    "shortened": _("A spreadsheet has shortened this number: save the column as text."),
    "value": _("The value is not an amount of money."),
    "no_value": _("There is no value."),
    "not_offered": _("The brand does not offer this value."),
    "date": _("The date is not one: write 2026-12-31."),
    "expired": _("The code has expired."),
    "twice": _("The code stands in the file twice."),
    "known": _("The code is in the stock already."),
    "taken": _("The code is another gift's, or was given before."),
}


class SheetUnreadable(Invalid):
    """Not a list of codes at all."""

    message = _("This is not a CSV file in UTF-8.")


class SheetTooLarge(Invalid):
    """More rows or bytes than one upload may have."""

    message = _("A file may have 100,000 rows and ten mebibytes. Send it in parts.")


class Line(NamedTuple):
    """A good row: its number in the file, and what is to be put into the stock."""

    row: int
    code: str
    value_minor: int
    expires_at: datetime | None


class Wrong(NamedTuple):
    """A row that is left out, and why: a key of SENTENCES."""

    row: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the rows are held to: values as in the brand's denominations, unless there are none."""

    currency: str
    zone: ZoneInfo
    has_value: bool
    offered: frozenset[int] = frozenset()
    value_minor: int | None = None
    expires_on: date | None = None
    lookup: Callable[[str], str] = str.strip


@dataclass(slots=True)
class Sheet:
    """What a file has: good rows and wrong ones, each in their order."""

    lines: list[Line] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)


def read(content: bytes, *, terms: Terms, at: datetime) -> Sheet:
    """
    Return the rows of a file.

    :raises SheetUnreadable: when it is not UTF-8, or not CSV.
    :raises SheetTooLarge: above SIZE_BYTES_MAX or ROWS_MAX.
    """
    if len(content) > SIZE_BYTES_MAX:
        raise SheetTooLarge
    rows = _rows(_text(content))
    columns, first = _columns(rows[0] if rows else [])
    sheet, seen = Sheet(), set[str]()
    for number, cells in enumerate(rows[first:], start=first + 1):
        if any(cell.strip() for cell in cells):
            _take(sheet, seen, number, _cells(cells, columns), terms=terms, at=at)
    if not sheet.lines and not sheet.wrong:
        raise SheetUnreadable(_("There is no row in this file."))
    return sheet


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetUnreadable from error


def _rows(text: str) -> list[list[str]]:
    head = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise SheetUnreadable from error
    if len(rows) > ROWS_MAX + 1:
        raise SheetTooLarge
    return rows


def _columns(head: Sequence[str]) -> tuple[dict[str, int], int]:
    """Return where each column is, and the index of the first row of codes."""
    named = {HEADERS[cell.strip().lower()]: place for place, cell in enumerate(head) if cell.strip().lower() in HEADERS}
    if "code" in named:
        return named, 1
    return {name: place for place, name in enumerate(COLUMNS)}, 0


def _cells(cells: Sequence[str], columns: Mapping[str, int]) -> dict[str, str]:
    return {name: cells[place].strip() if place < len(cells) else "" for name, place in columns.items()}


def _take(sheet: Sheet, seen: set[str], number: int, cells: Mapping[str, str], *, terms: Terms, at: datetime) -> None:
    code = cells["code"]
    value_minor, wrong_value = _value(cells.get("value", ""), terms)
    expires_at, wrong_date = _expiry(cells.get("expires", ""), terms, at)
    why = _wrong_code(code) or wrong_value or wrong_date
    lookup = terms.lookup(code)
    if not why and lookup in seen:
        why = "twice"
    if why:
        sheet.wrong.append(Wrong(number, why))
        return
    seen.add(lookup)
    sheet.lines.append(Line(number, code, value_minor, expires_at))


def _wrong_code(code: str) -> str:
    if not code:
        return "empty"
    if len(code) > CODE_LENGTH_MAX:
        return "too_long"
    if UNREADABLE.search(code):
        return "unreadable"
    if FORMULA.match(code):
        return "formula"
    return "shortened" if SHORTENED.fullmatch(code) else ""


def _value(text: str, terms: Terms) -> tuple[int, str]:
    if not terms.has_value:
        return 0, ""
    if not text:
        return (0, "no_value") if terms.value_minor is None else (terms.value_minor, "")
    found = _amount(text, terms.currency)
    if found is None:
        return 0, "value"
    return (found, "not_offered") if terms.offered and found not in terms.offered else (found, "")


# Thousands of rows have the same few values and dates.
@lru_cache(maxsize=1024)
def _amount(text: str, currency: str) -> int | None:
    plain = re.sub(r"[\s\u00a0\u202f]", "", text).replace(",", ".")
    try:
        found = to_minor(Decimal(plain), currency)
    except (InvalidOperation, TooFine, ValueError, OverflowError):
        return None
    return found if 0 < found < 10**12 else None


def _expiry(text: str, terms: Terms, at: datetime) -> tuple[datetime | None, str]:
    day = terms.expires_on if not text else _day(text)
    if day is None:
        return None, "date" if text else ""
    ends = _end_of(day, terms.zone)
    return ends, "" if ends > at else "expired"


@lru_cache(maxsize=1024)
def _day(text: str) -> date | None:
    for shape in ("%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%m/%d/%Y"):
        try:
            return datetime.strptime(text, shape).date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            continue
    return None


@lru_cache(maxsize=1024)
def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return periods.midnight(day + timedelta(days=1), zone=zone)

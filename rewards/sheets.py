"""Tables as CSV, for people who open them in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from django.http import HttpResponse

# What a spreadsheet takes for the beginning of a formula.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
# Without it Excel takes UTF-8 for something else.
BYTE_ORDER_MARK: Final = "\ufeff"


def sheet(*, header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as CSV. No text in it is a formula to a spreadsheet; numbers stay numbers."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([cell(each) for each in header])
    writer.writerows([cell(each) for each in row] for row in rows)
    return BYTE_ORDER_MARK + text.getvalue()


def cell(value: object) -> object:
    """Return what stands in a cell: a text that looks like a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, int | float) or not (text := str(value)).startswith(FORMULA):
        return value
    return f"'{text}"


def read(*, text: str) -> list[list[str]]:
    """Return the rows of a table, with commas or with semicolons, each with its cells trimmed. Empty rows are kept."""
    plain = text.removeprefix(BYTE_ORDER_MARK)
    first = plain.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    rows = csv.reader(io.StringIO(plain, newline=""), delimiter=delimiter)
    return [[each.strip() for each in row] for row in rows]


def download(*, text: str, name: str) -> HttpResponse:
    """Return the answer that makes a browser save a table."""
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer

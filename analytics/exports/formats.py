"""How rows of an export are written: one JSON object a line, or CSV whose cells are no formulas."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from analytics.exports.tables import Column
from core.db import json_text
from members import identities
from rewards import sheets

type_of_chunks = Iterator[list[tuple[Any, ...]]]

CONTENT_TYPES: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8; header=present"}
# Of the column in which what members are known by is sealed.
SEALED: Final = "identities"


def write(*, kind: str, columns: Sequence[Column], chunks: type_of_chunks, schema_name: str) -> Iterator[bytes]:
    """Yield the text of rows in a format (`CONTENT_TYPES`), a part for each chunk. A CSV begins with its header."""
    readers = [_reader(column, schema_name) for column in columns]
    if kind == "csv":
        yield _csv([[column.name for column in columns]])
    for chunk in chunks:
        rows = [[read(value) for read, value in zip(readers, row, strict=True)] for row in chunk]
        yield _csv(rows) if kind == "csv" else _lines([column.name for column in columns], rows)


def _reader(column: Column, schema_name: str) -> Callable[[Any], Any]:
    if column.name == SEALED:
        return lambda value: _opened(json.loads(value or "[]"), schema_name)
    if column.is_json:
        return lambda value: None if value is None else json.loads(value)
    return _plain


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _opened(known: list[dict[str, str]], schema_name: str) -> list[dict[str, str]]:
    return [
        {"kind": each["kind"], "value": identities.opened(schema=schema_name, kind=each["kind"], value=each["value"])}
        for each in known
    ]


def _lines(names: list[str], rows: list[list[Any]]) -> bytes:
    return "".join(f"{json_text(dict(zip(names, row, strict=True)))}\n" for row in rows).encode()


def _csv(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return sheets.cell(json_text(value) if isinstance(value, list | dict) else value)

"""
Pages of an export, cut by the rows' ids, as far as no row can be missing (`horizon`).

Where a page ends is asked first, so that what follows it can be told before the first row is sent. The rows then come
through a cursor of the server's, a few at a time: a page of ten thousand takes no more memory than one of ten.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from analytics.exports import horizon
from analytics.exports.tables import Column, Export
from core.db import fetch, stream
from core.errors import Invalid
from tenants import context

ROWS_MAX: Final = 10_000
CHUNK: Final = 500


class Asked(NamedTuple):
    """Which rows: those of this window after this id, at most so many. None is open."""

    since: datetime | None = None
    until: datetime | None = None
    after_id: int = 0
    limit: int = ROWS_MAX

    def params(self, **others: Any) -> dict[str, Any]:
        """Return what the statements ask for."""
        window = {"since": self.since or "-infinity", "until": self.until or "infinity"}
        return {**window, "after": self.after_id, "limit": self.limit, **others}


class Page(NamedTuple):
    """The rows after one id and up to another. `is_last` when nothing follows."""

    asked: Asked
    last_id: int
    is_last: bool


def cut(*, export: Export, asked: Asked) -> Page:
    """
    Return where a page ends, whatever its size in as many statements.

    :raises Invalid: when a window is asked for, and nobody notes when these rows happen.
    :raises horizon.StillWriting: when it cannot be told within seconds which rows there will be.
    """
    if not export.at and (asked.since or asked.until):
        raise Invalid(
            _("This table does not say when: ask without since and until."),
            parameter="since" if asked.since else "until",
        )
    horizon_id = horizon.find(table=export.table)
    (row,) = fetch(_within(CUT, export), asked.params(horizon=horizon_id))
    return Page(asked, last_id=row.last_id or asked.after_id, is_last=not row.is_more)


def rows(*, export: Export, page: Page, columns: Sequence[Column]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a page, some at a time, from the tenant that is current now, whichever is current later."""
    return _rows(context.current().schema_name, _within(ROWS, export, columns), page)


def _rows(schema_name: str, sql: str, page: Page) -> Iterator[list[tuple[Any, ...]]]:
    with context.in_tenant(schema_name):
        yield from stream(sql, page.asked.params(last=page.last_id), size=CHUNK)


def _within(statement: str, export: Export, columns: Sequence[Column] = ()) -> str:
    selected = ", ".join(f'{each.sql} AS "{each.name}"' for each in columns)
    window = WINDOW.replace("{at}", export.at) if export.at else "true"
    names = {"{columns}": selected, "{table}": export.table, "{joins}": export.joins, "{window}": window}
    for name, sql in names.items():
        statement = statement.replace(name, sql)
    return statement


WINDOW: Final = "t.{at} >= %(since)s::timestamptz AND t.{at} < %(until)s::timestamptz"
CUT: Final = """
SELECT max(id) FILTER (WHERE nth <= %(limit)s) AS last_id, count(*) > %(limit)s AS is_more
FROM (
    SELECT id, row_number() OVER (ORDER BY id) AS nth FROM (
        SELECT t.id FROM {table} t
        WHERE t.id > %(after)s AND t.id <= %(horizon)s AND {window}
        ORDER BY t.id LIMIT %(limit)s + 1
    ) found
) numbered
"""
ROWS: Final = """
SELECT {columns} FROM {table} t {joins}
WHERE t.id > %(after)s AND t.id <= %(last)s AND {window}
ORDER BY t.id
"""

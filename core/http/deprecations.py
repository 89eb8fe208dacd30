"""
How an operation says that it will go: the headers Deprecation (RFC 9745), Sunset (RFC 8594) and Link.

What is deprecated works on as before until its sunset, which is 12 months off at least.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.utils.http import http_date

NOTICE: Final = timedelta(days=365)


class Deprecation(NamedTuple):
    """Since when something should not be used any more, when it goes, and where one reads what to use instead."""

    since: datetime
    sunset: datetime
    link: str

    def headers(self) -> dict[str, str]:
        """Return what an answer says of it."""
        return {
            # A structured date: seconds since 1970 (RFC 9651).
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": http_date(self.sunset.timestamp()),
            "Link": f'<{self.link}>; rel="deprecation"; type="text/html"',
        }


def soonest(deprecations: Iterable[Deprecation]) -> Deprecation | None:
    """Return the one of which the caller must know first."""
    return min(deprecations, key=lambda each: each.sunset, default=None)


def in_answer(data: Any, fields: Mapping[str, Deprecation]) -> list[Deprecation]:
    """Return the deprecations of those fields that an answer carries: whoever asks without them is told nothing."""
    rows = data if isinstance(data, list) else [data]
    # All rows of a page have the same names.
    first = next((row for row in rows if isinstance(row, Mapping)), {})
    return [deprecation for name, deprecation in fields.items() if name in first]

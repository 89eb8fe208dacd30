"""
What an audit entry says was changed, line by line. Pure.

Forms and some verbs tell `{field: [old, new]}`, and of the rows of a form `{"rule:5": {field: [old, new]}}`, where a
row that came ends in "+" and one that went in "-". Other verbs tell what was done, in values and lists.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

# Lists of words that are no old and new value, even where they are two.
LISTS: Final = frozenset({"scopes", "kinds", "identities", "staff"})
PAIR: Final = 2
NOTHING: Final = "—"
INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)")
ADDED: Final = (".added", "+")


class Line(NamedTuple):
    """One field of it. `old` is None where there was nothing before, or nobody says what."""

    name: str
    old: str | None
    new: str


def lines_of(*, action: str, changes: Mapping[str, Any]) -> Iterator[Line]:
    """Yield a line for each field, in its order, however deep it stands."""
    yield from _lines_of(changes, within="", is_new=action.endswith(ADDED))


def _lines_of(changes: Mapping[str, Any], *, within: str, is_new: bool) -> Iterator[Line]:
    for key, value in changes.items():
        name = f"{within}{_words(key)}"
        if isinstance(value, Mapping) and value:
            yield from _lines_of(value, within=f"{name} · ", is_new=is_new or key.endswith(ADDED))
        elif _is_pair(key, value):
            old, new = value
            yield Line(name, None if is_new else _text(old), _text(new))
        else:
            yield Line(name, None, _text(value))


def _is_pair(key: str, value: object) -> bool:
    if not isinstance(value, list) or len(value) != PAIR:
        return False
    if all(isinstance(each, list) for each in value):
        return True
    return key not in LISTS and all(each is None or isinstance(each, str) for each in value)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value) or NOTHING
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(str(name))}: {_text(each)}" for name, each in value.items()) or NOTHING
    if isinstance(value, str) and INSTANT.fullmatch(value):
        return f"{datetime.fromisoformat(value).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return NOTHING if value in ("", None) else str(value)


def _words(key: str) -> str:
    return key.replace("_", " ").replace(":", " ")

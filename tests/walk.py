"""
Every address that a host answers, as Django's resolver knows them, with its arguments filled in.

So a new address is walked from its first day. One with an argument that the walk knows nothing of ends it: give it a
value in `Asked`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

ARGUMENT = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")
PAGE_OF_MODEL = re.compile(r"admin/(\w+/\w+)/")
# What the admin calls the number of a row.
ROW = frozenset({"object_id", "pk", "id", "key_id", "tenant_id"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What to ask for: the row of each model (`members/member`), and values for arguments of other names."""

    rows: Mapping[str, int]
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """One address. `asked` is what was filled in: an answer may repeat it."""

    name: str
    path: str
    asked: tuple[str, ...]
    view: Any = field(repr=False, default=None)


def places(urlconf: str, asked: Asked) -> list[Place]:
    """Return every address of a URL configuration. The one that logs out comes last."""
    found = [_filled(route, pattern, asked) for route, pattern in _patterns(get_resolver(urlconf).url_patterns)]
    return sorted(found, key=lambda place: place.name == "logout")


def _patterns(patterns: Any, above: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in patterns:
        route = above + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _patterns(each.url_patterns, route)
        else:
            yield route, each


def _filled(route: str, pattern: URLPattern, asked: Asked) -> Place:
    used: list[str] = []

    def value_of(found: re.Match[str]) -> str:
        used.append(_value_of(found[1] or found[2], route, asked))
        return used[-1]

    path = "/" + ARGUMENT.sub(value_of, route).replace("^", "").replace("$", "")
    return Place(name=pattern.name or route, path=path, asked=tuple(used), view=pattern.callback)


def _value_of(name: str, route: str, asked: Asked) -> str:
    page = PAGE_OF_MODEL.match(route)
    if name in ROW and page:
        if page[1] not in asked.rows:
            pytest.fail(f"The walk has no row of {page[1]} to ask {route} for.")
        return str(asked.rows[page[1]])
    if name not in asked.values:
        pytest.fail(f"The walk does not know what {name} is in {route}.")
    return asked.values[name]

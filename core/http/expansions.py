"""
Expanding: `?expand=member` puts what a row only names into the answer, and saves a call for each row.

A view says what of it can be expanded. Whatever the size of the page, each expansion is looked up at once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.errors import FieldError, Invalid

PARAMETER: Final = "expand"
# Where it stands in a row: what the row itself says keeps its type.
PLACE: Final = "expanded"


class Expansion(NamedTuple):
    """
    One thing that can be expanded.

    `by` is where in a row the id stands that it is known by: `member_id`, or `campaign.id`. `look_up` returns what is
    found of many ids in a fixed number of queries: one thing for each, or a list if there are many. `shape` shows one.
    `scope` is what a key needs to read that: whoever may read a row may not for that read what the row names.
    """

    by: str
    scope: str
    look_up: Callable[[Sequence[Any]], Mapping[Any, Any]]
    shape: type[serializers.Serializer[Any]]
    is_many: bool = False


type_of_expandable = Mapping[str, Expansion]


class UnknownExpansion(Invalid):
    """There is nothing of this name to expand."""

    message = _("There is nothing of this name to expand.")


def read(text: str, *, known: type_of_expandable) -> list[str]:
    """
    Return the names asked for by `a,b`, each once. An address has a length, so that the text has one.

    :raises UnknownExpansion: with the list of what there is.
    """
    names = [*dict.fromkeys(name.strip() for name in text.split(","))]
    for name in names:
        if name not in known:
            detail = _("There is no “%(name)s” to expand here. There are: %(known)s.") % {
                "name": name[:100],
                "known": ", ".join(known),
            }
            raise UnknownExpansion(errors=[FieldError(parameter=PARAMETER, detail=detail)], extra={"known": [*known]})
    return names


def expand(rows: Sequence[Mapping[str, Any]], names: list[str], *, known: type_of_expandable) -> list[dict[str, Any]]:
    """Return rows with what is asked for beneath `expanded`: null, or an empty list, where there is none."""
    found = {name: _found(rows, known[name]) for name in names}
    return [{**row, PLACE: {name: _of_row(row, known[name], found[name]) for name in names}} for row in rows]


def _found(rows: Sequence[Mapping[str, Any]], expansion: Expansion) -> dict[Any, Any]:
    ids = sorted({_id_in(row, expansion) for row in rows} - {None})
    found = expansion.look_up(ids) if ids else {}
    return {each: expansion.shape(value, many=expansion.is_many).data for each, value in found.items()}


def _of_row(row: Mapping[str, Any], expansion: Expansion, found: Mapping[Any, Any]) -> Any:
    return found.get(_id_in(row, expansion), [] if expansion.is_many else None)


def _id_in(row: Any, expansion: Expansion) -> Any:
    for name in expansion.by.split("."):
        row = row and row.get(name)
    return row

"""What a kind of event is made of, and what a rule may ask of one. Pure: rules are compiled and tried from these."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, Final

from core.errors import type_of_text


class FieldType(StrEnum):
    """`money` is a whole number of minor units; a `choice` is a text of which the usual values are known."""

    MONEY = "money"
    INTEGER = "integer"
    TEXT = "text"
    CHOICE = "choice"
    BOOLEAN = "boolean"


class Operator(StrEnum):
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    ONE_OF = "one_of"
    CONTAINS = "contains"
    IS = "is"


_OF_NUMBERS: Final = (Operator.AT_LEAST, Operator.AT_MOST, Operator.EQUALS, Operator.NOT_EQUALS)
_OF_WORDS: Final = (Operator.EQUALS, Operator.NOT_EQUALS, Operator.ONE_OF)
OPERATORS: Final[Mapping[FieldType, tuple[Operator, ...]]] = {
    FieldType.MONEY: _OF_NUMBERS,
    FieldType.INTEGER: _OF_NUMBERS,
    FieldType.TEXT: (*_OF_WORDS, Operator.CONTAINS),
    FieldType.CHOICE: _OF_WORDS,
    FieldType.BOOLEAN: (Operator.IS,),
}

type_of_reader = Callable[[Mapping[str, Any]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """
    Something that a condition may ask about.

    `name` is where it stands in the event's data (`utm.source`; `items.sku` is that of every item), or begins with
    `member.`, and then says something of the person. `choices` are pairs of value and label; what the tenant
    makes itself, such as its levels, is not among them (`campaigns.field_choices`).
    """

    name: str
    label: type_of_text
    type: FieldType
    choices: tuple[tuple[str, type_of_text], ...] = ()
    example: str | int | bool = ""
    read: type_of_reader | None = field(default=None, repr=False, compare=False)

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The comparisons that make sense for the type."""
        return OPERATORS[self.type]

    @property
    def is_of_member(self) -> bool:
        """Whether it tells of the person and not of what was reported."""
        return self.name.startswith("member.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """
    A kind of event: what it means and what can be asked of it; if it can be reported, the JSON schema of its `data`.

    `is_trigger` says whether a rule may start from it. `business_key` names what may be reported once only, even
    under another key; it is None where any number may happen.
    """

    name: str
    label: type_of_text
    meaning: type_of_text
    fields: tuple[Field, ...]
    schema: Mapping[str, Any] = field(default_factory=dict)
    example: Mapping[str, Any] = field(default_factory=dict)
    is_trigger: bool = True
    business_key: Callable[[Mapping[str, Any]], str | None] = field(default=lambda data: None, repr=False)


def values_of(data: Mapping[str, Any], fields: Iterable[Field]) -> dict[str, object]:
    """Return what an event's data says of each field. Left out: what it says nothing of, and the member's fields."""
    found = {}
    for each in fields:
        path = _path(each.name)
        if each.read is not None:
            value = each.read(data)
        elif len(path) == 1:
            value = data.get(each.name)
        else:
            value = _at(data, path) if path[0] in data and path[0] != "member" else None
        if value is not None and value != ():
            found[each.name] = value
    return found


@cache
def _path(name: str) -> tuple[str, ...]:
    return tuple(name.split("."))


def _at(value: Any, path: tuple[str, ...]) -> object:
    for place, name in enumerate(path):
        if isinstance(value, list):
            inner = (_at(each, path[place:]) for each in value)
            return tuple(each for each in inner if each is not None)
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value

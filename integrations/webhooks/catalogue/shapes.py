"""What an entry of the catalogue is, and parts of the JSON schemas of its data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.errors import type_of_text
from events.schemas import type_of_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class FactKind:
    """
    A kind of fact, as a receiver is told of it.

    Of a fact's data only what the schema names is sent: all else is between Sarafan's own parts. `object_type` says
    what it is about, `object_key` which of the data is its number; without one that is the member. `is_confirmed`: it
    stands, and neither a moderator nor time decides about it any more.
    """

    name: str
    label: type_of_text
    schema: type_of_schema
    example: Mapping[str, Any]
    object_type: str
    object_key: str = ""
    is_confirmed: bool = True


def record(*required: str, **properties: type_of_schema) -> type_of_schema:
    """Describe the data of a kind. Members may be added, so whoever reads it takes no offence at unknown ones."""
    schema: type_of_schema = {"type": "object", "properties": properties}
    return schema | ({"required": list(required)} if required else {})


def number(description: str) -> type_of_schema:
    """Describe a whole number."""
    return {"type": "integer", "description": description}


def maybe(schema: type_of_schema) -> type_of_schema:
    """Describe what may be null."""
    return {**schema, "type": [schema["type"], "null"]}


def words(description: str) -> type_of_schema:
    """Describe a text."""
    return {"type": "string", "description": description}


def moment(description: str) -> type_of_schema:
    """Describe an instant, in RFC 3339."""
    return {"type": "string", "format": "date-time", "description": description}


def numbers(description: str) -> type_of_schema:
    """Describe a list of whole numbers."""
    return {"type": "array", "items": {"type": "integer"}, "description": description}


CAMPAIGN_ID: Final = number("Of the campaign.")
GIFT: Final = words("The gift's code.")
ASSET: Final = words("The asset's code, such as points.")
BY: Final = words("Who did it, by user name; empty: it went by itself.")
REASON: Final = words("Why, in the words of whoever did it.")
ACTOR: Final = words("Who did it: a user name, or a key's name; empty: it went by itself.")

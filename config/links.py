"""What one may ask next, with the id that an answer holds: OpenAPI's links, read from the addresses themselves."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from config.common_shapes import type_of_schema

PARAMETER: Final = re.compile(r"\{(\w+)\}")
# What is asked for by a name of the caller's own, not by our number.
NAMES: Final = frozenset({"external_id"})
# Where an answer to a method holds what is made, or the first of what is listed.
PLACES: Final = {"post": "", "get": "data/0/"}


def add_links(document: type_of_schema) -> None:
    """Say of each operation that makes something, or lists it, what can be asked of that by its id, in place."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            place = PLACES.get(method)
            answer: type_of_schema = next(
                (found for status, found in operation["responses"].items() if status.startswith("2")), {}
            )
            if place is None or not _holds(answer, f"{place}id", document):
                continue
            if links := dict(_links(path, place, document)):
                answer["links"] = links


def _links(path: str, place: str, document: Mapping[str, Any]) -> Iterator[tuple[str, type_of_schema]]:
    known = PARAMETER.findall(path)
    for address, operations in document["paths"].items():
        beneath = address.removeprefix(f"{path}/")
        parameters = PARAMETER.findall(address)
        if beneath == address or not beneath.startswith("{") or len(parameters) != len(known) + 1:
            continue
        last = parameters[-1]
        given = {name: f"$request.path.{name}" for name in known}
        given[last] = f"$response.body#/{place}{last if last in NAMES else 'id'}"
        for operation in operations.values():
            yield operation["operationId"], {"operationId": operation["operationId"], "parameters": given}


def _holds(answer: Mapping[str, Any], asked: str, document: Mapping[str, Any]) -> bool:
    shape = answer.get("content", {}).get("application/json", {}).get("schema", {})
    for name in asked.split("/"):
        shape = _resolved(shape, document)
        shape = shape.get("items", {}) if name == "0" else shape.get("properties", {}).get(name, {})
    return bool(shape)


def _resolved(shape: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in shape:
        shape = document["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
    return shape

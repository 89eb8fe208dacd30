"""
What an operation says of itself in the reference, read while it answers: its parameters, and the names in its answer.

So `fields` and the check of parameters need nothing from a view but the `@extend_schema` that describes it.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, NamedTuple, Union

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.response import Response

# The names of an object, each with those beneath it; None where anything may stand beneath.
type_of_names = Mapping[str, Union["type_of_names", None]]


class Shape(NamedTuple):
    """What is known of an operation: no parameters where nothing describes it, no names where no serializer does."""

    parameters: frozenset[str] | None
    names: type_of_names | None


@cache
def shape_of(view_class: Any, method: str) -> Shape:
    """Return what the reference says of a method of a view's class."""
    handler = getattr(view_class, method.lower(), None)
    described = getattr(handler, "kwargs", {}).get("schema")
    if described is None:
        return Shape(None, None)
    schema = described()
    schema.view = view_class()
    schema.view.request, schema.view.kwargs = None, {}
    schema.method = method.upper()
    parameters = {*_parameters(schema.get_override_parameters()), *_of_pages(view_class, method)}
    # What is streamed, or is a picture, is sent as it comes.
    is_shown = getattr(handler, "__annotations__", {}).get("return") is Response
    answer = serializer_of(schema.get_response_serializers()) if is_shown else None
    return Shape(frozenset(parameters), None if answer is None else _names_in(answer))


def serializer_of(responses: Any) -> serializers.BaseSerializer[Any] | None:
    """Return what describes the answer 200 among the `responses` of `@extend_schema`, if a serializer does."""
    if isinstance(responses, Mapping):
        responses = responses.get(int(HTTPStatus.OK))
    if isinstance(responses, OpenApiResponse):
        responses = responses.response
    if isinstance(responses, type) and issubclass(responses, serializers.BaseSerializer):
        responses = responses()
    return responses if isinstance(responses, serializers.BaseSerializer) else None


def flat(names: type_of_names, above: str = "") -> Iterator[str]:
    """Yield all names as one writes them in a query: `a`, and `a.b` for what stands beneath."""
    for name, beneath in names.items():
        yield above + name
        if beneath:
            yield from flat(beneath, f"{above}{name}.")


def _of_pages(view_class: Any, method: str) -> set[str]:
    pages = getattr(view_class, "pagination_class", None) if method == "GET" else None
    return set() if pages is None else {each["name"] for each in pages().get_schema_operation_parameters(None)}


def _parameters(described: list[Any]) -> Iterator[str]:
    for each in described:
        if isinstance(each, OpenApiParameter):
            if each.location == OpenApiParameter.QUERY:
                yield each.name
        else:
            yield from (each() if isinstance(each, type) else each).fields


def _names_in(field: Any) -> type_of_names | None:
    if isinstance(field, serializers.ListSerializer | serializers.ListField):
        return _names_in(field.child)
    if isinstance(field, serializers.Serializer):
        return {name: _names_in(inner) for name, inner in field.fields.items() if not inner.write_only}
    free = serializers.DictField | serializers.JSONField | serializers.SerializerMethodField
    return None if isinstance(field, free) else {}

"""The API's reference: what all operations have in common."""

from http import HTTPStatus
from typing import Any, Final, cast

from drf_spectacular.openapi import AutoSchema
from rest_framework.serializers import Serializer

from events import openapi as events

type_of_schema = dict[str, Any]

PROBLEM: Final[type_of_schema] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people, in the tenant's language."},
        "code": {"type": "string", "description": "For programs. It does not change with the language."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "Where in the body (JSON pointer, RFC 6901)."},
                    "detail": {"type": "string"},
                },
            },
        },
        "request_id": {"type": "string", "description": "Quote it when you ask us."},
    },
}

ALWAYS: Final = {
    400: "The request is not valid.",
    401: "There is no API key, or not one that is valid here.",
    403: "The key lacks the scope that this needs, or the tenant is suspended.",
    503: "The service is busy: nothing was done, and the same request may be sent again.",
}
OF_ONE: Final = {404: "There is no such thing in this tenant."}
OF_WRITING: Final = {
    409: "The current state does not allow it.",
    413: "The body is larger than one mebibyte.",
    415: "The body is not application/json.",
    422: "The request contradicts an earlier one.",
}


class ApiSchema(AutoSchema):
    """Describes an operation with the problems that each may answer with, which no view has to list."""

    def get_serializer_name(self, serializer: Serializer[Any], direction: Any) -> str:
        # Every view has an Output: what tells them apart is the view.
        return type(serializer).__qualname__.replace(".", "")

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's own signature
        # A view's docstring is for whoever reads the code.
        return ""

    def _get_response_bodies(self, direction: Any = "response") -> type_of_schema:
        found: type_of_schema = super()._get_response_bodies(direction)
        for status, description in self._problems().items():
            found.setdefault(str(status), _problem(description))
        for code, response in found.items():
            # One that a view describes with a bare schema has no words of its own.
            response["description"] = response.get("description") or HTTPStatus(int(code)).phrase
        return found

    def _problems(self) -> dict[int, str]:
        problems = ALWAYS | (OF_ONE if "{" in self.path else {})
        return problems | (OF_WRITING if self.method in {"POST", "PUT", "PATCH"} else {})


def _problem(description: str) -> type_of_schema:
    return {
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "description": description,
    }


def add_shapes(result: type_of_schema, **_: Any) -> type_of_schema:
    """Add the shapes that are referred to by name and that no serializer describes (POSTPROCESSING_HOOKS)."""
    shapes = result["components"]["schemas"] | {"EventReport": events.REPORT, "Problem": PROBLEM}
    result["components"]["schemas"] = dict(sorted(shapes.items()))
    return cast("type_of_schema", _without_marks(result))


def _without_marks(value: Any) -> Any:
    # Left for the hook that names sets of choices, which is not used here.
    if isinstance(value, dict):
        return {name: _without_marks(inner) for name, inner in value.items() if name != "x-spec-enum-id"}
    return [_without_marks(inner) for inner in value] if isinstance(value, list) else value

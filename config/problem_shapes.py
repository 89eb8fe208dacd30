"""The problems that operations answer with, as the API's reference describes them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from rest_framework import exceptions as drf

from config import common_shapes
from config.common_shapes import headers, type_of_schema
from core.http import problems

PROBLEM_JSON: Final = "application/problem+json"
# What REST framework, Django and the database make: nothing in our code raises it.
BEYOND: Final[dict[int, dict[str, str]]] = {
    400: {"bad_request": "Bad Request."},
    401: {
        "not_authenticated": "Authentication credentials were not provided.",
        "authentication_failed": "This API key is not valid here.",
    },
    406: {"not_acceptable": "Could not satisfy the request Accept header."},
    503: {
        "service_unavailable": "The service is busy. Please try again.",
        "too_slow": "This took too long, and was given up. Ask for less at once, or try again later.",
    },
}
OF_BODIES: Final[dict[int, dict[str, str]]] = {
    400: {"invalid": "The request is not valid."},
    415: {"unsupported_media_type": "Unsupported media type in request."},
}
SAID: Final = {
    400: "The request is not valid.",
    401: "There is no API key, or not one that is valid here.",
    403: "The key lacks the scope that this needs, or may not do it; or the tenant is suspended.",
    404: "There is no such thing in this tenant.",
    406: "There are only JSON answers.",
    409: "The current state does not allow it.",
    413: "The body is larger than one mebibyte.",
    415: "The body is not application/json.",
    422: "The request contradicts an earlier one.",
    429: "Too many requests, or too much of something.",
    503: "The service is busy: nothing was done, and the same request may be sent again.",
}
# What is the same of every operation, by the names of the components that say so.
OF_ALL: Final = {"405": "MethodNotAllowed", "500": "InternalServerError"}
REFERRED_TO: Final = {status: {"$ref": f"#/components/responses/{name}"} for status, name in OF_ALL.items()}


def answer_of(status: int, codes: Mapping[str, str]) -> type_of_schema:
    """Return the body of an answer with a status: one of these codes, each with an example that has its sentence."""
    only = {"type": "object", "properties": {"code": {"enum": sorted(codes)}}}
    return {
        "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, only]},
        "examples": {code: {"value": _example(status, code, detail)} for code, detail in sorted(codes.items())},
    }


def _example(status: int, code: str, detail: str) -> type_of_schema:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "85efbc7c8e2a45f6b2488cf0101eb2e8",
    }


def responses_of_all() -> type_of_schema:
    """Return the answers that every operation refers to."""
    unknown_method = drf.MethodNotAllowed("TRACE")
    allowed = common_shapes.header("The methods that there are, with commas between.")
    return {
        OF_ALL["405"]: {
            "description": "There is no such method at this address. `method_not_allowed`",
            "headers": {**headers(*common_shapes.ALWAYS), "Allow": allowed},
            "content": {PROBLEM_JSON: answer_of(405, {unknown_method.default_code: str(unknown_method.detail)})},
        },
        OF_ALL["500"]: {
            "description": "Our fault, and recorded. Send the same again, waiting longer. `internal_server_error`",
            "headers": headers(*common_shapes.ALWAYS),
            "content": {PROBLEM_JSON: answer_of(500, {problems.BROKEN.code: str(problems.BROKEN.detail)})},
        },
    }


def shared_examples(result: type_of_schema) -> type_of_schema:
    """Take the examples of problems out of the operations, which then refer to them, and return them by their codes."""
    found: type_of_schema = {}
    for operations in result["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                examples = response.get("content", {}).get(PROBLEM_JSON, {}).get("examples", {})
                found |= {code: example for code, example in examples.items() if "value" in example}
                examples |= {code: {"$ref": f"#/components/examples/{code}"} for code in examples}
    return dict(sorted(found.items()))

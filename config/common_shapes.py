"""Shapes of the API's reference that are referred to by name, and that no serializer describes."""

from typing import Any, Final

type_of_schema = dict[str, Any]

PROBLEM: Final[type_of_schema] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "about:blank: the status and the code say it all.",
        },
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people, in the tenant's language."},
        "code": {"type": "string", "description": "For programs. It does not change with the language."},
        "errors": {
            "type": "array",
            "description": "Each thing that is wrong with what was sent.",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "Where in the body (JSON pointer, RFC 6901)."},
                    "parameter": {"type": "string", "description": "Which parameter of the query."},
                    "detail": {"type": "string"},
                },
            },
        },
        "request_id": {"type": "string", "description": "Quote it when you ask us."},
    },
}


def header(description: str, **schema: Any) -> type_of_schema:
    """Return the description of a header that an answer may have."""
    return {"description": description, "schema": {"type": "string", **schema}}


HEADERS: Final[dict[str, type_of_schema]] = {
    "Deprecation": header("The operation, or a field of its answer, will go: since when that is said (RFC 9745)."),
    "ETag": header("Stands for this answer. Send it as If-None-Match, to be answered 304 while it holds."),
    "Idempotent-Replayed": header("The first answer to this Idempotency-Key, given again.", const="true"),
    "Link": header('With `rel="deprecation"`: what to use instead.'),
    "RateLimit-Limit": header("So many requests may come at once.", pattern="^[0-9]+$"),
    "RateLimit-Remaining": header("So many more may come now.", pattern="^[0-9]+$"),
    "RateLimit-Reset": header("Seconds until all of them may come again.", pattern="^[0-9]+$"),
    "Retry-After": header("Send the same again after so many seconds.", pattern="^[0-9]+$"),
    "Sunset": header("When what is deprecated goes (RFC 8594)."),
    "X-Request-Id": header(
        "The request's id, in our log too: yours, if you sent one that fits.", pattern="^[A-Za-z0-9_-]{1,64}$"
    ),
}
# Of every answer.
ALWAYS: Final = ("X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
OF_DEPRECATED: Final = ("Deprecation", "Sunset", "Link")


def headers(*names: str) -> dict[str, type_of_schema]:
    """Return references to headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


IDEMPOTENCY_KEY: Final[type_of_schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name of your own for this request, such as a UUID. Sent again within 24 hours with the same "
    "body, it changes nothing and is answered as it was the first time.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!-~]{1,255}$"},
}
IF_NONE_MATCH: Final[type_of_schema] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the answer that you have: 304 says that it holds.",
    "schema": {"type": "string"},
}

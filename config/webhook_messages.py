"""The messages that webhooks get, as the API's reference describes them: its `webhooks`."""

from typing import Any, Final

from config import samples
from config.common_shapes import type_of_schema
from integrations.webhooks import kinds, outcomes, payloads
from integrations.webhooks.catalogue.shapes import FactKind

MESSAGE_ID: Final = "msg_9b03c43510605591012fe2fd605021a9"


def _header(name: str, description: str, *, example: str, **schema: Any) -> type_of_schema:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string", **schema},
        "example": example,
    }


_EACH: Final = (
    _header(
        "webhook-id",
        "The message, as its `id` says. The same again is the same message.",
        example=MESSAGE_ID,
    ),
    _header(
        "webhook-timestamp",
        "When this attempt was made, in seconds since 1970. Refuse one that is five minutes off.",
        pattern="^[0-9]+$",
        example="1773748800",
    ),
    _header(
        "webhook-signature",
        "Of `<webhook-id>.<webhook-timestamp>.<body>`: `v1,` and the base64 of its HMAC-SHA256. Several, parted by "
        "blanks, while a secret is replaced: one that fits is enough.",
        pattern="^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$",
        example="v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
    _header(
        outcomes.ATTEMPT,
        "Counts the attempts, from 1 again where the message is sent again. It is not signed.",
        pattern="^[1-9][0-9]*$",
        example="1",
    ),
)
# By the names that the document refers to them by.
HEADERS: Final[dict[str, type_of_schema]] = {each["name"]: each for each in _EACH}


def described() -> type_of_schema:
    """Return every kind of message that a receiver may get, the test's too, by its name."""
    return {kind.name: {"post": _webhook(kind)} for kind in (*kinds.ALL.values(), kinds.TEST)}


def _webhook(kind: FactKind) -> type_of_schema:
    content = {"schema": payloads.schema_of(kind), "example": _example(kind)}
    return {
        "operationId": f"webhook_{kind.name.replace('.', '_')}",
        "summary": str(kind.label),
        "tags": ["webhooks"],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in HEADERS],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "2XX": {"description": "Any status from 200 to 299 says that you have it."},
            "410": {"description": "You want to hear no more: the webhook is disabled at once."},
        },
    }


def _example(kind: FactKind) -> type_of_schema:
    shape = payloads.schema_of(kind)
    is_of_member = kind.object_type in payloads.WITH_MEMBER
    found: type_of_schema = {
        **samples.sample({**shape, "properties": {**shape["properties"], "data": {}}}, {}),
        "id": MESSAGE_ID,
        "environment": "live",
        "data": {**kind.example, "member": {"id": 6, "external_id": "anna"} if is_of_member else None},
    }
    if kind is kinds.TEST:
        return {**found, "sequence": 0}
    del found["test"]
    return found

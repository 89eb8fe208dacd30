"""How the API's reference describes the reporting of events. Every shape comes from `events.kinds`."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

from events import reports
from events.fields import Kind
from events.kinds import CUSTOM, CUSTOM_NAME, KINDS

type_of_schema = dict[str, Any]

BATCH_MAX: Final = 500

OCCURRED_AT: Final[type_of_schema] = {
    "type": "string",
    "format": "date-time",
    "description": "When it happened, with its time zone; now when left out. At most 5 minutes ahead and 90 days ago, "
    "or five years with the scope events:backfill.",
}
MEMBER: Final[type_of_schema] = {
    "type": "object",
    "description": "Whom it is about: at least one of external_id, telegram, phone or email. Whoever is not known yet "
    "is created. E-mail, phone, card, device and address are stored encrypted.",
    "properties": {
        "external_id": {
            "type": ["string", "integer", "null"],
            "maxLength": 200,
            "description": "Your own id of this person.",
        },
        "telegram": {"type": ["string", "integer", "null"], "description": "Telegram user id, a number."},
        "phone": {
            "type": ["string", "integer", "null"],
            "description": "With + and the country; national form is understood too.",
        },
        "email": {"type": ["string", "null"], "maxLength": 254},
        "card": {
            "type": ["string", "integer", "null"],
            "maxLength": 200,
            "description": "Your payment provider's token or fingerprint; never the number.",
        },
        "device": {
            "type": ["string", "integer", "null"],
            "maxLength": 200,
            "description": "A fingerprint of the device.",
        },
        "ip": {
            "type": ["string", "integer", "null"],
            "maxLength": 45,
            "description": "The address that this person's own request came from, IPv4 or IPv6; not your server's.",
        },
    },
    "additionalProperties": False,
    "minProperties": 1,
}


def _named(name: str) -> type_of_schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _report(kind: Kind) -> type_of_schema:
    if kind.name == CUSTOM:
        name: type_of_schema = {"type": "string", "pattern": CUSTOM_NAME}
    else:
        name = {"type": "string", "const": kind.name}
    return {
        "type": "object",
        "description": kind.meaning,
        "required": ["key", "kind", "member", *(["data"] if kind.schema.get("required") else [])],
        "properties": {
            "key": reports.KEY,
            "kind": name,
            "member": _named("EventMember"),
            "occurred_at": OCCURRED_AT,
            "data": dict(kind.schema),
        },
        "additionalProperties": False,
    }


def _object(properties: type_of_schema, *optional: str) -> type_of_schema:
    return {
        "type": "object",
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


def _name_of(kind: Kind) -> str:
    """Return the name of the shape, from which clients make the name of a class: `OrderPaidReport`."""
    words = kind.name.replace("*", "").replace("_", ".").split(".")
    return "".join(word.capitalize() for word in words) + "Report"


def _list_of(items: type_of_schema, **more: Any) -> type_of_schema:
    return _object({"events": {"type": "array", "items": items, **more}})


_REPORTS: Final[type_of_schema] = {_name_of(kind): _report(kind) for kind in KINDS.values()}
_TAKEN: Final[type_of_schema] = {
    "id": {"type": "integer", "description": "Ask /api/v1/events/{id} what became of it."},
    "key": {"type": "string"},
    "status": {"type": "string", "const": "waiting"},
    "replayed": {
        "type": "boolean",
        "const": True,
        "description": "The event was recorded before; here is its id again.",
    },
}
_INDEX: Final[type_of_schema] = {"type": "integer", "description": "Its place in the batch, from 0."}
_OUTCOME: Final = {"oneOf": [_named("EventTakenInBatch"), _named("EventRefusedInBatch")]}
# Named, as `config.openapi` adds them to the document: clients make the names of classes from them.
SHAPES: Final[type_of_schema] = {
    "EventMember": MEMBER,
    "EventReport": {"oneOf": [_named(name) for name in _REPORTS]},
    **_REPORTS,
    "EventBatch": {
        **_list_of(_named("EventReport"), minItems=1, maxItems=BATCH_MAX),
        "additionalProperties": False,
    },
    "EventTaken": _object(_TAKEN, "replayed"),
    "EventTakenInBatch": _object({"index": _INDEX, **_TAKEN}, "replayed"),
    "EventRefusedInBatch": _object(
        {"index": _INDEX, "key": {"type": ["string", "null"]}, "error": _named("Problem")},
    ),
    "EventBatchOutcome": _list_of(_OUTCOME, description="In the order of the request."),
}
REQUEST: Final[type_of_schema] = {"oneOf": [_named("EventReport"), _named("EventBatch")]}
RESPONSES: Final[dict[Any, Any]] = {
    (202, "application/json"): {"oneOf": [_named("EventTaken"), _named("EventBatchOutcome")]},
    (422, "application/json"): _named("EventBatchOutcome"),
    (422, "application/problem+json"): _named("Problem"),
}

_ANNA: Final = {"external_id": "anna", "telegram": "100200300", "email": "anna@example.com"}


def _example(kind: Kind) -> dict[str, Any]:
    name = "custom.quiz_done" if kind.name == CUSTOM else kind.name
    return {"key": f"{name}-1", "kind": name, "member": _ANNA, "data": dict(kind.example)}


EXAMPLES: Final = [
    *(
        OpenApiExample(kind.name, summary=kind.label, value=_example(kind), request_only=True)
        for kind in KINDS.values()
    ),
    OpenApiExample(
        "batch",
        summary="A batch",
        value={"events": [_example(KINDS["member.joined"]), _example(KINDS["order.paid"])]},
        request_only=True,
    ),
    OpenApiExample(
        "taken",
        summary="One event",
        value={"id": 42, "key": "order.paid-1", "status": "waiting"},
        response_only=True,
        status_codes=["202"],
    ),
]

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
        "external_id": {"type": "string", "maxLength": 200, "description": "Your own id of this person."},
        "telegram": {"type": ["string", "integer"], "description": "Telegram user id, a number."},
        "phone": {"type": "string", "description": "With + and the country; national form is understood too."},
        "email": {"type": "string", "maxLength": 254},
        "card": {
            "type": "string",
            "maxLength": 200,
            "description": "Your payment provider's token or fingerprint; never the number.",
        },
        "device": {"type": "string", "maxLength": 200, "description": "A fingerprint of the device."},
        "ip": {
            "type": "string",
            "maxLength": 45,
            "description": "The address that this person's own request came from, IPv4 or IPv6; not your server's.",
        },
    },
    "additionalProperties": False,
    "minProperties": 1,
}
# Named shapes: `config.openapi` adds them to the document.
PROBLEM_REF: Final = {"$ref": "#/components/schemas/Problem"}
REPORT_REF: Final = {"$ref": "#/components/schemas/EventReport"}


def _report(kind: Kind) -> type_of_schema:
    if kind.name == CUSTOM:
        name: type_of_schema = {"type": "string", "pattern": CUSTOM_NAME}
    else:
        name = {"type": "string", "const": kind.name}
    return {
        "type": "object",
        "title": kind.name,
        "description": kind.meaning,
        "required": ["key", "kind", "member", *(["data"] if kind.schema.get("required") else [])],
        "properties": {
            "key": reports.KEY,
            "kind": name,
            "member": MEMBER,
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


REPORT: Final[type_of_schema] = {"title": "One event", "oneOf": [_report(kind) for kind in KINDS.values()]}
REQUEST: Final[type_of_schema] = {
    "oneOf": [
        REPORT_REF,
        {
            "title": "A batch",
            "type": "object",
            "required": ["events"],
            "properties": {
                "events": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": BATCH_MAX,
                    "items": REPORT_REF,
                },
            },
            "additionalProperties": False,
        },
    ],
}

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
TAKEN: Final = {"title": "One event", **_object(_TAKEN, "replayed")}
BATCH: Final = {
    "title": "A batch",
    **_object(
        {
            "events": {
                "type": "array",
                "description": "In the order of the request.",
                "items": {
                    "oneOf": [
                        {"title": "Taken", **_object({"index": _INDEX, **_TAKEN}, "replayed")},
                        {
                            "title": "Refused",
                            **_object({"index": _INDEX, "key": {"type": ["string", "null"]}, "error": PROBLEM_REF}),
                        },
                    ],
                },
            },
        }
    ),
}
RESPONSES: Final[dict[Any, Any]] = {
    (202, "application/json"): {"oneOf": [TAKEN, BATCH]},
    (422, "application/json"): BATCH,
    (422, "application/problem+json"): PROBLEM_REF,
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

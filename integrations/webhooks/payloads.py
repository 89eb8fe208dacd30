"""
What a message says: the first version of the payloads.

A message is made once, at its first attempt, and kept: whatever happens to the member afterwards, each repeat has the
same bytes, and the same signature of them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from core.db import json_text
from events.models import Event
from events.schemas import type_of_schema
from integrations.webhooks.catalogue.shapes import FactKind, maybe, moment, number, words
from members import people
from members.models import Member
from referrals.models import Referral
from tenants import context

VERSION: Final = 1

MEMBER: Final[type_of_schema] = {
    "type": ["object", "null"],
    "description": "Whom it is about; null where it is about nobody.",
    "properties": {"id": number("Sarafan's number."), "external_id": maybe(words("Your own id of them."))},
    "required": ["id", "external_id"],
}


def of_fact(*, kind: FactKind, message_id: str, event: Event) -> str:
    """Return the message about a fact."""
    found = _find_member(event.member_id)
    data = {name: value for name, value in event.data.items() if name in kind.schema["properties"]}
    if kind.object_type == "referral":
        data["referral_id"] = Referral.objects.filter(invitee=data["invitee_id"]).values_list("pk", flat=True).first()
    return json_text(
        _message(
            kind=kind,
            message_id=message_id,
            data={**data, "member": found},
            sequence=event.pk,
            at=event.occurred_at,
        )
    )


def of_example(*, kind: FactKind, message_id: str, endpoint_id: int, at: datetime) -> str:
    """Return a message about nothing that happened: it says so, `"test": true`."""
    data = {**kind.example, "member": _EXAMPLE_MEMBER if kind.object_type in WITH_MEMBER else None}
    message = _message(kind=kind, message_id=message_id, data=data, sequence=0, at=at)
    if kind.object_type == "webhook" and not kind.object_key:
        message["object"]["id"] = endpoint_id
    return json_text({**message, "test": True})


def schema_of(kind: FactKind) -> type_of_schema:
    """Return the JSON schema of a whole message of a kind."""
    data = {
        **kind.schema,
        "properties": {**kind.schema["properties"], "member": MEMBER},
        "required": [*kind.schema.get("required", ()), "member"],
    }
    properties: dict[str, type_of_schema] = {
        "id": words("The message, as the header webhook-id says. The same again is the same message."),
        "type": {"const": kind.name, "description": "The kind of fact."},
        "version": {"const": VERSION, "description": "Of the payloads."},
        "timestamp": moment("When it happened."),
        "sequence": number(
            "Grows with every fact about the same object: one that is lower than what you have seen of the object is "
            "older, and to be ignored. 0 in a test."
        ),
        "object": {
            "type": "object",
            "description": "What it is about.",
            "properties": {
                "type": {"const": kind.object_type},
                "id": {"type": ["integer", "string", "null"], "description": "Its number, or its code."},
            },
            "required": ["type", "id"],
        },
        "tenant": words("The tenant's short name."),
        "environment": {"type": "string", "enum": ["live", "sandbox"]},
        "data": data,
    }
    test = {"test": {"const": True, "description": "Only there in a test: nothing has happened."}}
    return {"type": "object", "properties": {**properties, **test}, "required": list(properties)}


# Of these the example has a member.
WITH_MEMBER: Final = frozenset({"member", "reward", "referral", "entitlement", "redemption", "payout", "adjustment"})
_EXAMPLE_MEMBER: Final = {"id": 6, "external_id": "anna"}


def _message(
    *, kind: FactKind, message_id: str, data: Mapping[str, Any], sequence: int, at: datetime
) -> dict[str, Any]:
    tenant = context.current()
    member = data["member"]
    about = data.get(kind.object_key) if kind.object_key else member and member["id"]
    return {
        "id": message_id,
        "type": kind.name,
        "version": VERSION,
        "timestamp": at,
        "sequence": sequence,
        "object": {"type": kind.object_type, "id": about},
        "tenant": tenant.slug,
        "environment": str(tenant.environment),
        "data": data,
    }


def _find_member(member_id: int | None) -> dict[str, Any] | None:
    if member_id is None:
        return None
    # Who was merged into somebody else is known as them by now.
    merged_into = Member.objects.filter(pk=member_id).values_list("merged_into_id", flat=True).first()
    now_known_as = merged_into or member_id
    return {"id": now_known_as, "external_id": people.find_external_id(now_known_as)}

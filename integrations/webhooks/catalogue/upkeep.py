"""What is told of the connection itself, to whoever looks after it: webhooks, keys, and events that were given up."""

from typing import Final

from core.errors import translated as _
from integrations.webhooks.catalogue.shapes import FactKind, maybe, moment, number, record, words

KINDS: Final = (
    FactKind(
        name="webhook.disabled",
        label=_("A webhook was disabled"),
        schema=record(
            "webhook_id",
            "url",
            "why",
            webhook_id=number("Of the webhook, which is told nothing any more: its messages wait."),
            url=words("Where it is, without what follows on the host: that may be a secret."),
            why=words("gone (it answered 410) or failing (for 24 hours nothing arrived)."),
        ),
        example={"webhook_id": 2, "url": "https://shop.example.com", "why": "failing"},
        object_type="webhook",
        object_key="webhook_id",
    ),
    FactKind(
        name="key.used_after_end",
        label=_("A key was used after its end"),
        schema=record(
            "start",
            "name",
            "why",
            "used_at",
            "from",
            start=words("What the key begins with. The rest is its secret."),
            name=words("What you call it."),
            why=words("Why it ended: replaced, revoked or expired."),
            used_at=moment("When it was first sent after its end."),
            **{"from": maybe(words("The address that it came from, if it is known."))},
        ),
        example={
            "start": "sk_live_a2b3c4d5_",
            "name": "Shop",
            "why": "replaced",
            "used_at": "2026-03-17T12:00:00Z",
            "from": "203.0.113.7",
        },
        object_type="key",
        object_key="start",
    ),
    FactKind(
        name="event.failed",
        label=_("An event that was reported could not be handled"),
        schema=record(
            "event_id",
            "key",
            "kind",
            "error",
            event_id=number("Of the event."),
            key=words("Its key, as you gave it."),
            kind=words("What kind of event it is."),
            error=words("Why the last attempt failed."),
        ),
        example={"event_id": 4711, "key": "refund-1001-1", "kind": "order.refunded", "error": "unknown_order"},
        object_type="event",
        object_key="event_id",
    ),
)

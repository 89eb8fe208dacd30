"""Messages about nothing that happened, to try a receiver with. Each says so: `"test": true`."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from core.db import in_transaction
from integrations.models import Delivery, Endpoint
from integrations.webhooks import endpoints, kinds, payloads
from integrations.webhooks.catalogue.shapes import FactKind
from rewards.actors import Actor


@in_transaction
def test(*, endpoint: Endpoint, by: Actor, at: datetime) -> Delivery:
    """
    Send a webhook a test, and return its delivery.

    :raises endpoints.WebhookNotActive:
    """
    fresh = endpoints.require_active(endpoint)
    (made,) = _send([fresh], kinds.TEST, at=at)
    by.note(
        action="webhook.tested",
        target=f"webhook:{fresh.pk} {fresh.url}"[:200],
        changes={"message": made.message_id},
        at=at,
    )
    return made


@in_transaction
def trigger(*, kind: str, at: datetime) -> list[Delivery]:
    """
    Send the example of a kind of fact to every active webhook that wants the kind, and return the deliveries.

    It is for sandboxes: a receiver that overlooks the mark would take it for a fact.

    :raises kinds.UnknownFactKind:
    """
    found = kinds.get(kind)
    wanting = Endpoint.objects.filter(status=Endpoint.Status.ACTIVE, kinds__contains=[kind]).order_by("pk")
    return _send(wanting.select_for_update(no_key=True), found, at=at)


def _send(wanting: Iterable[Endpoint], kind: FactKind, *, at: datetime) -> list[Delivery]:
    made = Delivery.objects.bulk_create([_delivery(endpoint, kind, at=at) for endpoint in wanting])
    endpoints.wake()
    return made


def _delivery(endpoint: Endpoint, kind: FactKind, *, at: datetime) -> Delivery:
    message_id = f"msg_{uuid.uuid4().hex}"
    body = payloads.of_example(kind=kind, message_id=message_id, endpoint_id=endpoint.pk, at=at)
    return Delivery(endpoint=endpoint, kind=kind.name, message_id=message_id, body=body, next_at=at, created_at=at)

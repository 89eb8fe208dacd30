"""An example of any fact, sent to the sandbox's own webhooks as if it had happened there."""

from datetime import datetime

from core.db import in_transaction
from integrations.models import Delivery
from integrations.webhooks import examples
from rewards.actors import Actor
from tenants import sandboxes


@in_transaction
def trigger(*, kind: str, by: Actor, at: datetime) -> list[Delivery]:
    """
    Send the example of a kind to every webhook of the current sandbox that wants it; return the deliveries.

    :raises sandboxes.SandboxOnly: in a live tenant.
    :raises integrations.webhooks.kinds.UnknownFactKind:
    """
    sandboxes.get_current()
    made = examples.trigger(kind=kind, at=at)
    by.note(action="sandbox.webhook_triggered", target=f"kind:{kind}", changes={"deliveries": len(made)}, at=at)
    return made

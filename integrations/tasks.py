"""What the bell and the clock start: deliveries go out, wait for their turn, and are forgotten."""

import logging
import time
from random import SystemRandom
from typing import Any

from celery import current_app, shared_task

from core.db import transaction
from events import doorbell
from integrations.webhooks import endpoints, keeping, lanes, outbox, resending
from tenants import context
from tenants.clock import now

logger = logging.getLogger(__name__)

# After so long a lane goes to the back of the queue, so that the others have their turn.
TURN_SECONDS = 5.0
EXPIRES_SECONDS = 60
PURGE_SIZE = 5_000


@shared_task(name=outbox.TASK)
def deliver(*, schema_name: str, **_: Any) -> None:
    """Open a lane to every webhook of a tenant for which something is due; to those that keep up, several."""
    # Before looking, not after: whoever records a fact from here on rings again.
    doorbell.answer(schema_name, task=outbox.TASK)
    with context.in_tenant(schema_name):
        due = lanes.find_due(at=now())
    for each in due:
        for _lane in range(each.lanes):
            _open_lane(schema_name, each.endpoint_id)


@shared_task
def deliver_on(*, schema_name: str, endpoint_id: int, **_: Any) -> None:
    """Deliver to one webhook, one message after the other, until nothing is due or the turn is over."""
    ends = time.monotonic() + TURN_SECONDS
    with context.in_tenant(schema_name), lanes.opened(endpoint_id=endpoint_id) as is_free:
        while is_free and lanes.deliver_one(endpoint_id=endpoint_id, rng=SystemRandom(), at=now()):
            if time.monotonic() > ends:
                _open_lane(schema_name, endpoint_id)
                return


@shared_task
def sweep(**_: Any) -> None:
    """Ring for every tenant in which something is due: what makes a lost message harmless, and retries happen."""
    for tenant in context.serving():
        try:
            with context.in_tenant(tenant.schema_name):
                is_due = lanes.is_any_due(at=now())
        except Exception:
            logger.exception("A tenant could not be swept.", extra={"tenant": tenant.slug})
        else:
            if is_due:
                outbox.ring(tenant.schema_name)


@shared_task
def resend(*, schema_name: str, endpoint_id: int, wanted: dict[str, Any], **_: Any) -> None:
    """Send a page of what happened again."""
    with context.in_tenant(schema_name), transaction():
        endpoint = endpoints.get(endpoint_id)
        resending.send_page(endpoint=endpoint, wanted=resending.Range.of_json(wanted), at=now())


@shared_task(soft_time_limit=3600, time_limit=3660, acks_late=False)
def purge(**_: Any) -> None:
    """Delete the deliveries of more than 30 days ago, of every tenant."""
    for tenant in context.serving():
        try:
            with context.in_tenant(tenant.schema_name):
                while keeping.purge(limit=PURGE_SIZE, at=now()):
                    pass
        except Exception:
            logger.exception("A tenant's deliveries could not be purged.", extra={"tenant": tenant.slug})


def _open_lane(schema_name: str, endpoint_id: int) -> None:
    current_app.send_task(
        "integrations.tasks.deliver_on",
        kwargs={"schema_name": schema_name, "endpoint_id": endpoint_id},
        expires=EXPIRES_SECONDS,
    )

"""Celery's part: woken by the doorbell or the sweep, it works until nothing waits."""

import time
from contextlib import suppress

from celery import shared_task

from events import claims, doorbell, handling
from tenants import context, rounds
from tenants.clock import now
from tenants.models import Tenant

# After this long a tenant goes to the back of the queue, so that a large one does not keep the others waiting.
TURN_SECONDS = 2.0
# Whoever holds the tenant may have looked for the last time just before our event was written.
BUSY_TRIES = 5
BUSY_SECONDS = 0.05


@shared_task(name=doorbell.TASK)
def handle_waiting(*, schema_name: str, **_: object) -> None:
    """Handle what waits in one tenant, batch by batch, until nothing does or the turn is over."""
    ends = time.monotonic() + TURN_SECONDS
    # Before looking, not after: whoever records an event from here on rings again.
    doorbell.answer(schema_name)
    with context.in_tenant(schema_name):
        while time.monotonic() < ends:
            if not _handle_once(schema_name):
                return
    doorbell.ring(schema_name)


@shared_task(name="events.sweep")
def sweep(**_: object) -> None:
    """Ring for every tenant in which something waits: what makes a lost message harmless."""

    def ring(tenant: Tenant) -> None:
        if claims.is_any_waiting(at=now()):
            doorbell.ring(tenant.schema_name)

    rounds.visit(ring)


def _handle_once(schema_name: str) -> int:
    for _attempt in range(BUSY_TRIES):
        with suppress(claims.Busy):
            return handling.handle_batch(schema=schema_name, at=now())
        time.sleep(BUSY_SECONDS)
    return 0

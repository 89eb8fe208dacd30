"""What the bell and the clock start: deliveries go out, wait for their turn, and are forgotten."""

import time
from random import SystemRandom
from typing import Any

from celery import current_app, shared_task

from core.db import transaction
from events import doorbell
from integrations.webhooks import keeping, lanes, outbox, resending
from integrations.webhooks.resending import Course
from tenants import context, rounds
from tenants.clock import now
from tenants.models import Tenant

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
    # Who is refused a lane stands elsewhere in the line the next time.
    for each in SystemRandom().sample(due, len(due)):
        for _lane in range(each.lanes):
            _open_lane(schema_name, each.endpoint_id)


@shared_task
def deliver_on(*, schema_name: str, endpoint_id: int, **_: Any) -> None:
    """
    Deliver to one webhook, one message after the other, until nothing is due or the turn is over.

    One that takes long waits for the sweep then: if it came back at once, those that were refused a lane would never
    have one.
    """
    ends = time.monotonic() + TURN_SECONDS
    with context.in_tenant(schema_name), lanes.opened(endpoint_id=endpoint_id) as is_free:
        while is_free and (outcome := lanes.deliver_one(endpoint_id=endpoint_id, rng=SystemRandom(), at=now())):
            if time.monotonic() > ends:
                if not lanes.is_slow(outcome):
                    _open_lane(schema_name, endpoint_id)
                return


@shared_task
def sweep(**_: Any) -> None:
    """Ring for every tenant in which something is due: what makes a lost message harmless, and retries happen."""

    def ring(tenant: Tenant) -> None:
        for endpoint_id, after_id in resending.find_stalled(at=now()).items():
            resending.leave(schema=tenant.schema_name, endpoint_id=endpoint_id, after_id=after_id)
        if lanes.is_any_due(at=now()):
            outbox.ring(tenant.schema_name)

    rounds.visit(ring)


@shared_task
def resend(*, schema_name: str, endpoint_id: int, after_id: int, **_: Any) -> None:
    """Go on with sending again, piece by piece, until it is done or the turn is over."""
    ends = time.monotonic() + TURN_SECONDS
    with context.in_tenant(schema_name):
        while (course := _resend_piece(endpoint_id, after_id)) and not course.is_done:
            after_id = course.after_id
            if time.monotonic() > ends:
                resending.leave(schema=schema_name, endpoint_id=endpoint_id, after_id=after_id)
                return


@shared_task(soft_time_limit=3600, time_limit=3660, acks_late=False)
def purge(**_: Any) -> None:
    """Delete the deliveries of more than 30 days ago, of every tenant."""

    def purge_all(_tenant: Tenant) -> None:
        while keeping.purge(limit=PURGE_SIZE, at=now()):
            pass

    rounds.visit(purge_all)


@transaction
def _resend_piece(endpoint_id: int, after_id: int) -> Course | None:
    return resending.go_on(endpoint_id=endpoint_id, after_id=after_id, at=now())


def _open_lane(schema_name: str, endpoint_id: int) -> None:
    current_app.send_task(
        "integrations.tasks.deliver_on",
        kwargs={"schema_name": schema_name, "endpoint_id": endpoint_id},
        expires=EXPIRES_SECONDS,
    )

"""What the clock and the bell start: providers are called, and uploads are put into the stock."""

import time
from typing import Any

from celery import shared_task

from rewards.certificates import calls, orders, settling, uploads
from tenants import context, rounds
from tenants.clock import now
from tenants.models import Tenant

# One call may take twelve seconds more, and the task has thirty.
TURN_SECONDS = 10.0


@shared_task
def buy_waiting(*, schema_name: str, **_: Any) -> None:
    """Call providers for one tenant until nothing is due, or the turn is over."""
    ends = time.monotonic() + TURN_SECONDS
    with context.in_tenant(schema_name):
        orders.listen()
        while time.monotonic() < ends:
            claimed = orders.claim(schema=schema_name, limit=calls.AT_ONCE, at=now())
            if claimed:
                settling.settle(schema=schema_name, outcomes=calls.make(claimed), at=now())
            elif not orders.is_due(at=now()):
                return


@shared_task
def sweep_certificates(**_: Any) -> None:
    """Wake a worker for every tenant in which a provider is to be called: what makes a lost ring harmless."""

    def wake(tenant: Tenant) -> None:
        if orders.is_due(at=now()):
            orders.send(orders.TASK, schema_name=tenant.schema_name)

    rounds.visit(wake)


@shared_task(soft_time_limit=600, time_limit=660, acks_late=False)
def fill_stock(*, schema_name: str, upload_id: str, **_: Any) -> None:
    """Put an upload into the stock. What a dead worker has left undone is begun again from the upload's page."""
    with context.in_tenant(schema_name):
        uploads.fill(schema=schema_name, upload_id=upload_id, at=now())


@shared_task
def ask_balance(*, schema_name: str, provider_id: int, **_: Any) -> None:
    """Ask a provider what is left on our account."""
    with context.in_tenant(schema_name):
        orders.ask_balance(schema=schema_name, provider_id=provider_id, at=now())

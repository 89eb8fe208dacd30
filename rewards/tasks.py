"""What the clock starts, for every tenant in turn. One tenant's trouble does not hold up the others."""

import logging
import time
from typing import Any

from celery import shared_task

from core.db import transaction
from rewards import ledger, maturing, night, reservations
from tenants import rounds
from tenants.clock import now
from tenants.models import Tenant

logger = logging.getLogger(__name__)

BATCH_SIZE = 500
# Below CELERY_TASK_TIME_LIMIT: what is left over comes with the next round.
SECONDS_MAX = 20


@shared_task
def release_matured(**_: Any) -> None:
    """Pay what has been pending long enough."""
    until = time.monotonic() + SECONDS_MAX

    def release(tenant: Tenant) -> None:
        while time.monotonic() < until and maturing.is_due(at=now()):
            if not maturing.release_due(schema=tenant.schema_name, limit=BATCH_SIZE, at=now()):
                return

    rounds.visit(release)


@shared_task
def release_reserved(**_: Any) -> None:
    """Give back what has been set aside for too long."""
    until = time.monotonic() + SECONDS_MAX

    def release(tenant: Tenant) -> None:
        while time.monotonic() < until and reservations.is_any_due(at=now()):
            with transaction():
                reservations.release_due(schema=tenant.schema_name, limit=BATCH_SIZE, at=now())

    rounds.visit(release)


# As long as the longest night: whoever rings meanwhile finds that tenant taken, and goes on with the others. A night
# that dies is taken up where it was by the next round.
@shared_task(soft_time_limit=3600, time_limit=3660, acks_late=False)
def run_nights(**_: Any) -> None:
    """Do the night of every tenant whose midnight has come."""

    def run(tenant: Tenant) -> None:
        if night.find_due(at=now()):
            night.run(schema=tenant.schema_name, at=now())

    rounds.visit(run)


# Acknowledged early: a broker would give a task of many minutes to a second worker. If it dies, there is tomorrow's.
@shared_task(soft_time_limit=3600, time_limit=3660, acks_late=False)
def verify_ledgers(**_: Any) -> None:
    """Say in the log wherever the ledger does not add up."""

    def verify(tenant: Tenant) -> None:
        for difference in ledger.verify():
            logger.error("The ledger does not add up.", extra={"tenant": tenant.slug, "difference": str(difference)})

    rounds.visit(verify)

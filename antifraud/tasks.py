"""What the clock starts, for every tenant in turn."""

import logging

from celery import shared_task
from django.utils import timezone

from antifraud import counters
from tenants import context

logger = logging.getLogger(__name__)


@shared_task
def prune_counters(**_: object) -> None:
    """Forget the minutes that no stop rule sums any more. One tenant's trouble does not hold up the others."""
    for tenant in context.serving():
        try:
            with context.in_tenant(tenant.schema_name):
                counters.prune(at=timezone.now())
        except Exception:
            logger.exception("A tenant's counters could not be pruned.", extra={"tenant": tenant.slug})

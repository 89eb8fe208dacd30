"""What the clock starts, for every tenant in turn. One tenant's trouble does not hold up the others."""

import logging
from typing import Any

from celery import shared_task

from tenants import answers, context
from tenants.clock import now

logger = logging.getLogger(__name__)


@shared_task
def forget_answers(**_: Any) -> None:
    """Forget the first answers that are older than a day."""
    for tenant in context.serving():
        try:
            with context.in_tenant(tenant.schema_name):
                answers.forget_old(at=now())
        except Exception:
            logger.exception("A tenant's turn failed.", extra={"tenant": tenant.slug})

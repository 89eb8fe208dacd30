"""
Rounds: doing something in every tenant, one after another.

One tenant's trouble does not hold up the others. What a connection has learnt of a tenant's tables it keeps, so after
many tenants a fresh one takes its place: the memory of a server's process does not grow with the number of tenants.
"""

import logging
from collections.abc import Callable
from random import SystemRandom
from typing import Final

from celery.exceptions import SoftTimeLimitExceeded

from tenants import context
from tenants.context import connection
from tenants.models import Tenant

logger = logging.getLogger(__name__)

TENANTS_A_CONNECTION: Final = 100


def visit(act: Callable[[Tenant], object]) -> None:
    """
    Have `act` done in each tenant that is served, as the current one. What fails is in the log, and the others follow.

    The order is another one each time, so that nobody is always the one whose turn does not come.

    :raises SoftTimeLimitExceeded: when the task's time is over: then nobody else's turn comes.
    """
    serving = context.serving()
    for number, tenant in enumerate(SystemRandom().sample(serving, len(serving)), start=1):
        try:
            with context.in_tenant(tenant.schema_name):
                act(tenant)
        except SoftTimeLimitExceeded:
            raise
        except Exception:
            logger.exception("A tenant's turn failed.", extra={"tenant": tenant.slug})
        _refresh(is_worn=number % TENANTS_A_CONNECTION == 0)


def _refresh(*, is_worn: bool) -> None:
    if connection.in_atomic_block:
        # It is the caller's.
        return
    # Whoever's turn it was may have lost it.
    connection.close_if_unusable_or_obsolete()
    if is_worn:
        connection.close()

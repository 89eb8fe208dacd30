"""
What time it is: everybody's, but in a sandbox whose clock was advanced.

How far a sandbox is ahead is asked of the database each time: whoever has just advanced it is answered by another
process a moment later, and both must agree. A live tenant's clock costs nothing.
"""

from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from tenants.context import connection
from tenants.models import Tenant

REAL: Final = timedelta()


def now() -> datetime:
    """Return the instant in the current tenant. Edges ask for it once and hand it on."""
    return timezone.now() + ahead()


def ahead() -> timedelta:
    """Return how far the current tenant's clock is ahead of everybody's: not at all, but in a sandbox."""
    tenant = connection.tenant
    # The public schema is nobody's.
    if not isinstance(tenant, Tenant) or tenant.environment != Tenant.Environment.SANDBOX:
        return REAL
    found: timedelta = Tenant.objects.values_list("clock_ahead", flat=True).get(pk=tenant.pk)
    return found


def real(at: datetime) -> datetime:
    """Return what everybody's clock says when the current tenant's says `at`: for whoever looks at it from outside."""
    return at - ahead()

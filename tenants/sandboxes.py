"""A tenant's sandbox: a second schema of its own for trying things out. Test keys lead there, and nothing is shared."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from core.db import in_transaction
from core.errors import Denied
from tenants import context, roles, spaces
from tenants.models import Tenant
from tenants.staff.models import Staff

SUFFIX = "-sandbox"


class SandboxOnly(Denied):
    """What is real is not to be tried out with."""

    message = _("This is for the sandbox only. Use a test key.")


def find(*, live: Tenant) -> Tenant | None:
    """Return a tenant's sandbox, if it has one."""
    return Tenant.objects.filter(live=live).first()


def get_current() -> Tenant:
    """
    Return the current tenant, as its row stands, if it is a sandbox.

    :raises SandboxOnly: in a live tenant.
    """
    found = Tenant.objects.filter(pk=context.current().pk, environment=Tenant.Environment.SANDBOX).first()
    if found is None:
        raise SandboxOnly
    return found


@in_transaction
def ensure(*, live: Tenant, at: datetime) -> Tenant:
    """Return a tenant's sandbox, made now if there is none. The tenant's admins can log in there as they do at home."""
    # Two first test keys at once: the second waits here, and finds what the first has made.
    locked = Tenant.objects.select_for_update(no_key=True).get(id=live.id)
    return find(live=locked) or _make(locked, at)


@in_transaction
def set_clock(*, sandbox: Tenant, ahead: timedelta) -> None:
    """Let a sandbox's clock be so far ahead of everybody's. No live tenant's can be: a constraint says so as well."""
    Tenant.objects.filter(pk=sandbox.pk, environment=Tenant.Environment.SANDBOX).update(clock_ahead=ahead)


def _make(live: Tenant, at: datetime) -> Tenant:
    sandbox = spaces.make(
        name=f"{live.name} (sandbox)"[:100],
        slug=live.slug + SUFFIX,
        time_zone=live.time_zone,
        currency=live.currency,
        language=live.language,
        live=live,
        at=at,
    )
    with context.in_tenant(live.schema_name):
        admins = list(Staff.objects.filter(groups__name=roles.ADMIN, is_active=True))
    with context.in_tenant(sandbox.schema_name):
        for admin in admins:
            roles.add_staff(
                username=admin.username, password_hash=admin.password, role=roles.ADMIN, email=admin.email, at=at
            )
    return sandbox

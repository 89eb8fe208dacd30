"""Whether a tenant is served. Its sandbox goes with it."""

from django.utils.translation import gettext_lazy as _

from core.db import in_transaction
from core.errors import Conflict
from tenants import context, hosts, keys
from tenants.models import Tenant


class StandingUnchanged(Conflict):
    """The tenant stands like this already, or is no tenant."""

    message = _("This tenant is in that state already.")


@in_transaction
def suspend(*, tenant: Tenant) -> None:
    """
    Stop serving a tenant: at once in this process, within half a minute in the others.

    :raises StandingUnchanged: for one that is not served, and for a sandbox, which goes with its tenant.
    """
    _move(tenant, Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED)


@in_transaction
def resume(*, tenant: Tenant) -> None:
    """
    Serve a suspended tenant again.

    :raises StandingUnchanged: for one that is served, and for a sandbox.
    """
    _move(tenant, Tenant.Status.SUSPENDED, Tenant.Status.ACTIVE)


def give_sandbox_its_quotas(*, tenant: Tenant) -> None:
    """Let the sandbox have as much a day as its tenant: of its own, for they are counted apart."""
    quotas = {"requests_a_day_max": tenant.requests_a_day_max, "events_a_day_max": tenant.events_a_day_max}
    Tenant.objects.filter(live=tenant).update(**quotas)
    forget()


def forget() -> None:
    """Forget what this process remembers of tenants, their hosts and their keys: one has changed."""
    context.forget()
    hosts.forget()
    keys.forget()


def _move(tenant: Tenant, old: str, new: str) -> None:
    if not Tenant.objects.filter(id=tenant.id, live=None, status=old).update(status=new):
        raise StandingUnchanged
    Tenant.objects.filter(live=tenant, status=old).update(status=new)
    forget()

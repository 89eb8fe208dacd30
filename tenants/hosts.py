"""Which tenant a host name leads to."""

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils.translation import gettext_lazy as _

from core.errors import Denied, NotFound
from tenants import context
from tenants.memory import Memory
from tenants.models import Domain, Tenant

# The platform answers here itself: its own admin, and the API for the keys of all tenants.
LOOPBACK = "127.0.0.1"
HTTP_PORT = 80

# Unknown names are remembered too, so that somebody who guesses names does not make the database work.
_tenants: Memory[Tenant | None] = Memory(ttl_seconds=30, size_max=5_000)


class UnknownHost(NotFound):
    """No tenant answers at this address."""

    message = _("There is nothing at this address.")


class TenantSuspended(Denied):
    """The platform has stopped serving this tenant."""

    message = _("This account is suspended. Please contact the platform's support.")


def name_in(request: HttpRequest) -> str:
    """Return the host name that a request was sent to: in small letters, without a port and a final dot."""
    return split_domain_port(request.get_host())[0].removesuffix(".")


def is_platform(host: str) -> bool:
    """Tell whether a host name, without its port, is the platform's own."""
    return host in {settings.BASE_DOMAIN, LOOPBACK}


def is_ours(host: str) -> bool:
    """Tell whether a host name is the platform's, or one that it gives to tenants."""
    return is_platform(host) or host.endswith(f".{settings.BASE_DOMAIN}")


def get_tenant(host: str) -> Tenant:
    """
    Return the tenant that a host name leads to.

    :raises UnknownHost: when it leads nowhere.
    :raises TenantSuspended: when the tenant is not served.
    """
    tenant = _tenants.recall(host, lambda: _look_up(host))
    if tenant is None:
        raise UnknownHost
    check_served(tenant)
    return tenant


def check_served(tenant: Tenant) -> None:
    """
    Let a tenant pass that takes requests.

    :raises TenantSuspended: for one that does not.
    """
    if tenant.status != Tenant.Status.ACTIVE:
        raise TenantSuspended


def name_for(slug: str) -> str:
    """Return the host name of a tenant that has no domain of its own."""
    return f"{slug}.{settings.BASE_DOMAIN}"


def url_of(host: str) -> str:
    """Return where a host's pages begin: `http://demo.localhost:8000`; behind a proxy with HTTPS no port shows."""
    port = "" if settings.HTTPS or settings.PORT == HTTP_PORT else f":{settings.PORT}"
    return f"{'https' if settings.HTTPS else 'http'}://{host}{port}"


def forget() -> None:
    """Forget which hosts lead where: a tenant or a domain has changed."""
    _tenants.forget()


def _look_up(host: str) -> Tenant | None:
    with context.in_public():
        domain = Domain.objects.select_related("tenant").filter(domain=host).first()
    return None if domain is None or domain.tenant.status == Tenant.Status.TEMPLATE else domain.tenant

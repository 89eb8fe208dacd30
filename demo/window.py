"""What the site of the record shop needs to know of Sarafan: where it is, and a key that may stand in its page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.conf import settings

from core.db import transaction
from demo import access, tenants
from demo.businesses import Business
from tenants import context, hosts, keys
from tenants.models import ApiKey, Tenant

KEY_NAME: Final = "Shop window"


def ensure(*, business: Business, told: Mapping[str, Any], at: datetime) -> dict[str, str]:
    """
    Return what the site is to know. Of what it was told before, the key and the secret of the webhook stay.

    A key that was lost is replaced, and one that names another origin, as of a run at another port, names this one.
    """
    tenant = tenants.find(business=business)
    if tenant is None:
        raise ValueError(f"There is no {business.name} yet.")
    full = str(told.get("publishable_key", ""))
    key = access.find_key(full, at=at)
    if key is None or key.tenant.pk != tenant.pk or not key.is_publishable:
        full = _issue(tenant, at)
    elif origin() not in key.origins:
        _move(ApiKey.objects.get(pk=key.id))
    return {
        "url": origin(),
        "api": access.address_of(settings.BASE_DOMAIN),
        "admin": f"{access.address_of(hosts.name_for(business.slug))}/admin/",
        "publishable_key": full,
        "webhook_secret": str(told.get("webhook_secret", "")),
    }


def origin() -> str:
    """Return where the site is, as browsers say it."""
    return f"http://localhost:{settings.DEMO_SHOP_PORT}"


@transaction
def _issue(tenant: Tenant, at: datetime) -> str:
    key, full = keys.add(
        tenant=tenant,
        environment=Tenant.Environment.LIVE,
        kind=ApiKey.Kind.PUBLISHABLE,
        name=KEY_NAME,
        scopes=keys.PUBLIC_SCOPES,
        allowed_origins=[origin()],
        at=at,
    )
    with context.in_tenant(tenant.schema_name):
        tenants.note(action="apikey.added", target=f"apikey:{key.pk} {key}", changes={"scopes": key.scopes}, at=at)
    return full


@transaction
def _move(key: ApiKey) -> None:
    keys.confine(
        key=key,
        allowed_networks=(),
        allowed_origins=[origin()],
        requests_a_second_max=key.requests_a_second_max,
    )

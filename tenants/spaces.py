"""A space is what a tenant or a sandbox consists of: its row, its schema, copied from the template, and its domain."""

from datetime import datetime
from typing import Final

from core.db import in_transaction
from tenants import context, hosts, schemas
from tenants.models import Domain, Tenant

TEMPLATE: Final = "template"


def schema_for(slug: str) -> str:
    """Return the name of a slug's schema: `t_needle_groove` for needle-groove. Two slugs never share one."""
    return "t_" + slug.replace("-", "_")


@in_transaction
def make(  # noqa: PLR0913 (what a tenant is)
    *, name: str, slug: str, time_zone: str, currency: str, language: str, live: Tenant | None, at: datetime
) -> Tenant:
    """Make a tenant's space, or its sandbox's when `live` is given. The values have been checked."""
    with context.in_public():
        tenant: Tenant = Tenant.objects.create(
            schema_name=schema_for(slug),
            name=name,
            slug=slug,
            time_zone=time_zone,
            currency=currency,
            language=language,
            environment=Tenant.Environment.LIVE if live is None else Tenant.Environment.SANDBOX,
            live=live,
            created_at=at,
        )
        Domain.objects.create(domain=hosts.name_for(slug), tenant=tenant)
        schemas.copy(source=TEMPLATE, target=tenant.schema_name)
    # It may have been asked for before it was there.
    context.forget()
    hosts.forget()
    return tenant

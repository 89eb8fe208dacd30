"""A request as the middleware leaves it."""

from django.http import HttpRequest

from tenants.keys import KnownKey
from tenants.models import Tenant


class TenantRequest(HttpRequest):
    """What TenantMiddleware and KeyAuthentication have added to every request."""

    # None at the platform's own host, until a key has said whose the request is.
    tenant: Tenant | None
    # Set only where a key was sent: a good one, or one that has ended.
    api_key: KnownKey
    ended_key: KnownKey
    # Set only where a page may read the answer.
    page_origin: str

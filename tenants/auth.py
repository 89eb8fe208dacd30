"""Who calls the API: the program whose key is in the header `Authorization: Bearer sk_…`."""

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from core import codes
from tenants import context, hosts, keys
from tenants.keys import KnownKey
from tenants.models import Tenant
from tenants.requests import TenantRequest

# A key's prefix is not secret, so what is wrong with a key is nobody's business: one sentence for everything.
REFUSED = _("This API key is not valid here.")


@dataclass(frozen=True)
class KeyUser:
    """A program as `request.user`: it has passed, and is nobody of the staff."""

    key: KnownKey
    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = False

    def __str__(self) -> str:
        return str(self.key)


class KeyAuthentication(BaseAuthentication):
    """
    Let a program in by its key, and take the request to the schema that the key leads to.

    At a tenant's host the key must be that tenant's, or lead to its sandbox; the platform's host takes every tenant's.
    """

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[KeyUser, KnownKey] | None:
        words = request.headers.get("Authorization", "").split()
        if not words:
            return None
        key = self._key_of(words)
        asked = cast("TenantRequest", request._request)
        self._go_to(asked, key.tenant)
        asked.api_key = key
        return KeyUser(key), key

    def authenticate_header(self, request: Request) -> str:
        return self.keyword

    def _key_of(self, words: list[str]) -> KnownKey:
        if len(words) != 2 or words[0].lower() != "bearer":
            raise AuthenticationFailed(REFUSED)
        parts = codes.split_key(words[1])
        key = None if parts is None else keys.find(prefix=parts.prefix)
        if parts is None or key is None or not key.is_good(given=parts, at=timezone.now()):  # noqa: TID251 (an edge)
            raise AuthenticationFailed(REFUSED)
        return key

    def _go_to(self, request: TenantRequest, tenant: Tenant) -> None:
        if request.tenant is not None and request.tenant.id not in {tenant.id, tenant.live_id}:
            raise AuthenticationFailed(REFUSED)
        hosts.check_served(tenant)
        context.enter(tenant)
        request.tenant = tenant


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """KeyAuthentication in the OpenAPI document."""

    target_class = KeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "sk_live_… or sk_test_…",
            "description": str(_("An API key. A test key leads to the tenant's sandbox.")),
        }

"""Who calls the API: the program whose key is in the header `Authorization: Bearer sk_…`, or the page with a `pk_…`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from core import codes, trail
from core.callers import address_of
from core.errors import Denied
from tenants import context, hosts, key_uses, keys, rates
from tenants.keys import KnownKey
from tenants.models import Tenant
from tenants.requests import TenantRequest

# A key's prefix is not secret, so what is wrong with a key is nobody's business: one sentence for everything.
REFUSED = _("This API key is not valid here.")


class OriginNotAllowed(Denied):
    """A publishable key was sent by no page, or by one of a site that the key does not name."""

    message = _("This key is for pages of other sites. Add this page's origin to the key, or use a secret key.")


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
        asked = cast("TenantRequest", request._request)
        key = self._key_of(words, asked, timezone.now())  # noqa: TID251 (an edge; keys live in real time)
        self._go_to(asked, key.tenant)
        if key.is_publishable and not hasattr(asked, "page_origin"):
            raise OriginNotAllowed
        asked.api_key = key
        trail.key.set(key.start)
        return KeyUser(key), key

    def authenticate_header(self, request: Request) -> str:
        return self.keyword

    def _key_of(self, words: list[str], request: TenantRequest, at: datetime) -> KnownKey:
        address = address_of(request)
        given = codes.split_key(words[1]) if len(words) == 2 and words[0].lower() == "bearer" else None
        is_familiar = given is not None and keys.is_familiar(given)
        if not is_familiar:
            # Before anything is looked up. Who has a key that works is not held up by a neighbour who has none.
            rates.check_stranger(given=given, address=address, at=at)
        key = None if given is None else keys.find(prefix=given.prefix)
        if given is None or key is None or not key.is_what(given):
            rates.note_stranger(address=address, at=at)
            raise AuthenticationFailed(REFUSED)
        # Before the key is refused for anything else: a page of the sites that it names may read why.
        self._note_page(request, key)
        if not is_familiar:
            rates.note_known(given)
        if not key.holds(at=at):
            # Whoever sent it knows its secret. The middleware writes that down, once this is answered.
            request.ended_key = key
            raise AuthenticationFailed(REFUSED)
        if not key.is_welcome_from(address):
            key_uses.note_elsewhere(key=key, address=address, at=at)
            raise AuthenticationFailed(REFUSED)
        return key

    def _note_page(self, request: TenantRequest, key: KnownKey) -> None:
        origin = request.headers.get("Origin", "")
        if key.is_publishable and origin in key.origins:
            request.page_origin = origin

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

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        # Of several scopes any will do, and what is needed besides goes with each (OpenAPI 3.1 calls them roles).
        scopes: tuple[str, ...] = auto_schema.view.scopes_of(auto_schema.method)
        besides: str = auto_schema.view.scope_besides
        if set(scopes) == set(keys.ALL_SCOPES):
            return [{self.name: []}]
        return [{self.name: [scope, *filter(None, [besides])]} for scope in scopes]

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "sk_live_…, sk_test_…, pk_live_… or pk_test_…",
            "description": str(
                _("An API key. A test key leads to the tenant's sandbox; one that begins with pk_ may stand in a page.")
            ),
        }

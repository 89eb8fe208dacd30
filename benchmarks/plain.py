"""
What our API is compared with: applications that do less, called in the same way.

H1 is a plain Django view that knows the key by heart, inserts the event and answers. The other one is our own view
behind all of our middleware, where nobody has to find out which tenant a request belongs to.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import override_settings
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from core.callers import address_of
from core.db import fetch
from events.api import Events
from tenants import hosts, key_uses
from tenants.auth import KeyAuthentication
from tenants.models import Tenant
from tenants.requests import TenantRequest

TENANT_MIDDLEWARE: Final = "tenants.middleware.TenantMiddleware"

INSERT: Final = """
INSERT INTO events_event (source, key, kind, fingerprint, identities, business_key, occurred_at, received_at, data,
    is_history, depth, status, attempts, error, trace)
VALUES ('api', %(key)s, %(kind)s, %(fingerprint)s, %(identities)s, %(business_key)s, %(at)s, %(at)s, %(data)s, false, 0,
    'waiting', 0, '', '[]')
ON CONFLICT DO NOTHING RETURNING id
"""

# The hash of the one key that this application knows.
known: set[str] = set()


def plain() -> WSGIHandler:
    """Return H1: no middleware but the one that leads to the view."""
    with override_settings(MIDDLEWARE=["benchmarks.plain.OwnAddresses"]):
        return WSGIHandler()


def with_tenant_known() -> WSGIHandler:
    """Return our view behind our middleware, without those parts that find out whose a request is."""
    middleware = ["benchmarks.plain.OnlyTenant" if name == TENANT_MIDDLEWARE else name for name in settings.MIDDLEWARE]
    with override_settings(MIDDLEWARE=middleware):
        return WSGIHandler()


class OwnAddresses:
    """Leads to the views below."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.urlconf = __name__
        return self.get_response(request)


class OnlyTenant(OwnAddresses):
    """Takes the place of TenantMiddleware where there is one tenant only, in whose schema the connection is."""

    tenant: Tenant

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked: Any = request
        asked.tenant = self.tenant
        response = super().__call__(request)
        key_uses.note(key=asked.api_key, address=address_of(request), at=timezone.now())
        return response


class StayingAuthentication(KeyAuthentication):
    """Knows the key, and goes nowhere."""

    def _go_to(self, request: TenantRequest, tenant: Tenant) -> None:
        hosts.check_served(tenant)


class StayingEvents(Events):
    authentication_classes = [StayingAuthentication]


@csrf_exempt
def take(request: HttpRequest) -> HttpResponse:
    """H1: know the key, insert the event, answer."""
    secret = request.headers["Authorization"].removeprefix("Bearer ")
    if not any(hmac.compare_digest(hashlib.sha256(secret.encode()).hexdigest(), each) for each in known):
        return JsonResponse({"detail": "Who is it?"}, status=401)
    body = json.loads(request.body)
    rows = fetch(
        INSERT,
        {
            "key": body["key"],
            "kind": body["kind"],
            "fingerprint": hashlib.sha256(request.body).hexdigest(),
            "identities": json.dumps([{"kind": kind, "value": value} for kind, value in body["member"].items()]),
            "business_key": f"order.paid:{body['data']['order_id']}",
            "at": timezone.now(),
            "data": json.dumps(body["data"]),
        },
    )
    return JsonResponse({"id": rows[0].id, "key": body["key"], "status": "waiting"}, status=202)


urlpatterns = [path("plain/events", take), path("api/v1/events", StayingEvents.as_view())]

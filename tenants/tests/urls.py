"""A tenant's host, as far as these tests need one: the back office, and an operation that says whose it is."""

from typing import cast

from django.urls import path
from django.utils import timezone, translation
from rest_framework.request import Request
from rest_framework.response import Response

from core.backoffice import tenant_site
from tenants import context
from tenants.keys import KnownKey
from tenants.views import TenantView


class Whose(TenantView):
    """Say where a request has come to."""

    required_scope = "members:read"

    def get(self, request: Request) -> Response:
        return Response(
            {
                "tenant": context.current().slug,
                "schema": context.connection.schema_name,
                "zone": timezone.get_current_timezone_name(),
                "language": translation.get_language(),
                "key": cast("KnownKey", request.auth).prefix,
            }
        )


urlpatterns = [path("admin/", tenant_site.urls), path("api/whose", Whose.as_view())]

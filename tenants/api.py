"""What a program may ask of its own key."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tenants import keys, rates
from tenants.keys import KnownKey
from tenants.models import ApiKey, Tenant
from tenants.views import TenantView

EXAMPLE = {
    "id": 7,
    "name": "Till",
    "kind": "secret",
    "start": "sk_test_a2b3c4d5_",
    "environment": "sandbox",
    "tenant": {
        "slug": "demo-sandbox",
        "name": "Demo",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "language": "en",
    },
    "scopes": ["events:write", "members:read"],
    "expires_at": None,
    "limits": {"requests_a_second": 100, "requests_a_day": 5_000_000, "events_a_day": 5_000_000},
    "replaced_by": None,
}


class TenantOutput(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    time_zone = serializers.CharField(help_text="Decides where a day begins.")
    currency = serializers.CharField(help_text="ISO 4217. Amounts are whole numbers of its smallest unit.")
    language = serializers.CharField(help_text="Of the sentences in answers.")


class LimitsOutput(serializers.Serializer[Any]):
    requests_a_second = serializers.IntegerField(
        help_text="Twice as many may come at once. Of a publishable key: from each address."
    )
    requests_a_day = serializers.IntegerField(help_text="Of all keys of the tenant together, in a day of UTC.")
    events_a_day = serializers.IntegerField(help_text="Reported with all keys of the tenant, in a day of UTC.")


class Key(TenantView):
    """`/api/v1/key`."""

    # Any key may ask about itself.
    required_scope = keys.ALL_SCOPES

    class Output(serializers.Serializer[Any]):
        id = serializers.IntegerField()
        name = serializers.CharField()
        kind = serializers.ChoiceField(ApiKey.Kind.choices)
        start = serializers.CharField(help_text="What the key begins with. The rest is its secret.")
        environment = serializers.ChoiceField(Tenant.Environment.choices)
        tenant = TenantOutput()
        scopes = serializers.ListField(child=serializers.CharField())
        expires_at = serializers.DateTimeField(allow_null=True)
        limits = LimitsOutput()
        replaced_by = serializers.CharField(
            allow_null=True, help_text="What the key begins with that was issued in place of this one."
        )

    @extend_schema(
        operation_id="get_key",
        summary="See whose key this is, and what it may do",
        responses=Output,
        examples=[OpenApiExample("A test key", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        key = cast("KnownKey", request.auth)
        successor = keys.find_successor(key=key)
        return Response(
            self.Output(
                {
                    "id": key.id,
                    "name": key.name,
                    "kind": key.kind,
                    "start": key.start,
                    "environment": key.tenant.environment,
                    "tenant": key.tenant,
                    "scopes": sorted(key.scopes),
                    "expires_at": key.expires_at,
                    "limits": {
                        "requests_a_second": rates.a_second(key=key),
                        "requests_a_day": rates.requests_a_day(key=key),
                        "events_a_day": rates.events_a_day(key=key),
                    },
                    "replaced_by": successor and successor.start,
                }
            ).data
        )

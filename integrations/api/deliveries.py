"""What was sent to a webhook, and what came of it."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http import CursorPage
from integrations.models import Delivery
from integrations.webhooks import endpoints, resending
from integrations.webhooks.outcomes import ERRORS
from rewards.api.who import actor_of
from tenants.clock import now
from tenants.views import TenantView


class DeliveryOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    message_id = serializers.CharField(help_text="The header webhook-id: it stays when the message is sent again.")
    kind = serializers.CharField()
    event_id = serializers.IntegerField(allow_null=True, help_text="The fact's number in the log; null for a test.")
    status = serializers.ChoiceField(choices=Delivery.Status.choices)
    attempts = serializers.IntegerField(help_text="How often it was tried, of ten times.")
    next_at = serializers.DateTimeField(allow_null=True, help_text="When it is tried next.")
    answer_status = serializers.IntegerField(allow_null=True, help_text="HTTP status of the last answer.")
    error = serializers.ChoiceField(choices=["", *ERRORS], help_text="What went wrong at the last attempt.")
    latency_ms = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    attempted_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)


class WholeDelivery(DeliveryOutput):
    class Try(serializers.Serializer[Any]):
        at = serializers.DateTimeField()
        status = serializers.IntegerField(allow_null=True)
        latency_ms = serializers.IntegerField(allow_null=True)
        error = serializers.CharField()

    body = serializers.CharField(help_text="As it was signed and sent. Empty before the first attempt.")
    answer = serializers.CharField(
        help_text="What the last answer began with: of a success up to 1 KiB, of any other up to 64."
    )
    tries = serializers.ListField(child=Try(), help_text="The attempts before the last one, the oldest first.")


class Deliveries(TenantView):
    """`/api/v1/webhooks/{webhook_id}/deliveries`."""

    required_scope = "webhooks:write"
    pagination_class = CursorPage

    class Filters(serializers.Serializer[Any]):
        status = serializers.ChoiceField(required=False, choices=Delivery.Status.choices)
        kind = serializers.CharField(required=False, max_length=60)

    @extend_schema(
        operation_id="list_webhook_deliveries",
        summary="List what was sent to a webhook, the newest first",
        parameters=[Filters],
        responses=DeliveryOutput(many=True),
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        given = self.valid(self.Filters, request)
        found = Delivery.objects.filter(endpoint=endpoints.get(webhook_id), **given).defer("body", "answer", "tries")
        return self.page(found, request, DeliveryOutput)


class OneDelivery(TenantView):
    """`/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}`."""

    required_scope = "webhooks:write"

    @extend_schema(
        operation_id="get_webhook_delivery", summary="Look at what was sent and answered", responses=WholeDelivery
    )
    def get(self, request: Request, webhook_id: int, delivery_id: int) -> Response:
        return Response(WholeDelivery(_get(webhook_id, delivery_id)).data)


class DeliveryResend(TenantView):
    """`/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/resend`."""

    required_scope = "webhooks:write"

    @extend_schema(
        operation_id="resend_webhook_delivery",
        summary="Send one message again",
        description="With the same id and the same bytes, whatever became of it.",
        request=None,
        responses={202: OpenApiResponse(DeliveryOutput, description="It goes out; look at the delivery.")},
    )
    def post(self, request: Request, webhook_id: int, delivery_id: int) -> Response:
        found = _get(webhook_id, delivery_id)
        resending.resend(delivery=found, by=actor_of(request), at=now())
        return Response(DeliveryOutput(_get(webhook_id, delivery_id)).data, status=202)


def _get(webhook_id: int, delivery_id: int) -> Delivery:
    endpoint = endpoints.get(webhook_id)
    found = Delivery.objects.filter(endpoint=endpoint, pk=delivery_id).select_related("endpoint").first()
    if found is None:
        raise resending.UnknownDelivery
    return found

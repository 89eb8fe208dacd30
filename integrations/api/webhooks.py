"""Webhooks themselves."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http import CursorPage
from integrations.api.deliveries import DeliveryOutput
from integrations.models import Endpoint
from integrations.webhooks import addresses, endpoints, examples, figures, kinds, payloads, resending, secrets
from integrations.webhooks.endpoints import Wanted
from integrations.webhooks.figures import Figures
from rewards.api.who import actor_of
from tenants.clock import now
from tenants.views import TenantView


class WebhookInput(serializers.Serializer[Any]):
    url = serializers.CharField(
        max_length=addresses.LENGTH_MAX, help_text="Where messages are sent: https:// on the open internet."
    )
    kinds = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        max_length=200,
        help_text="The facts that it is told of, see /webhooks/kinds. Left out: all that are confirmed.",
    )
    description = serializers.CharField(required=False, max_length=200, allow_blank=True, help_text="For yourself.")


class SecretOutput(serializers.Serializer[Any]):
    ending = serializers.CharField(help_text="The last four characters before the = at its end.")
    until = serializers.DateTimeField(allow_null=True, help_text="It signs until then. null: the newest, without end.")


class ResendOutput(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    which = serializers.ChoiceField(choices=["undelivered", "all"])
    count = serializers.IntegerField(help_text="How many facts are sent again so far.")
    is_done = serializers.BooleanField(help_text="The log is gone through, and `count` is all of them.")
    done_percent = serializers.IntegerField(help_text="How much of the log is gone through.")


class WebhookOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    url = serializers.CharField()
    description = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField(), help_text="The facts that it is told of.")
    status = serializers.ChoiceField(choices=Endpoint.Status.choices)
    disabled_why = serializers.CharField(
        source="status_note",
        help_text="gone: it answered 410. failing: for a day nothing arrived. Empty: it is not disabled.",
    )
    version = serializers.IntegerField(help_text="Of the payloads.")
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="The first of the failures that no success has ended."
    )
    last_delivered_at = serializers.SerializerMethodField()
    waiting = serializers.SerializerMethodField(help_text="How many messages wait, counted up to 10000.")
    old_secret_until = serializers.DateTimeField(
        source="secret_old_until", allow_null=True, help_text="Until then the secret before signs too."
    )
    secrets = serializers.SerializerMethodField(help_text="Those that sign now, the newest first: three at most.")
    resending = serializers.SerializerMethodField(help_text="How far the last sending again is.")
    created_at = serializers.DateTimeField()

    @classmethod
    def of(cls, rows: Sequence[Endpoint], **told: Any) -> list[dict[str, Any]]:
        """Return webhooks as they are told, with their figures."""
        known = figures.read([row.pk for row in rows])
        return [{**cls(row, context={"figures": known}).data, **told} for row in rows]

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_last_delivered_at(self, row: Endpoint) -> Any:
        at = self._figures_of(row).delivered_at
        return at and serializers.DateTimeField().to_representation(at)

    @extend_schema_field(SecretOutput(many=True))
    def get_secrets(self, row: Endpoint) -> Any:
        return SecretOutput(secrets.signing_now(row, at=now()), many=True).data

    @extend_schema_field(ResendOutput(allow_null=True))
    def get_resending(self, row: Endpoint) -> Any:
        course = resending.find_course(row)
        return course and ResendOutput(course).data

    def get_waiting(self, row: Endpoint) -> int:
        return self._figures_of(row).waiting

    def _figures_of(self, row: Endpoint) -> Figures:
        found: Figures = self.context["figures"][row.pk]
        return found


class WebhookWithSecret(WebhookOutput):
    secret = serializers.CharField(help_text="What messages are signed with. It is not shown again.", read_only=True)


class Webhooks(TenantView):
    """`/api/v1/webhooks`."""

    required_scope = "webhooks:write"
    pagination_class = CursorPage

    @extend_schema(
        operation_id="list_webhooks", summary="List webhooks, the newest first", responses=WebhookOutput(many=True)
    )
    def get(self, request: Request) -> Response:
        pages = CursorPage()
        rows = pages.paginate_queryset(Endpoint.objects.all(), request, self)
        return pages.get_paginated_response(WebhookOutput.of(rows))

    @extend_schema(
        operation_id="create_webhook",
        summary="Add a webhook",
        description="At most 20. The answer has its secret, once.",
        request=WebhookInput,
        responses={201: OpenApiResponse(WebhookWithSecret, description="It is told of facts from now on.")},
    )
    def post(self, request: Request) -> Response:
        given = self.valid(WebhookInput, request)
        made, secret = endpoints.add(wanted=Wanted(**given), by=actor_of(request), at=now())
        return Response(WebhookOutput.of([made], secret=secret)[0], status=201)


class Kinds(TenantView):
    """`/api/v1/webhooks/kinds`."""

    required_scope = "webhooks:write"

    class Output(serializers.Serializer[Any]):
        class Kind(serializers.Serializer[Any]):
            kind = serializers.CharField(source="name")
            title = serializers.CharField(help_text="What people call it.")
            is_confirmed = serializers.BooleanField(
                help_text="It stands, and neither a moderator nor time decides about it any more."
            )
            object_type = serializers.CharField(help_text="What it is about.")
            payload_schema = serializers.DictField(help_text="JSON schema of a whole message.")
            example = serializers.DictField(help_text="Of its data.")

        kinds = Kind(many=True)

    @extend_schema(
        operation_id="list_webhook_kinds", summary="List the facts a webhook can be told of", responses=Output
    )
    def get(self, request: Request) -> Response:
        found = [
            {
                "name": each.name,
                "title": str(each.label),
                "is_confirmed": each.is_confirmed,
                "object_type": each.object_type,
                "payload_schema": payloads.schema_of(each),
                "example": each.example,
            }
            for each in kinds.ALL.values()
        ]
        return Response(self.Output({"kinds": found}).data)


class OneWebhook(TenantView):
    """`/api/v1/webhooks/{webhook_id}`."""

    required_scope = "webhooks:write"

    class Input(serializers.Serializer[Any]):
        url = serializers.CharField(required=False, max_length=addresses.LENGTH_MAX)
        kinds = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=200)
        description = serializers.CharField(required=False, max_length=200, allow_blank=True)
        status = serializers.ChoiceField(
            required=False,
            choices=["active", "paused"],
            help_text="paused: what happens meanwhile waits. active: go on, after it was disabled too.",
        )

    @extend_schema(operation_id="get_webhook", summary="Look at a webhook", responses=WebhookOutput)
    def get(self, request: Request, webhook_id: int) -> Response:
        return Response(WebhookOutput.of([endpoints.get(webhook_id)])[0])

    @extend_schema(
        operation_id="update_webhook",
        summary="Change, pause or resume a webhook",
        request=Input,
        responses=WebhookOutput,
    )
    def patch(self, request: Request, webhook_id: int) -> Response:
        given = self.valid(self.Input, request)
        at, by, found = now(), actor_of(request), endpoints.get(webhook_id)
        status = given.pop("status", found.status)
        if given:
            as_it_is = {"url": found.url, "kinds": found.kinds, "description": found.description}
            found = endpoints.change(endpoint=found, wanted=Wanted(**{**as_it_is, **given}), by=by, at=at)
        if status != found.status:
            move = endpoints.pause if status == Endpoint.Status.PAUSED else endpoints.resume
            found = move(endpoint=found, by=by, at=at)
        return Response(WebhookOutput.of([found])[0])

    @extend_schema(
        operation_id="delete_webhook",
        summary="Delete a webhook, with all that waits",
        responses={204: OpenApiResponse(description="It is gone.")},
    )
    def delete(self, request: Request, webhook_id: int) -> Response:
        endpoints.delete(endpoint=endpoints.get(webhook_id), by=actor_of(request), at=now())
        return Response(status=204)


class Rotation(TenantView):
    """`/api/v1/webhooks/{webhook_id}/rotation`."""

    required_scope = "webhooks:write"

    @extend_schema(
        operation_id="rotate_webhook_secret",
        summary="Give a webhook another secret",
        description="Each one before signs too, until its own 24 hours are over: each message has all signatures.",
        request=None,
        responses={201: OpenApiResponse(WebhookWithSecret, description="With the new secret, once.")},
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        found, secret = endpoints.rotate(endpoint=endpoints.get(webhook_id), by=actor_of(request), at=now())
        return Response(WebhookOutput.of([found], secret=secret)[0], status=201)

    @extend_schema(
        operation_id="end_webhook_rotation",
        summary="Let only the newest secret sign from now on",
        description="For when somebody has an old one who should not.",
        responses={204: OpenApiResponse(description="No other one signs any more.")},
    )
    def delete(self, request: Request, webhook_id: int) -> Response:
        endpoints.end_overlap(endpoint=endpoints.get(webhook_id), by=actor_of(request), at=now())
        return Response(status=204)


class Test(TenantView):
    """`/api/v1/webhooks/{webhook_id}/test`."""

    required_scope = "webhooks:write"

    @extend_schema(
        operation_id="test_webhook",
        summary="Send a test",
        description="Of the kind webhook.test: it says that nothing has happened.",
        request=None,
        responses={202: OpenApiResponse(DeliveryOutput, description="It goes out; look at the delivery.")},
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        made = examples.test(endpoint=endpoints.get(webhook_id), by=actor_of(request), at=now())
        return Response(DeliveryOutput(made).data, status=202)


class Resend(TenantView):
    """`/api/v1/webhooks/{webhook_id}/resend`."""

    required_scope = "webhooks:write"

    class Input(serializers.Serializer[Any]):
        since = serializers.DateTimeField(help_text="From then on, at most 30 days ago.")
        until = serializers.DateTimeField(required=False, help_text="Until then. Left out: until now.")
        which = serializers.ChoiceField(
            choices=["undelivered", "all"],
            default="undelivered",
            help_text="undelivered: what has not arrived, or was never sent. all: everything, once more.",
        )

    @extend_schema(
        operation_id="resend_webhook_deliveries",
        summary="Send again what happened since",
        description="Out of the log of events, so that what happened while the webhook was disabled is there too. A "
        "long log is gone through piece by piece: `resending` of the webhook says how far that is.",
        request=Input,
        responses={202: OpenApiResponse(ResendOutput, description="They go out, the oldest first.")},
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        given = self.valid(self.Input, request)
        found = endpoints.get(webhook_id)
        course = resending.resend_since(endpoint=found, by=actor_of(request), at=now(), **given)
        return Response(ResendOutput(course).data, status=202)

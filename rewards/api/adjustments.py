"""Where a tenant's programs give and take by hand."""

from typing import Any

from django.db.models import OuterRef, QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Invalid
from core.http import CursorPage
from members import names, people
from rewards import adjustments
from rewards.adjustments import Wish
from rewards.api.periods import Period, within
from rewards.api.who import actor_of
from rewards.models import Adjustment, Asset
from tenants.clock import now
from tenants.views import TenantView


class AdjustmentOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    key = serializers.CharField()
    member = serializers.CharField(source="external_id", allow_null=True, help_text="The member's external_id.")
    member_id = serializers.IntegerField()
    asset = serializers.CharField(source="asset.code")
    amount = serializers.IntegerField(help_text="Below zero where something is taken.")
    reason = serializers.CharField()
    status = serializers.ChoiceField(choices=Adjustment.Status.choices)
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    decided_by = serializers.CharField(help_text="The second person; empty where none was needed.")
    decided_at = serializers.DateTimeField(allow_null=True)


class Adjustments(TenantView):
    """`/api/v1/adjustments`."""

    required_scope = {"POST": "rewards:write", "GET": "rewards:read"}
    pagination_class = CursorPage

    class Input(serializers.Serializer[Any]):
        key = serializers.CharField(
            max_length=200, help_text="Your own name for it, which makes it safe to send again."
        )
        member = serializers.CharField(max_length=200, help_text="An external_id.")
        asset = serializers.CharField(max_length=20, default="points", help_text="An asset's code.")
        amount = serializers.IntegerField(
            min_value=-adjustments.AMOUNT_MAX,
            max_value=adjustments.AMOUNT_MAX,
            help_text="In the asset's smallest units; below zero to take.",
        )
        reason = serializers.CharField(max_length=adjustments.REASON_LENGTH_MAX, help_text="The member reads it.")

    class Filters(Period):
        status = serializers.ChoiceField(required=False, choices=Adjustment.Status.choices)
        member = serializers.CharField(required=False, max_length=200, help_text="An external_id.")

    @extend_schema(
        operation_id="create_adjustment",
        summary="Give or take by hand",
        description="Above the tenant's threshold it waits for a person of the staff. What the same key of yours asked "
        "for the same member within 24 hours counts along.",
        request=Input,
        responses={
            201: OpenApiResponse(AdjustmentOutput, description="It is on the member's balance."),
            202: OpenApiResponse(AdjustmentOutput, description="It waits for a second person, or waited for one."),
        },
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        member = people.get_by_external_id(given["member"])
        wish = Wish(given["key"], member.pk, _asset(given["asset"]).pk, given["amount"], given["reason"])
        made = adjustments.ask(wish=wish, by=actor_of(request), at=now())
        needed_two = made.status == Adjustment.Status.WAITING or made.decided_by
        shown = _shown().get(pk=made.pk)
        return Response(AdjustmentOutput(shown).data, status=202 if needed_two else 201)

    @extend_schema(
        operation_id="list_adjustments",
        summary="List changes by hand, the newest first",
        parameters=[Filters],
        responses=AdjustmentOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        given = self.valid(self.Filters, request)
        found = _shown().filter(**within(given, column="asked_at"))
        if "status" in given:
            found = found.filter(status=given["status"])
        if "member" in given:
            found = found.filter(member=people.find_by_external_id(given["member"]))
        return self.page(found, request, AdjustmentOutput)


class OneAdjustment(TenantView):
    """`/api/v1/adjustments/{adjustment_id}`."""

    required_scope = "rewards:read"

    @extend_schema(operation_id="get_adjustment", summary="Look at a change by hand", responses=AdjustmentOutput)
    def get(self, request: Request, adjustment_id: int) -> Response:
        found = _shown().filter(pk=adjustment_id).first()
        if found is None:
            raise adjustments.UnknownAdjustment
        return Response(AdjustmentOutput(found).data)


def _asset(code: str) -> Asset:
    found = Asset.objects.filter(code=code, is_active=True).first()
    if found is None:
        raise Invalid(pointer="/asset")
    return found


def _shown() -> QuerySet[Adjustment]:
    return adjustments.list_adjustments().annotate(external_id=names.external_id_of(OuterRef("member")))

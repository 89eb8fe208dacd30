"""Where a tenant's programs pay out: what is set aside, what was paid, what has failed."""

from typing import Any

from django.db.models import OuterRef, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Invalid
from core.http import CursorPage
from members import names
from rewards import payouts, redemptions
from rewards.api.periods import Period, within
from rewards.api.who import actor_of
from rewards.models import Asset, Redemption
from tenants.clock import now
from tenants.views import TenantView


class PayoutOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    member = serializers.CharField(source="external_id", allow_null=True, help_text="The member's external_id.")
    member_id = serializers.IntegerField()
    asset = serializers.CharField(source="asset.code")
    currency = serializers.CharField(source="asset.currency")
    amount = serializers.IntegerField(help_text="In the asset's smallest units.")
    status = serializers.ChoiceField(choices=Redemption.Status.choices)
    reference = serializers.CharField(help_text="Of the payment, once it was paid.")
    note = serializers.CharField(help_text="Why it failed.")
    created_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)


class Payouts(TenantView):
    """`/api/v1/payouts`."""

    required_scope = "payouts:write"
    pagination_class = CursorPage

    class Input(serializers.Serializer[Any]):
        asset = serializers.CharField(max_length=20, help_text="The code of an asset of money.")
        key = serializers.CharField(max_length=100, help_text="Names this run: once more it gives what it made.")

    class Filters(Period):
        key = serializers.CharField(required=False, max_length=100, help_text="The key of the run that made them.")
        status = serializers.ChoiceField(required=False, choices=Redemption.Status.choices)
        asset = serializers.CharField(required=False, max_length=20)

    class Output(serializers.Serializer[Any]):
        key = serializers.CharField(help_text="Of this run: what it made is listed by it.")
        asset = serializers.CharField()
        count = serializers.IntegerField(help_text="How many payouts it made.")
        amount = serializers.IntegerField(help_text="What they come to, in the asset's smallest units.")

    @extend_schema(
        operation_id="prepare_payouts",
        summary="Set aside all that can be paid out",
        description="One payout for each member who has as much as the asset's smallest payout, is not blocked, and "
        "has nothing before a moderator. A run that finds nobody makes nothing, and its key may be used again. What it "
        "made is listed by its key.",
        request=Input,
        responses={201: Output},
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        asset = Asset.objects.filter(code=given["asset"]).first()
        if asset is None:
            raise Invalid(pointer="/asset")
        made = payouts.prepare(asset=asset, key=given["key"], by=actor_of(request), at=now())
        told = {"key": given["key"], "asset": asset.code}
        told |= {"count": len(made), "amount": sum(each.amount for each in made)}
        return Response(self.Output(told).data, status=201)

    @extend_schema(
        operation_id="list_payouts",
        summary="List payouts, the newest first",
        parameters=[Filters],
        responses=PayoutOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        given = self.valid(self.Filters, request)
        found = _shown(status=given.get("status", ""), key=given.get("key", "")).filter(**within(given))
        if "asset" in given:
            found = found.filter(asset__code=given["asset"])
        return self.page(found, request, PayoutOutput)


class OnePayout(TenantView):
    """`/api/v1/payouts/{payout_id}`."""

    required_scope = "payouts:write"

    @extend_schema(operation_id="get_payout", summary="Look at a payout", responses=PayoutOutput)
    def get(self, request: Request, payout_id: int) -> Response:
        return Response(_told(payout_id))


class Settlement(TenantView):
    """`/api/v1/payouts/{payout_id}/settlement`."""

    required_scope = "payouts:write"

    class Input(serializers.Serializer[Any]):
        reference = serializers.CharField(max_length=payouts.REFERENCE_LENGTH_MAX, help_text="Of the payment.")

    @extend_schema(
        operation_id="settle_payout",
        summary="Note that a payout was paid",
        request=Input,
        responses=PayoutOutput,
    )
    def post(self, request: Request, payout_id: int) -> Response:
        given = self.valid(self.Input, request)
        found = redemptions.get(redemption_id=payout_id, purpose=payouts.PAYOUT)
        payouts.settle(redemption=found, reference=given["reference"], by=actor_of(request), at=now())
        return Response(_told(payout_id))


class Failure(TenantView):
    """`/api/v1/payouts/{payout_id}/failure`."""

    required_scope = "payouts:write"

    class Input(serializers.Serializer[Any]):
        reason = serializers.CharField(max_length=payouts.REASON_LENGTH_MAX)

    @extend_schema(
        operation_id="fail_payout",
        summary="Give back what could not be paid",
        request=Input,
        responses=PayoutOutput,
    )
    def post(self, request: Request, payout_id: int) -> Response:
        given = self.valid(self.Input, request)
        found = redemptions.get(redemption_id=payout_id, purpose=payouts.PAYOUT)
        payouts.fail(redemption=found, reason=given["reason"], by=actor_of(request), at=now())
        return Response(_told(payout_id))


def _told(payout_id: int) -> Any:
    found = _shown().filter(pk=payout_id).first()
    if found is None:
        raise redemptions.UnknownRedemption
    return PayoutOutput(found).data


def _shown(*, status: str = "", key: str = "") -> QuerySet[Redemption]:
    return payouts.list_payouts(status=status, key=key).annotate(external_id=names.external_id_of(OuterRef("member")))

"""Orders paid partly with points: quote, set aside, capture or release, give back."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http import CursorPage
from core.http.pages import BIGINT_MAX
from core.money import BPS
from members import names, people
from members.api.expansions import MEMBER
from rewards import redemptions, reservations
from rewards.api.periods import Period, within
from rewards.api.purchases import KEY_LENGTH_MAX
from rewards.api.who import actor_of
from rewards.models import Posting, Redemption
from rewards.reservations import Order, Wanted
from tenants.clock import now
from tenants.views import TenantView

AMOUNT_MAX = 10**15


class RedemptionOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    key = serializers.CharField()
    member = serializers.CharField(source="external_id", allow_null=True, help_text="The member's external_id.")
    member_id = serializers.IntegerField()
    order_id = serializers.CharField(source="order_number", help_text="Your order_id, if you said it.")
    asset = serializers.CharField(source="asset.code")
    amount = serializers.IntegerField(help_text="What was set aside.")
    captured = serializers.IntegerField(help_text="What of it was spent.")
    given_back = serializers.IntegerField(source="returned", help_text="What of that was given back since.")
    status = serializers.ChoiceField(choices=Redemption.Status.choices)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="Until then it is set aside.")
    settled_at = serializers.DateTimeField(allow_null=True)


class Quote(TenantView):
    """`/api/v1/redemptions/quote`. It changes nothing, and asks for no more than the right to redeem."""

    required_scope = "redemptions:write"

    class Input(serializers.Serializer[Any]):
        member = serializers.CharField(max_length=200, help_text="An external_id.")
        amount_minor = serializers.IntegerField(min_value=0, max_value=AMOUNT_MAX, help_text="Of the order.")
        currency = serializers.CharField(max_length=3, min_length=3)
        asset = serializers.CharField(required=False, default="points", max_length=20)
        share_bps = serializers.IntegerField(
            required=False,
            default=BPS,
            min_value=1,
            max_value=BPS,
            help_text="At most this share of the order, in hundredths of a percent: 3000 is 30 %.",
        )

    class Output(serializers.Serializer[Any]):
        asset = serializers.CharField(source="asset.code")
        scale = serializers.IntegerField(source="asset.scale", help_text="Digits after the point, for people.")
        available = serializers.IntegerField(help_text="What the member can spend at all.")
        units = serializers.IntegerField(help_text="What may be used for this order: rounded down.")
        worth_minor = serializers.IntegerField(help_text="What that is worth: rounded down.")
        to_pay_minor = serializers.IntegerField(help_text="What then remains to be paid.")
        currency = serializers.CharField()

    @extend_schema(
        operation_id="quote_redemption",
        summary="Ask how much of an order can be paid with points",
        request=Input,
        responses=Output,
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        order = Order(
            member_id=people.get_by_external_id(given["member"]).pk,
            amount_minor=given["amount_minor"],
            currency=given["currency"],
            asset_code=given["asset"],
            share_bps=given["share_bps"],
        )
        return Response(self.Output(reservations.quote(order=order, at=now())).data)


class Redemptions(TenantView):
    """`/api/v1/redemptions`."""

    required_scope = {"POST": "redemptions:write", "GET": "rewards:read"}
    expandable = {"member": MEMBER}
    pagination_class = CursorPage

    class Input(serializers.Serializer[Any]):
        member = serializers.CharField(max_length=200, help_text="An external_id.")
        amount = serializers.IntegerField(min_value=1, max_value=AMOUNT_MAX, help_text="In units of the asset.")
        key = serializers.CharField(max_length=KEY_LENGTH_MAX, help_text="Your own unique name of this redemption.")
        order_id = serializers.CharField(required=False, default="", max_length=100)
        asset = serializers.CharField(required=False, default="points", max_length=20)

    class Filters(Period):
        member = serializers.CharField(required=False, max_length=200, help_text="An external_id.")
        order_id = serializers.CharField(required=False, max_length=100)
        status = serializers.ChoiceField(required=False, choices=Redemption.Status.choices)
        key = serializers.CharField(required=False, max_length=KEY_LENGTH_MAX)

    @extend_schema(
        operation_id="create_redemption",
        summary="Set points aside for an order",
        description="They lie aside for as long as the tenant says (`expires_at`), and go back by themselves if they "
        "are not captured. The key makes it safe to send again.",
        request=Input,
        responses={201: RedemptionOutput},
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        wanted = Wanted(
            key=given["key"],
            member_id=people.get_by_external_id(given["member"]).pk,
            amount=given["amount"],
            order_number=given["order_id"],
            asset_code=given["asset"],
        )
        made = reservations.reserve(wanted=wanted, actor=actor_of(request), at=now())
        return Response(shown(made.pk), status=201)

    @extend_schema(
        operation_id="list_redemptions",
        summary="List what was set aside and spent on orders, the newest first",
        parameters=[Filters],
        responses=RedemptionOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        given = self.valid(self.Filters, request)
        found = list_redemptions().filter(**within(given))
        if "member" in given:
            found = found.filter(member=people.find_by_external_id(given["member"]))
        columns = {COLUMNS[name]: given[name] for name in COLUMNS if name in given}
        return self.page(found.filter(**columns), request, RedemptionOutput)


COLUMNS = {"order_id": "order_number", "status": "status", "key": "key"}


class OneRedemption(TenantView):
    """`/api/v1/redemptions/{redemption_id}`."""

    required_scope = "rewards:read"
    expandable = {"member": MEMBER}

    @extend_schema(operation_id="get_redemption", summary="Look at a redemption", responses=RedemptionOutput)
    def get(self, request: Request, redemption_id: int) -> Response:
        return Response(shown(redemption_id))


class Capture(TenantView):
    """`/api/v1/redemptions/{redemption_id}/capture`."""

    required_scope = "redemptions:write"

    class Input(serializers.Serializer[Any]):
        amount = serializers.IntegerField(
            required=False, min_value=1, max_value=AMOUNT_MAX, help_text="All that was set aside, if left out."
        )

    @extend_schema(
        operation_id="capture_redemption",
        summary="Spend what was set aside",
        description="The rest goes back.",
        request=Input,
        responses=RedemptionOutput,
    )
    def post(self, request: Request, redemption_id: int) -> Response:
        given = self.valid(self.Input, request)
        known = known_number(redemption_id)
        reservations.capture(redemption_id=known, amount=given.get("amount"), at=now())
        return Response(shown(redemption_id))


class Release(TenantView):
    """`/api/v1/redemptions/{redemption_id}/release`."""

    required_scope = "redemptions:write"

    @extend_schema(
        operation_id="release_redemption",
        summary="Give back what was set aside",
        request=None,
        responses=RedemptionOutput,
    )
    def post(self, request: Request, redemption_id: int) -> Response:
        known = known_number(redemption_id)
        reservations.release(redemption_id=known, at=now())
        return Response(shown(redemption_id))


class Return(TenantView):
    """`/api/v1/redemptions/{redemption_id}/return`."""

    required_scope = "redemptions:write"

    class Input(serializers.Serializer[Any]):
        amount = serializers.IntegerField(min_value=1, max_value=AMOUNT_MAX)
        key = serializers.CharField(max_length=KEY_LENGTH_MAX, help_text="Your own unique name of this return.")

    @extend_schema(
        operation_id="return_redemption",
        summary="Give back what was spent on an order that is returned",
        description="Wholly or in part, with its old expiry. What the order earned is another matter: an "
        "`order.refunded` event takes that back.",
        request=Input,
        responses=RedemptionOutput,
    )
    def post(self, request: Request, redemption_id: int) -> Response:
        given = self.valid(self.Input, request)
        known = known_number(redemption_id)
        reservations.give_back(redemption_id=known, amount=given["amount"], key=given["key"], at=now())
        return Response(shown(redemption_id))


def list_redemptions() -> QuerySet[Redemption]:
    """Return what was spent or set aside for orders, with its member's external_id, and what was given back of it."""
    returns = Posting.objects.filter(redemption=OuterRef("pk"), reason=Posting.Reason.RETURN).values("redemption")
    found = Redemption.objects.filter(purpose=reservations.ORDER).select_related("asset")
    return found.annotate(
        external_id=names.external_id_of(OuterRef("member")),
        returned=Coalesce(Subquery(returns.annotate(total=Sum("amount")).values("total")), 0),
    )


def known_number(redemption_id: int) -> int:
    """
    Return a number that a row can have.

    :raises redemptions.UnknownRedemption:
    """
    if redemption_id > BIGINT_MAX:
        raise redemptions.UnknownRedemption
    return redemption_id


def shown(redemption_id: int) -> Any:
    """
    Return a redemption as it is answered.

    :raises redemptions.UnknownRedemption:
    """
    found = list_redemptions().filter(pk=known_number(redemption_id)).first()
    if found is None:
        raise redemptions.UnknownRedemption
    return RedemptionOutput(found).data

"""What a tenant's checkout asks about discount codes."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, cast

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Conflict, NotFound
from members import people
from rewards.api.who import actor_of
from rewards.kinds.discount import checkout
from rewards.kinds.discount.checkout import CodeNotFound, Order, Worth
from rewards.kinds.discount.giving import terms_of
from rewards.models import Entitlement
from tenants import guessing
from tenants.clock import now
from tenants.keys import KnownKey
from tenants.views import TenantView

T = TypeVar("T")

AMOUNT_MINOR_MAX = 10**12
ROUNDING = "In minor units of the order's currency, rounded down; never more than the order."


class OrderInput(serializers.Serializer[Any]):
    amount_minor = serializers.IntegerField(min_value=0, max_value=AMOUNT_MINOR_MAX, help_text="Before the discount.")
    currency = serializers.RegexField(r"^[A-Z]{3}$", help_text="ISO 4217.")


class CodeInput(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=100, help_text="As the customer typed it: case and dashes do not matter.")
    member = serializers.CharField(
        required=False, max_length=200, help_text="An external_id. If given, the code must be this member's."
    )


class TakenOffOutput(serializers.Serializer[Any]):
    """What a code takes off an order."""

    type = serializers.ChoiceField(choices=["percent", "sum", "free_delivery"])
    takes_off_minor = serializers.IntegerField(help_text=ROUNDING)
    free_delivery = serializers.BooleanField()


class Check(TenantView):
    """`/api/v1/codes/check`."""

    required_scope: ClassVar[dict[str, str]] = {"POST": "rewards:read"}

    class Input(CodeInput):
        order = OrderInput()

    class Output(serializers.Serializer[Any]):
        valid = serializers.BooleanField()
        reason = serializers.CharField(allow_null=True, help_text="The code of the error that redeeming would meet.")
        detail = serializers.CharField(allow_null=True, help_text="The reason in a sentence.")
        discount = TakenOffOutput(allow_null=True)
        valid_until = serializers.DateTimeField(allow_null=True, help_text="The first instant when it is not.")

    @extend_schema(
        operation_id="check_discount_code",
        summary="Ask whether a discount code is good for an order",
        request=Input,
        responses=Output,
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        try:
            worth = _looked_up(
                request,
                lambda: checkout.check(code=given["code"], order=_order(given, **given["order"]), at=now()),
            )
        except (NotFound, Conflict) as failure:
            refused = {"valid": False, "reason": failure.code, "detail": str(failure.detail)}
            return Response(self.Output(refused | {"discount": None, "valid_until": None}).data)
        good = {"valid": True, "reason": None, "detail": None, "discount": _taken_off(worth)}
        return Response(self.Output(good | {"valid_until": worth.entitlement.valid_until}).data)


class CodeRedemptions(TenantView):
    """`/api/v1/codes/redemptions`."""

    required_scope: ClassVar[dict[str, str]] = {"POST": "rewards:write"}

    class Input(CodeInput, OrderInput):
        order_id = serializers.CharField(max_length=100, help_text="Your id of the order.")
        key = serializers.CharField(
            max_length=200, help_text="Idempotency key: the same one again gets the same answer."
        )

    class Output(serializers.Serializer[Any]):
        entitlement_id = serializers.IntegerField()
        status = serializers.ChoiceField(choices=Entitlement.Status.choices)
        order_id = serializers.CharField()
        used_at = serializers.DateTimeField()
        discount = TakenOffOutput()

    @extend_schema(
        operation_id="redeem_discount_code",
        summary="Use a discount code for an order",
        request=Input,
        responses={200: OpenApiResponse(Output, description="It is used, for this order and no other.")},
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        order = _order(given, given["amount_minor"], given["currency"], number=given["order_id"])
        worth = _looked_up(
            request,
            lambda: checkout.redeem(
                code=given["code"], order=order, key=given["key"], actor=actor_of(request), at=now()
            ),
        )
        found = worth.entitlement
        told = {"entitlement_id": found.pk, "status": found.status, "order_id": found.used_for}
        return Response(self.Output(told | {"used_at": found.used_at, "discount": _taken_off(worth)}).data)


class Releases(TenantView):
    """`/api/v1/codes/releases`."""

    required_scope: ClassVar[dict[str, str]] = {"POST": "rewards:write"}

    class Input(serializers.Serializer[Any]):
        code = serializers.CharField(max_length=100)
        order_id = serializers.CharField(max_length=100, help_text="The order that it was used for.")

    class Output(serializers.Serializer[Any]):
        entitlement_id = serializers.IntegerField(source="pk")
        status = serializers.ChoiceField(choices=Entitlement.Status.choices)
        valid_until = serializers.DateTimeField(
            allow_null=True, help_text="As it was before: an order does not prolong it."
        )

    @extend_schema(
        operation_id="release_discount_code",
        summary="Give a discount code back whose order was called off",
        request=Input,
        responses=Output,
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        released = _looked_up(
            request,
            lambda: checkout.release(
                code=given["code"], order_number=given["order_id"], actor=actor_of(request), at=now()
            ),
        )
        return Response(self.Output(released).data)


def _looked_up(request: Request, act: Callable[[], T]) -> T:
    """Do something with a code, unless this key has tried too many that nobody has."""
    who = f"codes:{cast('KnownKey', request.auth).prefix}"
    return guessing.unless_guessing(act, who=who, missing=CodeNotFound, at=now())


def _order(given: dict[str, Any], amount_minor: int, currency: str, *, number: str = "") -> Order:
    member_id = people.get_by_external_id(given["member"]).pk if "member" in given else None
    return Order(amount_minor=amount_minor, currency=currency, number=number, member_id=member_id)


def _taken_off(worth: Worth) -> dict[str, Any]:
    kind = "free_delivery" if worth.is_free_delivery else terms_of(worth.entitlement).get("type")
    return {"type": kind, "takes_off_minor": worth.takes_off_minor, "free_delivery": worth.is_free_delivery}

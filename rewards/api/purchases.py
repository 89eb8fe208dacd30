"""What members buy in the catalogue."""

from typing import Any

from django.db.models import OuterRef, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http import CursorPage
from core.http.pages import BIGINT_MAX
from members import names, people
from members.api.expansions import MEMBER
from rewards import addresses, entitlements, pictures, purchases, redemptions
from rewards.api.entitlements import is_code_told, note_seen
from rewards.api.periods import Period, within
from rewards.api.who import actor_of
from rewards.models import Entitlement, Redemption
from rewards.purchases import Wanted
from tenants.clock import now
from tenants.views import TenantView

KEY_LENGTH_MAX = 200


class AddressInput(serializers.Serializer[Any]):
    """Where it is sent to: kept sealed, and shown to those who pack."""

    name = serializers.CharField(max_length=addresses.LENGTHS["name"])
    street = serializers.CharField(max_length=addresses.LENGTHS["street"])
    city = serializers.CharField(max_length=addresses.LENGTHS["city"])
    region = serializers.CharField(required=False, max_length=addresses.LENGTHS["region"])
    postcode = serializers.CharField(required=False, max_length=addresses.LENGTHS["postcode"])
    country = serializers.CharField(required=False, max_length=addresses.LENGTHS["country"])
    phone = serializers.CharField(required=False, max_length=addresses.LENGTHS["phone"])
    comment = serializers.CharField(required=False, max_length=addresses.LENGTHS["comment"])


class ItemOutput(serializers.Serializer[Any]):
    """What the purchase became."""

    id = serializers.IntegerField(help_text="Of the entitlement.")
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=Entitlement.Status.choices)
    valid_until = serializers.DateTimeField(allow_null=True)
    code = serializers.SerializerMethodField(help_text="Of a discount.")
    link = serializers.SerializerMethodField(help_text="Of exclusive content: an address, or a link for a day.")
    partner = serializers.SerializerMethodField(help_text="Who carries the parcel.")
    tracking = serializers.SerializerMethodField(help_text="The parcel's number.")

    def get_code(self, item: Entitlement) -> str | None:
        return entitlements.code_of(item) if is_code_told(item) else None

    def get_link(self, item: Entitlement) -> str | None:
        return pictures.content_link(entitlement=item, at=now())

    def get_partner(self, item: Entitlement) -> str | None:
        return item.details.get("partner") or None

    def get_tracking(self, item: Entitlement) -> str | None:
        return item.details.get("tracking") or None


class PurchaseOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    key = serializers.CharField()
    member = serializers.CharField(source="external_id", allow_null=True, help_text="The member's external_id.")
    member_id = serializers.IntegerField()
    gift = serializers.CharField(source="gift.code")
    name = serializers.CharField(source="gift.name")
    asset = serializers.CharField(source="asset.code")
    amount = serializers.IntegerField(help_text="What it cost.")
    status = serializers.ChoiceField(choices=[("captured", "captured"), ("returned", "returned")])
    note = serializers.CharField(help_text="Why it was called off.")
    created_at = serializers.DateTimeField()
    items = ItemOutput(many=True)


class Purchases(TenantView):
    """`/api/v1/purchases`."""

    required_scope = {"POST": "redemptions:write", "GET": "rewards:read"}
    expandable = {"member": MEMBER}
    pagination_class = CursorPage

    class Input(serializers.Serializer[Any]):
        member = serializers.CharField(max_length=200, help_text="An external_id.")
        gift = serializers.CharField(max_length=50, help_text="Its code in the catalogue.")
        key = serializers.CharField(max_length=KEY_LENGTH_MAX, help_text="Your own unique name of this purchase.")
        price = serializers.IntegerField(
            required=False,
            min_value=0,
            max_value=BIGINT_MAX,
            help_text="What the member was shown; it must still hold.",
        )
        address = AddressInput(required=False, help_text="For what is sent by post.")

    class Filters(Period):
        member = serializers.CharField(required=False, max_length=200, help_text="An external_id.")
        gift = serializers.CharField(required=False, max_length=50)
        status = serializers.ChoiceField(required=False, choices=["captured", "returned"])
        key = serializers.CharField(required=False, max_length=KEY_LENGTH_MAX)

    @extend_schema(
        operation_id="create_purchase",
        summary="Buy something of the catalogue",
        description="Price, stock and balance are taken at once, or nothing is. The key makes it safe to send again: "
        "the same request gives the same purchase.",
        request=Input,
        responses={201: PurchaseOutput},
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        wanted = Wanted(
            key=given["key"],
            member_id=people.get_by_external_id(given["member"]).pk,
            gift_code=given["gift"],
            price=given.get("price"),
            address=given.get("address"),
        )
        made = purchases.buy(wanted=wanted, actor=actor_of(request), at=now())
        return Response(shown(made.pk), status=201)

    @extend_schema(
        operation_id="list_purchases",
        summary="List purchases, the newest first",
        parameters=[Filters],
        responses=PurchaseOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        given = self.valid(self.Filters, request)
        found = list_purchases().filter(**within(given))
        if "member" in given:
            found = found.filter(member=people.find_by_external_id(given["member"]))
        columns = {COLUMNS[name]: given[name] for name in COLUMNS if name in given}
        pages = CursorPage()
        rows = _with_items(pages.paginate_queryset(found.filter(**columns), request, self))
        return pages.get_paginated_response(PurchaseOutput(rows, many=True).data)


COLUMNS = {"gift": "gift__code", "status": "status", "key": "key"}


class Purchase(TenantView):
    """`/api/v1/purchases/{purchase_id}`."""

    required_scope = "rewards:read"
    expandable = {"member": MEMBER}

    @extend_schema(operation_id="get_purchase", summary="Look at a purchase", responses=PurchaseOutput)
    def get(self, request: Request, purchase_id: int) -> Response:
        return Response(shown(purchase_id))


class PurchaseCancellation(TenantView):
    """`/api/v1/purchases/{purchase_id}/cancellation`."""

    required_scope = "redemptions:write"

    class Input(serializers.Serializer[Any]):
        reason = serializers.CharField(max_length=300)

    @extend_schema(
        operation_id="cancel_purchase",
        summary="Call a purchase off",
        description="What was bought ends, and what it cost goes back with its old expiry. Refused for what was seen, "
        "used or sent. Sent again, it changes nothing.",
        request=Input,
        responses=PurchaseOutput,
    )
    def post(self, request: Request, purchase_id: int) -> Response:
        given = self.valid(self.Input, request)
        purchases.cancel(redemption_id=purchase_id, reason=given["reason"], actor=actor_of(request), at=now())
        return Response(shown(purchase_id))


def list_purchases() -> QuerySet[Redemption]:
    """Return all purchases, each with its gift and its member's external_id."""
    found = Redemption.objects.filter(purpose=purchases.PURCHASE).select_related("gift", "asset")
    return found.annotate(external_id=names.external_id_of(OuterRef("member")))


def shown(purchase_id: int) -> Any:
    """
    Return a purchase as it is answered.

    :raises redemptions.UnknownRedemption:
    """
    found = list_purchases().filter(pk=purchase_id).first() if purchase_id <= BIGINT_MAX else None
    if found is None:
        raise redemptions.UnknownRedemption
    return PurchaseOutput(_with_items([found])[0]).data


def _with_items(rows: list[Redemption]) -> list[Redemption]:
    given = purchases.given_for([row.pk for row in rows])
    items = [item for found in given.values() for item in found]
    note_seen(item for item in items if is_code_told(item) or pictures.is_address_told(item))
    for row in rows:
        row.items = given[row.pk]  # type: ignore[attr-defined]
    return rows

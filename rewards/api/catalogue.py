"""What the catalogue offers, and for how much to whom."""

import base64
import binascii
import re
from typing import Any, cast

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Failure
from core.http import CursorPage, InvalidCursor
from members import people
from rewards import catalogue, pictures
from rewards.catalogue import Shopper
from rewards.ledger import InsufficientBalance
from rewards.models import Gift
from tenants.clock import now
from tenants.keys import KnownKey
from tenants.models import ApiKey
from tenants.views import MissingScope, TenantView

SCOPE = ApiKey.Scope.REWARDS_READ.value


class PlacesPage(CursorPage):
    """Cut the catalogue into pages in the order that the tenant gave it: by position, then by age."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        limit = self._limit(request)
        after = request.query_params.get("cursor")
        if after is not None:
            position, gift_id = _place_of(after)
            queryset = queryset.filter(Q(position__gt=position) | Q(position=position, pk__gt=gift_id))
        found = list(queryset.order_by("position", "pk")[: limit + 1])
        self.next_cursor = _cursor_after(found[limit - 1]) if len(found) > limit else None
        return found[:limit]


class ReasonOutput(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="As a purchase would fail with now.")
    sentence = serializers.CharField()


class GiftOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    kind = serializers.ChoiceField(choices=Gift.Kind.choices)
    name = serializers.CharField()
    description = serializers.CharField()
    terms_of_use = serializers.CharField(source="conditions_text")
    picture = serializers.URLField(allow_null=True, source="shown.picture")
    asset = serializers.CharField(source="asset.code", help_text="What it is paid in.")
    price = serializers.IntegerField(source="shown.price", help_text="For the member asked about, by their level.")
    usual_price = serializers.IntegerField(source="price", help_text="Without a level.")
    prices_by_level = serializers.DictField(child=serializers.IntegerField(), source="prices")
    left = serializers.IntegerField(
        source="shown.left",
        allow_null=True,
        help_text="Pieces; null if they are not counted, and with public:read alone: see why_not for what is sold out.",
    )
    per_member = serializers.IntegerField(allow_null=True, help_text="As many as one member may buy.")
    available_from = serializers.DateTimeField(allow_null=True)
    available_until = serializers.DateTimeField(source="available_to", allow_null=True)
    needs_address = serializers.BooleanField(source="shown.needs_address")
    position = serializers.IntegerField()
    available = serializers.BooleanField(
        source="shown.available", help_text="Whether it can be bought now, if one has enough."
    )
    affordable = serializers.BooleanField(
        source="shown.affordable", allow_null=True, help_text="Whether the member has enough. Null without a member."
    )
    missing = serializers.IntegerField(source="shown.missing", allow_null=True, help_text="What the member lacks.")
    why_not = ReasonOutput(source="shown.why_not", allow_null=True, help_text="Null if it can be bought.")


class MemberInput(serializers.Serializer[Any]):
    member = serializers.CharField(
        required=False, max_length=200, help_text="An external_id: prices and flags are hers."
    )


class Catalogue(TenantView):
    """`/api/v1/catalogue`."""

    required_scope = ("rewards:read", "public:read")
    pagination_class = PlacesPage

    class Input(MemberInput):
        kind = serializers.ChoiceField(required=False, choices=Gift.Kind.choices)

    @extend_schema(
        operation_id="list_gifts",
        summary="List the catalogue, in its own order",
        description="A key that has public:read alone sees what is on offer now, and not how much of it is left.",
        parameters=[Input],
        responses=GiftOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        _require_right_to(request, given)
        gifts = _gifts_for(request)
        if "kind" in given:
            gifts = gifts.filter(kind=given["kind"])
        pages = PlacesPage()
        found = pages.paginate_queryset(gifts, request, self)
        shown = dressed(found, given.get("member"), is_public=_is_public(request))
        return pages.get_paginated_response(GiftOutput(shown, many=True).data)


class OneGift(TenantView):
    """`/api/v1/catalogue/{gift_code}`."""

    required_scope = ("rewards:read", "public:read")

    @extend_schema(operation_id="get_gift", summary="Look at one gift", parameters=[MemberInput], responses=GiftOutput)
    def get(self, request: Request, gift_code: str) -> Response:
        given = self.valid(MemberInput, request)
        _require_right_to(request, given)
        gift = catalogue.get(_gifts_for(request), code=gift_code)
        (shown,) = dressed([gift], given.get("member"), is_public=_is_public(request))
        return Response(GiftOutput(shown).data)


def _require_right_to(request: Request, given: dict[str, Any]) -> None:
    # What everybody may read is on offer to everybody; what somebody has is nobody else's business.
    if "member" in given and _is_public(request):
        raise MissingScope(extra={"required_scope": SCOPE})


def _is_public(request: Request) -> bool:
    return SCOPE not in cast("KnownKey", request.auth).scopes


def _gifts_for(request: Request) -> QuerySet[Gift]:
    return catalogue.list_public(at=now()) if _is_public(request) else catalogue.list_gifts()


def dressed(gifts: list[Gift], external_id: str | None, *, is_public: bool) -> list[Gift]:
    """
    Return gifts with what is shown of them to a member, or to anybody: who is `public` learns not how many are left.

    :raises people.UnknownMember:
    """
    at = now()
    shopper = None
    if external_id is not None:
        member = people.get_by_external_id(external_id)
        shopper = catalogue.shopper_of(member_id=member.pk, gift_ids=[gift.pk for gift in gifts], at=at)
    for gift in gifts:
        failure = catalogue.why_not(gift, shopper=shopper, at=at) if shopper else catalogue.why_unavailable(gift, at=at)
        shown = _shown(gift, shopper, failure)
        gift.shown = {**shown, "left": None if is_public else gift.stock}  # type: ignore[attr-defined]
    return gifts


def _shown(gift: Gift, shopper: Shopper | None, failure: Failure | None) -> dict[str, Any]:
    price = catalogue.price_for(gift, level=shopper.level if shopper else "")
    has = shopper.spendable.get(gift.asset_id or 0, 0) if shopper else 0
    return {
        "picture": pictures.address_of(gift.picture),
        "price": price,
        "needs_address": bool(gift.kind == Gift.Kind.PRODUCT and gift.terms.get("needs_address")),
        "available": failure is None or isinstance(failure, InsufficientBalance),
        "affordable": has >= price if shopper else None,
        "missing": max(price - has, 0) if shopper else None,
        "why_not": failure and {"code": failure.code, "sentence": str(failure)},
    }


def _cursor_after(gift: Gift) -> str:
    return base64.urlsafe_b64encode(f"at:{gift.position}:{gift.pk}".encode()).decode().rstrip("=")


def _place_of(cursor: str) -> tuple[int, int]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor(parameter="cursor") from error
    found = re.fullmatch(rb"at:([0-9]{1,5}):([1-9][0-9]{0,17})", text)
    if found is None or int(found[1]) > 32_767:
        raise InvalidCursor(parameter="cursor")
    return int(found[1]), int(found[2])

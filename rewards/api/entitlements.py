"""What a tenant's programs ask about entitlements: what members were given besides units."""

from collections.abc import Iterable
from typing import Any

from django.db.models import OuterRef, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.db import joined
from core.errors import NotFound
from core.http import CursorPage
from core.http.pages import BIGINT_MAX
from members import names, people
from rewards import entitlements
from rewards.certificates import page
from rewards.kinds.privilege import holding
from rewards.models import Entitlement, Gift
from tenants.clock import now
from tenants.views import TenantView


class GivenGiftOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()


class EntitlementOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    member = serializers.CharField(source="external_id", allow_null=True, help_text="The member's external_id.")
    member_id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Gift.Kind.choices)
    gift = GivenGiftOutput()
    status = serializers.ChoiceField(choices=Entitlement.Status.choices)
    value_minor = serializers.IntegerField(allow_null=True, help_text="Of a certificate, in minor units.")
    currency = serializers.CharField(help_text="Of the value; empty without one.")
    code = serializers.SerializerMethodField(help_text="Of a discount. That of a certificate is behind its link.")
    link = serializers.SerializerMethodField(help_text="Where the member sees a certificate.")
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True, help_text="The first instant when it is not.")
    issued_at = serializers.DateTimeField(allow_null=True)
    used_at = serializers.DateTimeField(allow_null=True)
    used_for = serializers.CharField(help_text="Your order_id; empty while it is not used.")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="When it was cancelled, or expired.")
    ended_why = serializers.CharField()
    reward_id = serializers.IntegerField(allow_null=True, help_text="The reward that it comes from.")
    redemption_id = serializers.IntegerField(allow_null=True, help_text="The purchase that it comes from.")
    created_at = serializers.DateTimeField()

    def get_code(self, entitlement: Entitlement) -> str | None:
        return entitlements.code_of(entitlement) if is_code_told(entitlement) else None

    def get_link(self, entitlement: Entitlement) -> str | None:
        return link_of(entitlement)


class MemberEntitlements(TenantView):
    """`/api/v1/members/{external_id}/entitlements`."""

    required_scope = "members:read"
    pagination_class = CursorPage

    class Input(serializers.Serializer[Any]):
        kind = serializers.ChoiceField(required=False, choices=Gift.Kind.choices)
        status = serializers.ChoiceField(required=False, choices=Entitlement.Status.choices)

    @extend_schema(
        operation_id="list_member_entitlements",
        summary="List a member's certificates, codes, privileges, products and content, the newest first",
        parameters=[Input],
        responses=EntitlementOutput(many=True),
    )
    def get(self, request: Request, external_id: str) -> Response:
        given = self.valid(self.Input, request)
        member = people.get_by_external_id(external_id)
        pages = CursorPage()
        rows = pages.paginate_queryset(_named().filter(member=member, **given), request, self)
        note_told(rows)
        return pages.get_paginated_response(EntitlementOutput(rows, many=True).data)


class PrivilegeOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True, help_text="Null: for as long as the level is kept, or for ever.")
    is_of_level = serializers.BooleanField(help_text="It comes with the member's level.")


class MemberPrivileges(TenantView):
    """`/api/v1/members/{external_id}/privileges`."""

    required_scope = "members:read"

    class Output(serializers.Serializer[Any]):
        data = PrivilegeOutput(many=True)  # type: ignore[assignment]  # a serializer has a `data` too

    @extend_schema(operation_id="list_member_privileges", summary="List what a member may do now", responses=Output)
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        rights = holding.list_rights(member_id=member.pk, at=now())
        return Response(self.Output({"data": rights}).data)


class OneEntitlement(TenantView):
    """`/api/v1/entitlements/{entitlement_id}`."""

    required_scope = "rewards:read"

    @extend_schema(operation_id="get_entitlement", summary="Look at an entitlement", responses=EntitlementOutput)
    def get(self, request: Request, entitlement_id: int) -> Response:
        found = _named().filter(pk=min(entitlement_id, BIGINT_MAX)).first()
        if found is None:
            raise NotFound
        note_told([found])
        return Response(EntitlementOutput(found).data)


def is_code_told(entitlement: Entitlement) -> bool:
    """Tell whether a program is given the code: a certificate's is shown to the member alone."""
    is_issued = entitlement.status in {Entitlement.Status.ISSUED, Entitlement.Status.USED}
    return entitlement.kind == Gift.Kind.DISCOUNT and is_issued and bool(entitlement.code)


def link_of(entitlement: Entitlement) -> str | None:
    """Return the address of a certificate's page, as long as there is anything to see."""
    is_certificate = entitlement.kind in {Gift.Kind.CERTIFICATE, Gift.Kind.POOL}
    return page.link_of(entitlement) if is_certificate and entitlement.status not in entitlements.OVER else None


def _named() -> QuerySet[Entitlement]:
    rows = Entitlement.objects.select_related("gift")
    return rows.annotate(external_id=names.external_id_of(OuterRef("member")))


def note_told(rows: Iterable[Entitlement]) -> None:
    """Note that the codes are out now, unless they were before. What was taken back meanwhile is told as it is now."""
    note_seen([each for each in rows if is_code_told(each)])


def note_seen(rows: Iterable[Entitlement]) -> None:
    """Note that whoever asks sees these now, unless it was noted before."""
    fresh = [each for each in rows if each.shown_at is None]
    if not fresh:
        return
    with joined():
        seen = entitlements.note_shown(ids=[each.pk for each in fresh], at=now())
    for each in fresh:
        if each.pk not in seen:
            each.refresh_from_db(fields=["status", "code", "ended_at", "ended_why"])

"""Where a tenant's programs give certificates, and ask what became of them."""

from typing import Any

from django.db.models import OuterRef, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http import CursorPage
from members import names, people
from rewards.api.periods import Period, within
from rewards.api.who import actor_of
from rewards.certificates import brands, issuing, page
from rewards.certificates.issuing import KINDS, Wanted
from rewards.models import Entitlement, Gift
from tenants.clock import now
from tenants.views import TenantView

VALUE_MINOR_MAX = 10**12


class CertificateOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    member = serializers.CharField(source="external_id", allow_null=True, help_text="The member's external_id.")
    member_id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=[(kind.value, kind.label) for kind in KINDS])
    gift = serializers.CharField(source="gift.code", help_text="The brand, or the pool while it is not chosen.")
    name = serializers.CharField(source="gift.name")
    value_minor = serializers.IntegerField(help_text="In minor units of the currency.")
    currency = serializers.CharField()
    status = serializers.ChoiceField(choices=Entitlement.Status.choices)
    problem = serializers.CharField(help_text="Why it waits: out_of_stock, no_funds, off, limit, unknown …")
    link = serializers.SerializerMethodField(help_text="The page where the member sees the code, and chooses a brand.")
    brands = serializers.SerializerMethodField(help_text="What can be chosen, while it is not.")
    valid_until = serializers.DateTimeField(allow_null=True, help_text="The first instant when it is not.")
    created_at = serializers.DateTimeField()
    issued_at = serializers.DateTimeField(allow_null=True)
    shown_at = serializers.DateTimeField(allow_null=True, help_text="When its code was first seen.")
    used_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    reward_id = serializers.IntegerField(allow_null=True)
    redemption_id = serializers.IntegerField(allow_null=True)

    def get_link(self, certificate: Entitlement) -> str:
        return page.link_of(certificate)

    def get_brands(self, certificate: Entitlement) -> list[str]:
        if certificate.status != Entitlement.Status.CHOOSING:
            return []
        return [gift.code for gift in brands.choices(certificate.gift, value_minor=certificate.value_minor)]


class Certificates(TenantView):
    """`/api/v1/certificates`."""

    required_scope = {"POST": "rewards:write", "GET": "rewards:read"}
    pagination_class = CursorPage

    class Input(serializers.Serializer[Any]):
        key = serializers.CharField(
            max_length=issuing.KEY_LENGTH_MAX, help_text="Your own name for it, which makes it safe to send again."
        )
        member = serializers.CharField(max_length=200, help_text="An external_id.")
        gift = serializers.CharField(max_length=50, help_text="The code of a brand or of a pool.")
        value_minor = serializers.IntegerField(
            min_value=1, max_value=VALUE_MINOR_MAX, help_text="One of the brand's denominations, in minor units."
        )

    class Filters(Period):
        member = serializers.CharField(required=False, max_length=200, help_text="An external_id.")
        gift = serializers.CharField(required=False, max_length=50)
        status = serializers.ChoiceField(required=False, choices=Entitlement.Status.choices)

    @extend_schema(
        operation_id="issue_certificate",
        summary="Give a member a certificate",
        description="It is issued at once where there is stock; else it waits for the provider or for stock. The key "
        "makes it safe to send again: the same request gives the same certificate.",
        request=Input,
        responses={201: CertificateOutput},
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        wanted = Wanted(
            key=given["key"],
            member_id=people.get_by_external_id(given["member"]).pk,
            gift_code=given["gift"],
            value_minor=given["value_minor"],
        )
        made = issuing.issue(wanted=wanted, actor=actor_of(request), at=now())
        return Response(_told(made), status=201)

    @extend_schema(
        operation_id="list_certificates",
        summary="List certificates, the newest first",
        parameters=[Filters],
        responses=CertificateOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        given = self.valid(self.Filters, request)
        found = _named().filter(**within(given))
        if "member" in given:
            found = found.filter(member=people.find_by_external_id(given["member"]))
        if "gift" in given:
            found = found.filter(gift__code=given["gift"])
        if "status" in given:
            found = found.filter(status=given["status"])
        return self.page(found, request, CertificateOutput)


class Certificate(TenantView):
    """`/api/v1/certificates/{certificate_id}`."""

    required_scope = "rewards:read"

    @extend_schema(operation_id="get_certificate", summary="Look at a certificate", responses=CertificateOutput)
    def get(self, request: Request, certificate_id: int) -> Response:
        return Response(_told(issuing.get(certificate_id=certificate_id)))


class CertificateCancellation(TenantView):
    """`/api/v1/certificates/{certificate_id}/cancellation`."""

    required_scope = "rewards:write"

    class Input(serializers.Serializer[Any]):
        reason = serializers.CharField(required=False, default="", max_length=300, allow_blank=True)

    @extend_schema(
        operation_id="cancel_certificate",
        summary="Take back a certificate that the member has not seen",
        request=Input,
        responses=CertificateOutput,
    )
    def post(self, request: Request, certificate_id: int) -> Response:
        given = self.valid(self.Input, request)
        found = issuing.get(certificate_id=certificate_id)
        ended = issuing.cancel(certificate=found, reason=given["reason"], actor=actor_of(request), at=now())
        return Response(_told(ended))


class Choice(TenantView):
    """`/api/v1/certificates/{certificate_id}/choice`."""

    required_scope = "rewards:write"

    class Input(serializers.Serializer[Any]):
        brand = serializers.CharField(max_length=50, help_text="The code of one of its `brands`.")

    @extend_schema(
        operation_id="choose_certificate_brand",
        summary="Choose the brand, as the member has said",
        request=Input,
        responses=CertificateOutput,
    )
    def post(self, request: Request, certificate_id: int) -> Response:
        given = self.valid(self.Input, request)
        found = issuing.get(certificate_id=certificate_id)
        chosen = issuing.choose(certificate=found, brand=given["brand"], actor=actor_of(request), at=now())
        return Response(_told(chosen))


def _told(certificate: Entitlement) -> dict[str, Any]:
    return dict(CertificateOutput(_named().get(pk=certificate.pk)).data)


def _named() -> QuerySet[Entitlement]:
    rows = Entitlement.objects.filter(kind__in=[Gift.Kind.CERTIFICATE, Gift.Kind.POOL]).select_related("gift")
    return rows.annotate(external_id=names.external_id_of(OuterRef("member")))

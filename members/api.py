"""The members a tenant tells us of."""

from typing import Any, cast

from django.utils.timezone import now
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.db import current_schema
from core.errors import Invalid
from core.http import TenantView
from members import identities, people
from tenants.models import ApiKey


class MemberInput(serializers.Serializer[Any]):
    """Whom it is about: at least one of external_id, telegram, phone or email."""

    external_id = serializers.CharField(required=False, max_length=200, help_text="Your own id of this person.")
    telegram = serializers.CharField(required=False, max_length=20, help_text="Telegram user id, a number.")
    phone = serializers.CharField(required=False, help_text="With + and the country; national form is understood too.")
    email = serializers.CharField(required=False, max_length=254)
    card = serializers.CharField(
        required=False, max_length=200, help_text="Your payment provider's token or fingerprint; never the number."
    )
    device = serializers.CharField(required=False, max_length=200, help_text="A fingerprint of the device.")
    ip = serializers.CharField(
        required=False, max_length=45, help_text="The address that this person's own request came from, IPv4 or IPv6."
    )


class Members(TenantView):
    """`/api/v1/members`."""

    required_scope = "members:write"

    class Output(serializers.Serializer[Any]):
        id = serializers.IntegerField(source="member.pk")
        external_id = serializers.CharField(allow_null=True)
        created = serializers.BooleanField(help_text="Whether this call made the member.")
        joined_at = serializers.DateTimeField(source="member.joined_at", allow_null=True)

    @extend_schema(
        summary="Create a member, or add identities to one",
        request=MemberInput,
        responses={
            200: OpenApiResponse(Output, description="The member was known."),
            201: OpenApiResponse(Output, description="The member is new."),
        },
    )
    def post(self, request: Request) -> Response:
        if not isinstance(request.data, dict):
            raise Invalid(pointer="")
        given = identities.prepare(
            schema=current_schema(),
            identities=request.data,
            region=identities.region_of(cast("ApiKey", request.auth).tenant.currency),
        )
        upserted = people.upsert(schema=current_schema(), identities=given, at=now())
        found = {**upserted._asdict(), "external_id": people.find_external_id(upserted.member.pk)}
        return Response(self.Output(found).data, status=201 if upserted.created else 200)

"""What a tenant's programs ask for so that a member can share: a code, a link, a picture of it."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.codes import CHOSEN_LENGTH_MAX
from core.http.pages import BIGINT_MAX
from members import people
from referrals import codes, landing, links
from tenants.clock import now
from tenants.keys import KnownKey
from tenants.views import TenantView

EXAMPLE = {
    "code": "ANNA",
    "link": "https://shop.example.com/r/ANNA",
    "codes": [
        {"code": "ANNA", "is_chosen": True, "created_at": "2026-03-17T12:00:00Z"},
        {"code": "K7Q2M9TX4WB", "is_chosen": False, "created_at": "2026-03-01T08:00:00Z"},
    ],
}


class Code(TenantView):
    """`/api/v1/members/{external_id}/code`."""

    required_scope: ClassVar[Mapping[str, str]] = {"GET": "members:read", "PUT": "members:write"}

    class Input(serializers.Serializer[Any]):
        code = serializers.CharField(
            # As people write it: with spaces and dashes.
            max_length=3 * CHOSEN_LENGTH_MAX,
            help_text="4 to 16 Latin letters and digits. Case, spaces and dashes do not matter.",
        )

    class Output(serializers.Serializer[Any]):
        class OwnedOutput(serializers.Serializer[Any]):
            code = serializers.CharField(source="text")
            is_chosen = serializers.BooleanField(help_text="false: it is random.")
            created_at = serializers.DateTimeField()

        code = serializers.CharField(help_text="What the member shares: the last one chosen, else the random one.")
        link = serializers.URLField(help_text="The link that carries it.")
        codes = OwnedOutput(many=True, help_text="All that lead to the member, for ever; the one they share first.")

    @extend_schema(
        operation_id="get_member_code",
        summary="Look at the codes of a member",
        responses=Output,
        examples=[OpenApiExample("One was chosen", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        codes.code_of(member_id=member.pk, at=now())
        return self._told(request, member.pk)

    @extend_schema(
        operation_id="choose_member_code",
        summary="Choose the code that a member shares",
        description="The codes that the member had before go on working. Nobody chooses more than 5.",
        request=Input,
        responses=Output,
        examples=[
            OpenApiExample("A name", value={"code": "Anna"}, request_only=True),
            OpenApiExample("It is theirs", value=EXAMPLE, response_only=True),
        ],
    )
    def put(self, request: Request, external_id: str) -> Response:
        given = self.valid(self.Input, request)
        member = people.get_by_external_id(external_id)
        codes.choose(member_id=member.pk, text=given["code"], key=str(request.auth), at=now())
        return self._told(request, member.pk)

    def _told(self, request: Request, member_id: int) -> Response:
        owned = codes.list_of(member_id=member_id)
        link = links.address(tenant=cast("KnownKey", request.auth).tenant, code=owned[0].text)
        return Response(self.Output({"code": owned[0].text, "link": link, "codes": owned}).data)


class PlaceInput(serializers.Serializer[Any]):
    """Where a link is shared."""

    channel = serializers.CharField(
        required=False, max_length=landing.CHANNEL_LENGTH_MAX, help_text="Where it is shared, in your words."
    )
    campaign = serializers.IntegerField(
        required=False, min_value=1, max_value=BIGINT_MAX, help_text="Whose page it leads to, while it runs."
    )
    utm_source = serializers.CharField(required=False, max_length=landing.UTM_LENGTH_MAX)
    utm_medium = serializers.CharField(required=False, max_length=landing.UTM_LENGTH_MAX)
    utm_campaign = serializers.CharField(required=False, max_length=landing.UTM_LENGTH_MAX)
    utm_term = serializers.CharField(required=False, max_length=landing.UTM_LENGTH_MAX)
    utm_content = serializers.CharField(required=False, max_length=landing.UTM_LENGTH_MAX)


class Link(TenantView):
    """`/api/v1/members/{external_id}/link`."""

    required_scope = "members:read"

    class Output(serializers.Serializer[Any]):
        url = serializers.URLField()
        code = serializers.CharField(help_text="The code that it carries.")

    @extend_schema(
        operation_id="get_member_link",
        summary="Get a member's link for one place where it is shared",
        parameters=[PlaceInput],
        responses=Output,
        examples=[
            OpenApiExample(
                "For Telegram",
                value={"url": "https://shop.example.com/r/ANNA?ch=telegram&utm_source=bot", "code": "ANNA"},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, external_id: str) -> Response:
        given = self.valid(PlaceInput, request)
        url, code = link_of(request, external_id, given)
        return Response(self.Output({"url": url, "code": code}).data)


def link_of(request: Request, external_id: str, given: Mapping[str, Any]) -> tuple[str, str]:
    """Return the link of a member for a place, and the code that it carries."""
    member = people.get_by_external_id(external_id)
    code = codes.code_of(member_id=member.pk, at=now())
    url = links.shared(
        tenant=cast("KnownKey", request.auth).tenant,
        code=code,
        channel=given.get("channel", ""),
        campaign_id=given.get("campaign"),
        utm=landing.utm_of({name: text for name, text in given.items() if name.startswith("utm_")}),
    )
    return url, code

"""The members a tenant tells us of, and asks for."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.db import current_schema
from core.errors import Invalid
from core.http import CursorPage
from members import identities, people, search
from members.models import Member
from members.people import UnknownMember
from tenants import guessing
from tenants.clock import now
from tenants.keys import KnownKey
from tenants.views import TenantView

# A bot asks for everybody who writes to it, and many of them are nobody's members yet.
MISSES_MAX = 100

EXAMPLE = {
    "id": 7,
    "external_id": "anna",
    "status": "active",
    "first_seen_at": "2026-03-01T08:00:00Z",
    "joined_at": "2026-03-01T08:00:00Z",
}


@extend_schema_field({"type": ["string", "integer"]})
class IdentityField(serializers.CharField):
    """An id that may be a number in JSON too, as it often is in the sender's database. null: not known."""

    json_kinds = (str, int)

    def __init__(self, **told: Any) -> None:
        super().__init__(allow_null=True, **told)


class MemberInput(serializers.Serializer[Any]):
    """Whom it is about: at least one of external_id, telegram, phone or email."""

    external_id = IdentityField(required=False, max_length=200, help_text="Your own id of this person.")
    telegram = IdentityField(required=False, max_length=20, help_text="Telegram user id, a number.")
    phone = IdentityField(required=False, help_text="With + and the country; national form is understood too.")
    email = serializers.CharField(required=False, allow_null=True, max_length=254)
    card = IdentityField(
        required=False, max_length=200, help_text="Your payment provider's token or fingerprint; never the number."
    )
    device = IdentityField(required=False, max_length=200, help_text="A fingerprint of the device.")
    ip = IdentityField(
        required=False, max_length=45, help_text="The address that this person's own request came from, IPv4 or IPv6."
    )


class KnownMemberOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    external_id = serializers.CharField(allow_null=True, help_text="Your own id of this person.")
    status = serializers.ChoiceField(choices=Member.Status.choices)
    first_seen_at = serializers.DateTimeField(help_text="When you first reported anything about this person.")
    joined_at = serializers.DateTimeField(allow_null=True, help_text="When they signed up (member.joined).")


class Members(TenantView):
    """`/api/v1/members`."""

    required_scope: ClassVar[Mapping[str, str]] = {"GET": "members:read", "POST": "members:write"}
    pagination_class = CursorPage

    class Filters(serializers.Serializer[Any]):
        status = serializers.ChoiceField(required=False, choices=Member.Status.choices)
        since = serializers.DateTimeField(required=False, help_text="Joined at this instant or later.")
        until = serializers.DateTimeField(required=False, help_text="Joined before this instant.")

    class Output(serializers.Serializer[Any]):
        id = serializers.IntegerField(source="member.pk")
        external_id = serializers.CharField(allow_null=True)
        created = serializers.BooleanField(help_text="Whether this call made the member.")
        joined_at = serializers.DateTimeField(source="member.joined_at", allow_null=True)

    @extend_schema(
        operation_id="list_members",
        summary="List members, the newest first",
        parameters=[Filters],
        responses=KnownMemberOutput(many=True),
        examples=[OpenApiExample("A member", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        given = self.valid(self.Filters, request)
        columns = {COLUMNS[name]: value for name, value in given.items()}
        return self.page(search.list_members().filter(**columns), request, KnownMemberOutput)

    @extend_schema(
        operation_id="create_member",
        summary="Create a member, or add identities to one",
        request=MemberInput,
        responses={
            200: OpenApiResponse(Output, description="The member was known."),
            201: OpenApiResponse(Output, description="The member is new."),
        },
        examples=[
            OpenApiExample("Anna", value={"external_id": "anna", "email": "anna@example.com"}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        given = identities.prepare(schema=current_schema(), identities=_object_of(request), region=_region_of(request))
        upserted = people.upsert(schema=current_schema(), identities=given, at=now())
        found = {**upserted._asdict(), "external_id": people.find_external_id(upserted.member.pk)}
        return Response(self.Output(found).data, status=201 if upserted.created else 200)


COLUMNS = {"status": "status", "since": "joined_at__gte", "until": "joined_at__lt"}


class MemberSearch(TenantView):
    """`/api/v1/members/search`. Asked by POST, so that what is personal stands in no address and no log."""

    required_scope: ClassVar[Mapping[str, str]] = {"POST": "members:read"}

    class Input(serializers.Serializer[Any]):
        """One of them, and no more."""

        external_id = IdentityField(required=False, max_length=200, help_text="Your own id of this person.")
        telegram = IdentityField(required=False, max_length=20, help_text="Telegram user id, a number.")
        phone = IdentityField(required=False, help_text="As you would report it.")
        email = serializers.CharField(required=False, allow_null=True, max_length=254)

    @extend_schema(
        operation_id="find_member",
        summary="Find the member who is known by an identity",
        description="Whoever asks for 100 in a minute that nobody has, waits until the minute is over.",
        request=Input,
        responses={200: OpenApiResponse(KnownMemberOutput, description="Whose it is.")},
        examples=[
            OpenApiExample("By e-mail", value={"email": "anna@example.com"}, request_only=True),
            OpenApiExample("A member", value=EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        body, at = _object_of(request), now()
        found = guessing.unless_guessing(
            lambda: search.get_by_identity(identity=body, region=_region_of(request)),
            who=f"members:{cast('KnownKey', request.auth).prefix}",
            missing=UnknownMember,
            misses_max=MISSES_MAX,
            at=at,
        )
        return Response(KnownMemberOutput(found).data)


def _object_of(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise Invalid(pointer="")
    return request.data


def _region_of(request: Request) -> str | None:
    return identities.region_of(cast("KnownKey", request.auth).tenant.currency)

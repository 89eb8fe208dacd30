"""Two members who turn out to be one person."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Failure, FieldError
from members import identities, merging, people, search
from members.api.members import IdentityField
from members.models import Member
from tenants.clock import now
from tenants.keys import KnownKey
from tenants.views import TenantView

NOTE_LENGTH_MAX = 300
EXAMPLE = {
    "id": 7,
    "external_id": "anna",
    "away_id": 12,
    "dry_run": False,
    "moved": {
        "identities": 2,
        "events": 31,
        "rewards": 4,
        "entitlements": 1,
        "redemptions": 0,
        "adjustments": 0,
        "flagged": 0,
        "balances": {"points": 120},
    },
}


class Known(serializers.Serializer[Any]):
    """One of them, and no more."""

    external_id = IdentityField(required=False, max_length=200, help_text="Your own id of this person.")
    telegram = IdentityField(required=False, max_length=20, help_text="Telegram user id, a number.")
    phone = IdentityField(required=False, help_text="As you would report it.")
    email = serializers.CharField(required=False, allow_null=True, max_length=254)


class Moved(serializers.Serializer[Any]):
    """How much went over, or would."""

    identities = serializers.IntegerField(help_text="Those that the one who stays was not known by.")
    events = serializers.IntegerField()
    rewards = serializers.IntegerField()
    entitlements = serializers.IntegerField()
    redemptions = serializers.IntegerField(help_text="Purchases, payouts, and what is set aside.")
    adjustments = serializers.IntegerField()
    flagged = serializers.IntegerField(
        help_text="Pending rewards that wait for a moderator now: one had invited the other."
    )
    balances = serializers.DictField(
        child=serializers.IntegerField(), help_text="Units by the asset's code; below zero what was owed."
    )


class Merges(TenantView):
    """`/api/v1/members/merges`."""

    required_scope = "members:write"

    class Input(serializers.Serializer[Any]):
        into = Known(help_text="Who stays.")
        away = Known(help_text="Who turns out to be the same person, and goes.")
        note = serializers.CharField(
            required=False, default="", allow_blank=True, max_length=NOTE_LENGTH_MAX, help_text="Stands in the log."
        )
        dry_run = serializers.BooleanField(required=False, default=False, help_text="Only say what would go over.")

    class Output(serializers.Serializer[Any]):
        id = serializers.IntegerField(help_text="Who stays.")
        external_id = serializers.CharField(allow_null=True)
        away_id = serializers.IntegerField(help_text="Who went. The number leads to nobody any more.")
        dry_run = serializers.BooleanField()
        moved = Moved()

    @extend_schema(
        operation_id="merge_members",
        summary="Merge two members who are one person",
        description="For good. Identities, balances, rewards, gifts and limits of `away` are those of `into` from now "
        "on; both ids find them. Codes of both go on working.",
        request=Input,
        responses={200: OpenApiResponse(Output, description="What went over, or with dry_run would.")},
        examples=[
            OpenApiExample(
                "Two accounts of one person",
                value={"into": {"external_id": "anna"}, "away": {"telegram": "701"}, "note": "same phone"},
                request_only=True,
            ),
            OpenApiExample("Merged", value=EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        into, away = (_member_of(request, name, given[name]) for name in ("into", "away"))
        if given["dry_run"]:
            merged = merging.preview(into=into, away=away, at=now())
        else:
            merged = merging.merge(
                into=into, away=away, actor_kind="key", actor=str(request.auth), note=given["note"], at=now()
            )
        told = {
            "id": merged.into.pk,
            "external_id": people.find_external_id(merged.into.pk),
            "away_id": merged.away.pk,
            "dry_run": given["dry_run"],
            "moved": merged.moved,
        }
        return Response(self.Output(told).data)


def _member_of(request: Request, name: str, identity: dict[str, Any]) -> Member:
    region = identities.region_of(cast("KnownKey", request.auth).tenant.currency)
    try:
        return search.get_by_identity(identity=identity, region=region)
    except Failure as failure:
        wrong = failure.errors or [FieldError(pointer="", detail=failure.detail)]
        failure.errors = [FieldError(pointer=f"/{name}{each['pointer']}", detail=each["detail"]) for each in wrong]
        raise

"""Where a tenant's programs ask who brings the most."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics import leaderboards
from analytics.leaderboards import Place
from core.http.pages import BIGINT_MAX
from members import people
from tenants import context
from tenants.clock import now
from tenants.models import ApiKey
from tenants.views import TenantView

LIMIT_DEFAULT = 10


class Filters(serializers.Serializer[Any]):
    """What is counted, and when."""

    by = serializers.ChoiceField(
        leaderboards.BY,
        default="qualified",
        help_text="Friends who qualified, friends who joined, or points earned for friends.",
    )
    period = serializers.ChoiceField(
        leaderboards.PERIODS,
        required=False,
        help_text="The calendar period of the tenant's that goes on now; a month if nothing is asked for.",
    )
    since = serializers.DateTimeField(required=False, help_text="Instead of a period: from here on")
    until = serializers.DateTimeField(required=False, help_text="until just before here.")
    campaign = serializers.IntegerField(
        required=False, min_value=1, max_value=BIGINT_MAX, help_text="Only its links, or only what it gave."
    )


class BoardFilters(Filters):
    limit = serializers.IntegerField(default=LIMIT_DEFAULT, min_value=1, max_value=leaderboards.SHOWN_MAX)


class PlaceMemberOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="member_id")
    external_id = serializers.CharField(allow_null=True)


class PlaceOutput(serializers.Serializer[Any]):
    place = serializers.IntegerField(help_text="Equals share one.")
    member = PlaceMemberOutput(source="*")
    figure = serializers.IntegerField()


class BoardOutput(serializers.Serializer[Any]):
    by = serializers.ChoiceField(leaderboards.BY)
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True, help_text="null: until now.")
    total = serializers.IntegerField(help_text="How many inviters have brought anything.")
    data = PlaceOutput(  # type: ignore[assignment]  # as every list has it; REST framework's serializers have one too
        many=True, help_text="In order; of equals whoever was there first comes first."
    )


class StandingOutput(serializers.Serializer[Any]):
    by = serializers.ChoiceField(leaderboards.BY)
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    total = serializers.IntegerField(help_text="How many inviters have brought anything.")
    place = serializers.IntegerField(allow_null=True, help_text="null: they have brought nobody.")
    figure = serializers.IntegerField()
    neighbours = PlaceOutput(many=True, help_text="Two above, themselves, two below.")


class Inviters(TenantView):
    """`/api/v1/leaderboards/inviters`."""

    required_scope = ApiKey.Scope.CAMPAIGNS_READ.value

    @extend_schema(
        operation_id="list_top_inviters",
        summary="See who brings the most",
        description="What waits for a moderator, was refused or taken back does not count.",
        parameters=[BoardFilters],
        responses=BoardOutput,
    )
    def get(self, request: Request) -> Response:
        asked = _asked(self.valid(BoardFilters, request))
        board = leaderboards.inviters(**asked)
        return Response(BoardOutput({**_told(asked), "total": board.total, "data": board.places}).data)


class Inviter(TenantView):
    """`/api/v1/leaderboards/inviters/{external_id}`."""

    required_scope = ApiKey.Scope.CAMPAIGNS_READ.value

    @extend_schema(
        operation_id="get_member_place",
        summary="See where one member stands among those who bring friends",
        parameters=[Filters],
        responses=StandingOutput,
    )
    def get(self, request: Request, external_id: str) -> Response:
        asked = _asked(self.valid(Filters, request))
        member = people.get_by_external_id(external_id)
        found = leaderboards.standing_of(member_id=member.pk, **asked)
        own: Place | None = found.place
        told = {
            **_told(asked),
            "total": found.total,
            "place": own.place if own else None,
            "figure": own.figure if own else 0,
            "neighbours": found.neighbours,
        }
        return Response(StandingOutput(told).data)


def _asked(given: dict[str, Any]) -> dict[str, Any]:
    window = leaderboards.window_of(
        period=given.get("period"),
        since=given.get("since"),
        until=given.get("until"),
        zone=context.zone(),
        at=now(),
    )
    limit = {"limit": given["limit"]} if "limit" in given else {}
    return {"by": given["by"], "window": window, "campaign_id": given.get("campaign"), **limit}


def _told(asked: dict[str, Any]) -> dict[str, Any]:
    return {"by": asked["by"], **asked["window"]._asdict()}

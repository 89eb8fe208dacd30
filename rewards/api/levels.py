"""What a tenant's programs ask about levels, and the level that they give somebody by hand."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members import people
from members.models import Member
from rewards import pictures
from rewards.api.who import actor_of
from rewards.levels import setting, standing
from rewards.models import Level as LevelRow
from rewards.models import RewardPolicy
from tenants.clock import now
from tenants.views import TenantView

REASON_LENGTH_MAX = 300


class LevelOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    threshold = serializers.IntegerField(help_text="From how much on, in what the ladder measures.")
    multiplier_bps = serializers.IntegerField(help_text="Of points earned: 12500 is ×1.25.")
    title = serializers.CharField(help_text="What to show beside the member's name.")
    badge_url = serializers.SerializerMethodField()
    privileges = serializers.ListField(child=serializers.CharField(), help_text="Codes of gifts.")

    def get_badge_url(self, level: LevelRow) -> str | None:
        return pictures.address_of(level.picture)


class Levels(TenantView):
    """`/api/v1/levels`."""

    required_scope = ("members:read", "public:read")

    class Output(serializers.Serializer[Any]):
        measure = serializers.ChoiceField(choices=RewardPolicy.Measure.choices)
        window = serializers.ChoiceField(choices=RewardPolicy.Window.choices)
        window_days = serializers.IntegerField(allow_null=True, help_text="With the window rolling.")
        levels = LevelOutput(many=True, help_text="The lowest first.")

    @extend_schema(operation_id="list_levels", summary="Look at the ladder of levels", responses=Output)
    def get(self, request: Request) -> Response:
        policy = setting.get().policy
        ladder = LevelRow.objects.order_by("threshold")
        found = {
            "measure": policy.measure,
            "window": policy.window,
            "window_days": policy.window_days,
            "levels": list(ladder),
        }
        return Response(self.Output(found).data)


class NextLevelOutput(serializers.Serializer[Any]):
    level = LevelOutput(source="next")
    missing = serializers.IntegerField(help_text="In what the ladder measures.")
    by = serializers.DateTimeField(allow_null=True, help_text="Then counting begins anew. null: never.")


class GoalOutput(serializers.Serializer[Any]):
    level = LevelOutput(allow_null=True, help_text="null: the first is yet to be reached.")
    since = serializers.DateTimeField(allow_null=True)
    is_manual = serializers.BooleanField(help_text="It was given by hand.")
    manual_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then it is safe. null: until it is taken."
    )
    measured = serializers.IntegerField(help_text="What counts so far.")
    falls_at = serializers.DateTimeField(allow_null=True, help_text="When the level is lost, unless enough is earned.")
    keep_missing = serializers.IntegerField(help_text="What is missing for the level that the member stands on.")
    next = serializers.SerializerMethodField()

    @extend_schema_field(NextLevelOutput(allow_null=True))
    def get_next(self, goal: standing.Goal) -> dict[str, Any] | None:
        return NextLevelOutput(goal).data if goal.next else None


class MemberLevel(TenantView):
    """`/api/v1/members/{external_id}/level`."""

    required_scope: ClassVar = {"GET": "members:read", "PUT": "rewards:write", "DELETE": "rewards:write"}

    class Input(serializers.Serializer[Any]):
        level = serializers.CharField(max_length=20, help_text="A level's code.")
        until = serializers.DateTimeField(
            required=False, allow_null=True, default=None, help_text="Left out: until it is taken."
        )
        reason = serializers.CharField(max_length=REASON_LENGTH_MAX)

    class TakeInput(serializers.Serializer[Any]):
        reason = serializers.CharField(max_length=REASON_LENGTH_MAX)

    @extend_schema(
        operation_id="get_member_level", summary="Look at a member's level, and the next one", responses=GoalOutput
    )
    def get(self, request: Request, external_id: str) -> Response:
        return _told(people.get_by_external_id(external_id))

    @extend_schema(
        operation_id="give_member_level", summary="Give a level by hand", request=Input, responses=GoalOutput
    )
    def put(self, request: Request, external_id: str) -> Response:
        given = self.valid(self.Input, request)
        member = people.get_by_external_id(external_id)
        level = standing.get_level(given["level"])
        standing.give(
            member=member, level=level, until=given["until"], by=actor_of(request), reason=given["reason"], at=now()
        )
        return _told(member)

    @extend_schema(
        operation_id="take_back_member_level",
        summary="Take back a level that was given by hand",
        parameters=[TakeInput],
        request=None,
        responses={200: GoalOutput},
    )
    def delete(self, request: Request, external_id: str) -> Response:
        given = self.valid(self.TakeInput, request)
        member = people.get_by_external_id(external_id)
        standing.take(member=member, by=actor_of(request), reason=given["reason"], at=now())
        return _told(member)


def _told(member: Member) -> Response:
    return Response(GoalOutput(standing.next_goal(member_id=member.pk, at=now())).data)

"""What a tenant's programs do about somebody who cheats."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from antifraud.lists import bans
from members import people
from members.models import Member
from tenants.clock import now
from tenants.staff import programs
from tenants.staff.models import Staff
from tenants.views import TenantView


class LiftInput(serializers.Serializer[Any]):
    note = serializers.CharField(max_length=bans.NOTE_LENGTH_MAX, help_text="Why. It stands in the log.")


class Ban(TenantView):
    """`/api/v1/members/{external_id}/ban`."""

    required_scope: ClassVar[Mapping[str, str]] = {"PUT": "members:write", "DELETE": "members:write"}

    class Input(LiftInput):
        takes = serializers.ChoiceField(
            default=bans.NOTHING,
            choices=bans.TAKES,
            help_text="What goes with it: nothing; pending: what waits is called off; granted: what was given goes "
            "before a moderator too.",
        )

    class Output(serializers.Serializer[Any]):
        status = serializers.ChoiceField(choices=Member.Status.choices)
        cancelled = serializers.ListField(child=serializers.IntegerField(), help_text="Rewards that were called off.")
        flagged = serializers.ListField(
            child=serializers.IntegerField(), help_text="Rewards that wait for a moderator now."
        )
        kept = serializers.ListField(child=serializers.IntegerField(), help_text="Rewards that are out of reach.")

    @extend_schema(
        operation_id="ban_member",
        summary="Ban a member: they earn and spend nothing more",
        request=Input,
        responses=Output,
        examples=[
            OpenApiExample("A cheat", value={"note": "a farm of phones", "takes": "pending"}, request_only=True),
            OpenApiExample(
                "They are banned",
                value={"status": "blocked", "cancelled": [17], "flagged": [], "kept": []},
                response_only=True,
            ),
        ],
    )
    def put(self, request: Request, external_id: str) -> Response:
        given = self.valid(self.Input, request)
        member = people.get_by_external_id(external_id)
        banned = bans.ban(member=member, by=_staff_of(request), note=given["note"], takes=given["takes"], at=now())
        told = {"cancelled": banned.cancelled, "flagged": banned.flagged, "kept": banned.kept}
        return Response(self.Output(told | {"status": member.status}).data)

    @extend_schema(
        operation_id="unban_member",
        summary="Let a member earn and spend again",
        description="What the ban took stays where it is.",
        parameters=[LiftInput],
        request=None,
        responses={204: OpenApiResponse(description="They are not banned any more.")},
    )
    def delete(self, request: Request, external_id: str) -> Response:
        given = self.valid(LiftInput, request)
        member = people.get_by_external_id(external_id)
        bans.lift(member=member, by=_staff_of(request), note=given["note"], at=now())
        return Response(status=204)


def _staff_of(request: Request) -> Staff:
    return programs.named(key=str(request.auth), at=now())

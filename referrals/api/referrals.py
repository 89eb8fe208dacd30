"""What a tenant's programs ask about who brought whom."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http import CursorPage
from core.http.pages import BIGINT_MAX
from members import people
from members.api.expansions import MEMBER
from referrals import records, trees
from tenants.views import TenantView

ONE = {
    "id": 31,
    "inviter": "anna",
    "inviter_id": 7,
    "invitee": "boris",
    "invitee_id": 12,
    "status": "qualified",
    "code": "ANNA",
    "channel": "telegram",
    "campaign_id": 3,
    "attributed_at": "2026-03-17T12:00:00Z",
    "qualified_at": "2026-03-18T09:30:00Z",
}


class StateOutput(serializers.Serializer[Any]):
    """How far a referral has come."""

    status = serializers.SerializerMethodField(
        help_text="joined; qualified once it earned the inviter a reward that was not refused. It stays qualified, "
        "with its qualified_at, even if a moderator rejects that reward later: look at the reward for that."
    )
    channel = serializers.CharField(help_text="Where it was shared, or what the new member's event said.")
    attributed_at = serializers.DateTimeField(help_text="When the friend joined.")
    qualified_at = serializers.DateTimeField(allow_null=True)

    def get_status(self, referral: Any) -> str:
        return records.QUALIFIED if referral.qualified_at else records.JOINED


class ReferralOutput(StateOutput):
    id = serializers.IntegerField()
    inviter = serializers.CharField(
        source="inviter_external_id", allow_null=True, help_text="Your id of whoever invited."
    )
    inviter_id = serializers.IntegerField()
    invitee = serializers.CharField(source="invitee_external_id", allow_null=True, help_text="Your id of the friend.")
    invitee_id = serializers.IntegerField()
    code = serializers.CharField(source="code.text", help_text="What the friend came with.")
    campaign_id = serializers.IntegerField(allow_null=True, help_text="The campaign whose link was followed.")


# Saves a call for each friend.
PEOPLE = {side: MEMBER._replace(by=f"{side}_id") for side in ("inviter", "invitee")}


class MemberReferrals(TenantView):
    """`/api/v1/members/{external_id}/referrals`."""

    expandable = PEOPLE
    required_scope = "members:read"
    pagination_class = CursorPage

    @extend_schema(
        operation_id="list_member_referrals",
        summary="List whom a member invited",
        responses=ReferralOutput(many=True),
        examples=[OpenApiExample("A friend who has qualified", value=ONE, response_only=True)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        return self.page(records.of_inviter(records.list_referrals(), member), request, ReferralOutput)


class Referrals(TenantView):
    """`/api/v1/referrals`."""

    expandable = PEOPLE
    required_scope = "members:read"
    pagination_class = CursorPage

    class Filters(serializers.Serializer[Any]):
        inviter = serializers.CharField(required=False, max_length=200, help_text="Your id of whoever invited.")
        invitee = serializers.CharField(required=False, max_length=200, help_text="Your id of the friend.")
        status = serializers.ChoiceField(required=False, choices=records.STATUSES)
        channel = serializers.CharField(required=False, max_length=50)
        campaign = serializers.IntegerField(required=False, min_value=1, max_value=BIGINT_MAX)
        since = serializers.DateTimeField(required=False, help_text="Joined at this instant or later.")
        until = serializers.DateTimeField(required=False, help_text="Joined before this instant.")

    @extend_schema(
        operation_id="list_referrals",
        summary="List referrals, the newest first",
        parameters=[Filters],
        responses=ReferralOutput(many=True),
        examples=[OpenApiExample("A friend who has qualified", value=ONE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        given = self.valid(self.Filters, request)
        found = records.list_referrals()
        if "inviter" in given:
            found = records.of_inviter(found, people.find_by_external_id(given["inviter"]))
        if "invitee" in given:
            found = records.of_invitee(found, people.find_by_external_id(given["invitee"]))
        if "status" in given:
            found = records.of_status(found, given["status"])
        columns = {name: given[key] for key, name in COLUMNS.items() if key in given}
        return self.page(found.filter(**columns), request, ReferralOutput)


COLUMNS = {
    "channel": "channel",
    "campaign": "click__campaign",
    "since": "attributed_at__gte",
    "until": "attributed_at__lt",
}


class OneReferral(TenantView):
    """`/api/v1/referrals/{referral_id}`."""

    expandable = PEOPLE
    required_scope = "members:read"

    @extend_schema(
        operation_id="get_referral",
        summary="Look at a referral",
        responses=ReferralOutput,
        examples=[OpenApiExample("A friend who has qualified", value=ONE, response_only=True)],
    )
    def get(self, request: Request, referral_id: int) -> Response:
        return Response(ReferralOutput(records.get(referral_id=min(referral_id, BIGINT_MAX))).data)


class Inviter(TenantView):
    """`/api/v1/members/{external_id}/inviter`."""

    required_scope = "members:read"

    class Output(serializers.Serializer[Any]):
        referral = ReferralOutput(allow_null=True, help_text="null: nobody invited this member.")

    @extend_schema(
        operation_id="get_member_inviter",
        summary="Look at who invited a member",
        responses=Output,
        examples=[
            OpenApiExample("Somebody did", value={"referral": ONE}, response_only=True),
            OpenApiExample("Nobody did", value={"referral": None}, response_only=True),
        ],
    )
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        return Response(self.Output({"referral": records.find_of_invitee(member=member)}).data)


class Tree(TenantView):
    """`/api/v1/members/{external_id}/referrals/tree`."""

    required_scope = "members:read"

    class Input(serializers.Serializer[Any]):
        depth = serializers.IntegerField(
            default=trees.DEPTH_MAX,
            min_value=1,
            max_value=trees.DEPTH_MAX,
            help_text="How far down: 1 is the member's own friends.",
        )

    class Output(serializers.Serializer[Any]):
        class NodeOutput(StateOutput):
            id = serializers.IntegerField(help_text="The referral's.")
            depth = serializers.IntegerField(help_text="1: the member's own friend, 2: a friend's friend.")
            inviter_id = serializers.IntegerField(help_text="Under whom it hangs: the member, or a node's invitee_id.")
            invitee = serializers.CharField(
                source="invitee_external_id", allow_null=True, help_text="Your id of the friend."
            )
            invitee_id = serializers.IntegerField()

        member_id = serializers.IntegerField(help_text="The root.")
        depth = serializers.IntegerField(help_text="How far down was looked.")
        nodes = NodeOutput(many=True, help_text="Level by level, and within a level the oldest first: 500 at most.")
        truncated = serializers.BooleanField(help_text="There is more than is shown.")

    @extend_schema(
        operation_id="get_member_referral_tree",
        summary="Look at whom a member brought, whom these brought, and so on",
        parameters=[Input],
        responses=Output,
        examples=[
            OpenApiExample(
                "A friend",
                value={
                    "member_id": 7,
                    "depth": 2,
                    "nodes": [
                        {name: ONE[name] for name in ONE if name not in {"inviter", "code", "campaign_id"}}
                        | {"depth": 1}
                    ],
                    "truncated": False,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, external_id: str) -> Response:
        depth = self.valid(self.Input, request)["depth"]
        member = people.get_by_external_id(external_id)
        tree = trees.below(member_id=member.pk, depth=depth)
        told = {"member_id": member.pk, "depth": depth, "nodes": tree.nodes, "truncated": tree.is_truncated}
        return Response(self.Output(told).data)

"""What a tenant's programs ask about members and what they earned."""

from typing import Any, cast

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http import CursorPage, TenantView
from members import people
from members.models import Identity
from members.models import Member as MemberRow
from referrals import codes, links, standings
from rewards import statement, wallet
from rewards.models import Reward
from tenants.keys import KnownKey

BIGINT_MAX = 2**63 - 1


class FiguresOutput(serializers.Serializer[Any]):
    available = serializers.IntegerField(help_text="Can be spent.")
    pending = serializers.IntegerField(help_text="Will be available when its refund window is over.")
    flagged = serializers.IntegerField(help_text="Waits for a moderator.")


class CampaignOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class Member(TenantView):
    """`/api/v1/members/{external_id}`."""

    required_scope = "members:read"

    class Output(serializers.Serializer[Any]):
        class ReferralsOutput(serializers.Serializer[Any]):
            total = serializers.IntegerField()
            qualified = serializers.IntegerField(help_text="Those that earned the member a reward.")

        id = serializers.IntegerField()
        external_id = serializers.CharField()
        status = serializers.ChoiceField(choices=MemberRow.Status.choices)
        joined_at = serializers.DateTimeField(allow_null=True)
        balances = serializers.DictField(child=FiguresOutput(), help_text="By the asset's code, such as points.")
        code = serializers.CharField(help_text="What the member tells friends.")
        link = serializers.URLField(help_text="What the member shares. Add ?ch= to say where.")
        referrals = ReferralsOutput()

    @extend_schema(summary="Look at a member", responses=Output)
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        code = codes.code_of(member_id=member.pk, at=now())
        figures = wallet.figures(member_id=member.pk)
        found = {
            "id": member.pk,
            "external_id": people.find_external_id(member.pk),
            "status": member.status,
            "joined_at": member.joined_at,
            "balances": {asset: each._asdict() for asset, each in figures.items()},
            "code": code,
            "link": links.address(tenant=cast("KnownKey", request.auth).tenant, code=code),
            "referrals": standings.count_referrals(inviter_id=member.pk)._asdict(),
        }
        return Response(self.Output(found).data)


class Statement(TenantView):
    """`/api/v1/members/{external_id}/statement`."""

    required_scope = "members:read"
    pagination_class = CursorPage

    class Output(serializers.Serializer[Any]):
        id = serializers.IntegerField()
        at = serializers.DateTimeField()
        asset = serializers.CharField()
        amount = serializers.IntegerField(help_text="Below zero where something was taken back.")
        balance = serializers.IntegerField(help_text="Of the asset, after this posting.")
        reason = serializers.CharField(help_text="grant, refund or undo.")
        sentence = serializers.CharField(help_text="The reason in words.")
        campaign = CampaignOutput(allow_null=True)
        reward_id = serializers.IntegerField(allow_null=True)

    @extend_schema(summary="List a member's postings, the newest first", responses=Output(many=True))
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        pages = CursorPage()
        postings = pages.paginate_queryset(statement.list_postings(member_id=member.pk), request, self)
        lines = statement.lines(member_id=member.pk, postings=postings)
        return pages.get_paginated_response(self.Output(lines, many=True).data)


class RewardOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    member = serializers.CharField(source="external_id", allow_null=True, help_text="The member's external_id.")
    member_id = serializers.IntegerField()
    campaign = CampaignOutput()
    rule_id = serializers.IntegerField()
    event_id = serializers.IntegerField(help_text="The event that earned it.")
    side = serializers.ChoiceField(choices=Reward.Side.choices)
    order_id = serializers.CharField(source="order.number", allow_null=True, default=None, help_text="Your order_id.")
    occurrence = serializers.CharField(help_text="What it is for: one occurrence is rewarded once.")
    kind = serializers.CharField()
    asset = serializers.CharField(source="asset.code", allow_null=True, default=None)
    due = serializers.IntegerField(help_text="What the rule gives.")
    given = serializers.IntegerField(help_text="What budgets and limits left of it.")
    taken_back = serializers.IntegerField(source="reversed", help_text="What refunds took back of it.")
    lost = serializers.IntegerField(help_text="What refunds should have taken back, but was spent.")
    status = serializers.ChoiceField(choices=Reward.Status.choices)
    occurred_at = serializers.DateTimeField()
    matures_at = serializers.DateTimeField(help_text="When its refund window is over.")
    granted_at = serializers.DateTimeField(allow_null=True)


class MemberRewards(TenantView):
    """`/api/v1/members/{external_id}/rewards`."""

    required_scope = "members:read"
    pagination_class = CursorPage

    @extend_schema(summary="List a member's rewards, the newest first", responses=RewardOutput(many=True))
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        return self.page(_rewards().filter(member=member), request, RewardOutput)


class Rewards(TenantView):
    """`/api/v1/rewards`."""

    required_scope = "rewards:read"
    pagination_class = CursorPage

    class Input(serializers.Serializer[Any]):
        member = serializers.CharField(required=False, max_length=200, help_text="An external_id.")
        campaign = serializers.IntegerField(required=False, min_value=1, max_value=BIGINT_MAX)
        status = serializers.ChoiceField(required=False, choices=Reward.Status.choices)

    @extend_schema(summary="List rewards, the newest first", parameters=[Input], responses=RewardOutput(many=True))
    def get(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        rewards = _rewards()
        if "member" in given:
            rewards = rewards.filter(member=people.find_by_external_id(given["member"]))
        if "campaign" in given:
            rewards = rewards.filter(campaign=given["campaign"])
        if "status" in given:
            rewards = rewards.filter(status=given["status"])
        return self.page(rewards, request, RewardOutput)


def _rewards() -> QuerySet[Reward]:
    own_ids = Identity.objects.filter(member=OuterRef("member"), kind=Identity.Kind.EXTERNAL_ID)
    rewards = Reward.objects.select_related("campaign", "order", "asset")
    return rewards.annotate(external_id=Subquery(own_ids.values("lookup")[:1]))

"""What a tenant's programs ask about rewards."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import OuterRef, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.expansions import CAMPAIGN
from core.http import CursorPage
from core.http.pages import BIGINT_MAX
from events.expansions import EVENT
from members import names, people
from members.api.expansions import MEMBER
from rewards.api import outputs
from rewards.api.periods import Period, within
from rewards.models import Reward
from tenants.views import TenantView, type_of_scope


class RewardOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    member = serializers.CharField(source="external_id", allow_null=True, help_text="The member's external_id.")
    member_id = serializers.IntegerField()
    campaign = outputs.CampaignOutput()
    rule_id = serializers.IntegerField()
    event_id = serializers.IntegerField(help_text="The event that earned it.")
    side = serializers.ChoiceField(choices=Reward.Side.choices)
    order_id = serializers.CharField(source="order.number", allow_null=True, default=None, help_text="Your order_id.")
    occurrence = serializers.CharField(help_text="What it is for: one occurrence is rewarded once.")
    part = serializers.IntegerField(help_text="Which of several things that one rule gives at once; 0 is the first.")
    kind = serializers.CharField()
    what = serializers.CharField(help_text="The asset's or the gift's code; empty: points.")
    asset = serializers.CharField(source="asset.code", allow_null=True, default=None)
    due = serializers.IntegerField(help_text="What the rule gives.")
    given = serializers.IntegerField(help_text="What budgets and limits left of it.")
    taken_back = serializers.IntegerField(source="reversed", help_text="What refunds took back of it.")
    lost = serializers.IntegerField(help_text="What should have been taken back, but could not.")
    lost_why = serializers.ChoiceField(choices=[("", ""), *Reward.LostWhy.choices], help_text="Why not.")
    status = serializers.ChoiceField(choices=Reward.Status.choices)
    occurred_at = serializers.DateTimeField()
    matures_at = serializers.DateTimeField(help_text="When its refund window is over.")
    awaits = serializers.CharField(help_text="The kind of event that a promise waits for; empty: none.")
    awaits_until = serializers.DateTimeField(allow_null=True, help_text="When the promise lapses.")
    created_at = serializers.DateTimeField()
    granted_at = serializers.DateTimeField(allow_null=True)


EXPANDABLE = {"member": MEMBER, "campaign": CAMPAIGN, "event": EVENT}


class MemberRewards(TenantView):
    """`/api/v1/members/{external_id}/rewards`."""

    required_scope = "members:read"
    pagination_class = CursorPage
    expandable = EXPANDABLE

    @extend_schema(
        operation_id="list_member_rewards",
        summary="List a member's rewards, the newest first",
        responses=RewardOutput(many=True),
    )
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        return self.page(list_rewards().filter(member=member), request, RewardOutput)


class Rewards(TenantView):
    """`/api/v1/rewards`, as far as it is read."""

    required_scope: ClassVar[type_of_scope | Mapping[str, type_of_scope]] = "rewards:read"
    pagination_class = CursorPage
    expandable = EXPANDABLE

    class Input(Period):
        member = serializers.CharField(required=False, max_length=200, help_text="An external_id.")
        campaign = serializers.IntegerField(required=False, min_value=1, max_value=BIGINT_MAX)
        status = serializers.ChoiceField(required=False, choices=Reward.Status.choices)

    @extend_schema(
        operation_id="list_rewards",
        summary="List rewards, the newest first",
        parameters=[Input],
        responses=RewardOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        given = self.valid(self.Input, request)
        rewards = list_rewards().filter(**within(given))
        if "member" in given:
            rewards = rewards.filter(member=people.find_by_external_id(given["member"]))
        if "campaign" in given:
            rewards = rewards.filter(campaign=given["campaign"])
        if "status" in given:
            rewards = rewards.filter(status=given["status"])
        return self.page(rewards, request, RewardOutput)


def list_rewards() -> QuerySet[Reward]:
    """Return all rewards, each as it is shown in lists."""
    rewards = Reward.objects.select_related("campaign", "order", "asset")
    return rewards.annotate(external_id=names.external_id_of(OuterRef("member")))

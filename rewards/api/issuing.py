"""What a tenant's programs issue and cancel."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http.pages import BIGINT_MAX
from members import people
from rewards import cancelling, entitlements, issuing
from rewards.api import rewards
from rewards.api.entitlements import EntitlementOutput, note_told
from rewards.api.who import actor_of
from rewards.issuing import Wanted
from rewards.models import Entitlement, Reward
from tenants.clock import now
from tenants.views import TenantView, type_of_scope


class WholeRewardOutput(rewards.RewardOutput):
    """A reward with what it became."""

    entitlements = EntitlementOutput(many=True, help_text="What it became, if it is not counted: usually one.")


class Rewards(rewards.Rewards):
    """`/api/v1/rewards`."""

    required_scope: ClassVar[type_of_scope | Mapping[str, type_of_scope]] = {
        "GET": "rewards:read",
        "POST": "rewards:write",
    }

    class IssueInput(serializers.Serializer[Any]):
        key = serializers.CharField(
            max_length=issuing.KEY_LENGTH_MAX, help_text="Idempotency key: the same one again gets the same reward."
        )
        member = serializers.CharField(max_length=200, help_text="An external_id.")
        kind = serializers.CharField(default="points", max_length=12, help_text="Kind of reward, such as points.")
        what = serializers.CharField(
            default="", allow_blank=True, max_length=50, help_text="The asset's or the gift's code; empty: points."
        )
        amount = serializers.IntegerField(
            min_value=1,
            max_value=issuing.AMOUNT_MAX,
            default=1,
            help_text="In the asset's smallest units; of a certificate its value in minor units; otherwise 1.",
        )
        reason = serializers.CharField(max_length=issuing.REASON_LENGTH_MAX, help_text="The member reads it.")

    @extend_schema(
        operation_id="issue_reward",
        summary="Issue a reward without a rule",
        request=IssueInput,
        responses={201: OpenApiResponse(WholeRewardOutput, description="It is granted. A repeat gets it again.")},
    )
    def post(self, request: Request) -> Response:
        given = self.valid(self.IssueInput, request)
        member = people.get_by_external_id(given.pop("member"))
        wanted = Wanted(member_id=member.pk, **given)
        issued = issuing.issue(wanted=wanted, actor=actor_of(request), at=now())
        return Response(_whole(issued), status=201)


class OneReward(TenantView):
    """`/api/v1/rewards/{reward_id}`."""

    required_scope = "rewards:read"
    expandable = rewards.EXPANDABLE

    @extend_schema(
        operation_id="get_reward", summary="Look at a reward, and at what it became", responses=WholeRewardOutput
    )
    def get(self, request: Request, reward_id: int) -> Response:
        return Response(_whole(issuing.get(reward_id=min(reward_id, BIGINT_MAX))))


class RewardCancellation(TenantView):
    """`/api/v1/rewards/{reward_id}/cancellation`."""

    required_scope: ClassVar[dict[str, str]] = {"POST": "rewards:write"}

    class Input(serializers.Serializer[Any]):
        reason = serializers.CharField(max_length=issuing.REASON_LENGTH_MAX, help_text="It stands in the log.")

    @extend_schema(
        operation_id="cancel_reward",
        summary="Cancel a reward, whatever gave it",
        description="What the same rule gave the member at once with it, the other parts, is cancelled too.",
        request=Input,
        responses={200: OpenApiResponse(WholeRewardOutput, description="It is cancelled. A repeat gets the same.")},
    )
    def post(self, request: Request, reward_id: int) -> Response:
        given = self.valid(self.Input, request)
        reward = issuing.get(reward_id=min(reward_id, BIGINT_MAX))
        ended = cancelling.cancel(reward=reward, reason=given["reason"], actor=actor_of(request), at=now())
        return Response(_whole(ended))


def _whole(reward: Reward) -> dict[str, Any]:
    external_id = people.find_external_id(reward.member_id)
    became = list(entitlements.list_of_rewards([reward.pk]))
    note_told(became)
    told: Any = reward
    told.external_id, told.entitlements = external_id, _named(became, external_id)
    return dict(WholeRewardOutput(told).data)


def _named(became: Sequence[Entitlement], external_id: str | None) -> list[Any]:
    named: list[Any] = list(became)
    for each in named:
        each.external_id = external_id
    return named

"""What a tenant's programs ask about a member."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar, cast

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http import CursorPage
from members import erasing, people
from members.models import Member as MemberRow
from referrals import codes, links, standings
from rewards import statement, upcoming, wallet
from rewards.api import outputs
from rewards.api.who import actor_of
from rewards.models import Posting
from tenants.clock import now
from tenants.keys import KnownKey
from tenants.views import TenantView


class ExpiringOutput(serializers.Serializer[Any]):
    amount = serializers.IntegerField()
    at = serializers.DateTimeField(help_text="The first instant when it is of no use.")


class FiguresOutput(serializers.Serializer[Any]):
    available = serializers.IntegerField(help_text="Can be spent.")
    pending = serializers.IntegerField(help_text="Will be available when its refund window is over.")
    flagged = serializers.IntegerField(help_text="Waits for a moderator.")
    promised = serializers.IntegerField(help_text="Will be available once the member does what it waits for.")
    reserved = serializers.IntegerField(help_text="Set aside for an order or a payout.")
    debt = serializers.IntegerField(help_text="What earnings pay first, after a refund of what was spent.")
    expiring = ExpiringOutput(allow_null=True, help_text="What expires next.")


class Member(TenantView):
    """`/api/v1/members/{external_id}`."""

    required_scope: ClassVar[Mapping[str, str]] = {"GET": "members:read", "DELETE": "members:write"}

    class Output(serializers.Serializer[Any]):
        class Meta:
            ref_name = "WholeMember"

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

    @extend_schema(operation_id="get_member", summary="Look at a member", responses=Output)
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        at = now()
        code = codes.code_of(member_id=member.pk, at=at)
        found = {
            "id": member.pk,
            "external_id": people.find_external_id(member.pk),
            "status": member.status,
            "joined_at": member.joined_at,
            "balances": {asset: _shown(each) for asset, each in wallet.figures(member_id=member.pk, at=at).items()},
            "code": code,
            "link": links.address(tenant=cast("KnownKey", request.auth).tenant, code=code),
            "referrals": standings.count_referrals(inviter_id=member.pk)._asdict(),
        }
        return Response(self.Output(found).data)

    @extend_schema(
        operation_id="erase_member",
        summary="Erase a member: nothing they are known by is kept. It cannot be undone",
        responses={204: OpenApiResponse(description="Erased. What they did and were owed stays, under a number.")},
    )
    def delete(self, request: Request, external_id: str) -> Response:
        member, actor = people.get_by_external_id(external_id), actor_of(request)
        erasing.erase(member=member, actor_kind=actor.kind, actor=actor.name, at=now())
        return Response(status=204)


class Statement(TenantView):
    """`/api/v1/members/{external_id}/statement`."""

    required_scope = "members:read"
    pagination_class = CursorPage

    class Output(serializers.Serializer[Any]):
        id = serializers.IntegerField()
        at = serializers.DateTimeField()
        asset = serializers.CharField(source="asset.code")
        amount = serializers.IntegerField(help_text="Below zero where something was taken or set aside.")
        balance = serializers.IntegerField(help_text="Of the asset, after this posting.")
        reason = serializers.ChoiceField(choices=Posting.Reason.choices)
        sentence = serializers.CharField(help_text="The reason in words.")
        text = serializers.CharField(help_text="The whole line in words, to be read aloud.")
        usable_from = serializers.DateTimeField(allow_null=True, help_text="Of what was earned.")
        usable_until = serializers.DateTimeField(
            allow_null=True, help_text="The first instant when it is of no use; null for never."
        )
        paid_debt = serializers.IntegerField(help_text="So much of it paid what the member owed.")
        campaign = outputs.CampaignOutput(allow_null=True)
        reward_id = serializers.IntegerField(allow_null=True)
        redemption_id = serializers.IntegerField(allow_null=True)

    @extend_schema(
        operation_id="list_member_statement",
        summary="List a member's postings, the newest first",
        responses=Output(many=True),
    )
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        pages = CursorPage()
        postings = pages.paginate_queryset(statement.list_postings(member_id=member.pk), request, self)
        lines = statement.lines(member_id=member.pk, postings=postings)
        return pages.get_paginated_response(self.Output(lines, many=True).data)


class Upcoming(TenantView):
    """`/api/v1/members/{external_id}/statement/upcoming`."""

    required_scope = "members:read"
    pagination_class = CursorPage

    class Output(serializers.Serializer[Any]):
        id = serializers.IntegerField(help_text="The reward's.")
        state = serializers.ChoiceField(
            choices=["pending", "promised", "flagged"],
            help_text="Waits for its refund window, for something that the member does, or for a moderator.",
        )
        asset = serializers.CharField(help_text="Empty for what is not counted, such as a certificate.")
        what = serializers.CharField(help_text="The gift's code, of what is not counted.")
        amount = serializers.IntegerField()
        sentence = serializers.CharField(help_text="What it is for, in words.")
        text = serializers.CharField(help_text="The whole line in words, to be read aloud.")
        usable_from = serializers.DateTimeField(allow_null=True, help_text="When it will be usable, if that is known.")
        awaits = serializers.CharField(help_text="The kind of event that makes it due, of a promise.")
        awaits_until = serializers.DateTimeField(allow_null=True, help_text="When the promise lapses.")
        campaign = outputs.CampaignOutput()

    @extend_schema(
        operation_id="list_member_statement_upcoming",
        summary="List what is on its way to a member, the newest first",
        responses=Output(many=True),
    )
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        pages = CursorPage()
        rewards = pages.paginate_queryset(upcoming.list_rewards(member_id=member.pk), request, self)
        return pages.get_paginated_response(self.Output(upcoming.lines(rewards=rewards), many=True).data)


def _shown(figures: wallet.Figures) -> dict[str, Any]:
    expiring = figures.expiring._asdict() if figures.expiring else None
    return {**asdict(figures), "expiring": expiring}

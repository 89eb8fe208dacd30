"""What a tenant's programs ask about decisions."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from antifraud.moderation import declined
from core.http import CursorPage
from members import people
from rewards.api import outputs
from tenants.views import TenantView


class Declined(TenantView):
    """`/api/v1/members/{external_id}/statement/declined`."""

    required_scope = "members:read"
    pagination_class = CursorPage

    class Output(serializers.Serializer[Any]):
        id = serializers.IntegerField(help_text="The reward's.")
        at = serializers.DateTimeField(help_text="When it was decided.")
        asset = serializers.CharField(help_text="Empty for what is not counted, such as a certificate.")
        what = serializers.CharField(help_text="The gift's code, of what is not counted.")
        amount = serializers.IntegerField()
        sentence = serializers.CharField(help_text="What it was for, in words.")
        text = serializers.CharField(help_text="The whole line in words, to be read aloud.")
        campaign = outputs.CampaignOutput()

    @extend_schema(
        operation_id="list_member_statement_declined",
        summary="List what a member was not given, the newest first",
        responses=Output(many=True),
    )
    def get(self, request: Request, external_id: str) -> Response:
        member = people.get_by_external_id(external_id)
        pages = CursorPage()
        rewards = pages.paginate_queryset(declined.list_rewards(member_id=member.pk), request, self)
        return pages.get_paginated_response(self.Output(declined.lines(rewards=rewards), many=True).data)

"""Where a member's app asks why something was or was not rewarded."""

from typing import Any

from django.conf import settings
from django.utils import translation
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http import CursorPage
from members import people
from scoring import explanations, member_words
from tenants.models import ApiKey
from tenants.views import TenantView


class LineOutput(serializers.Serializer[Any]):
    state = serializers.ChoiceField(
        member_words.STATES,
        help_text="It is there, on its way, being checked, nothing, or was taken back. waiting: not handled yet.",
    )
    text = serializers.CharField(help_text="In plain words.")
    campaign = serializers.CharField(help_text="The offer's name as it was then; empty: none.")
    reward_id = serializers.IntegerField(allow_null=True)


class Explanations(TenantView):
    """`/api/v1/members/{external_id}/explanations`."""

    required_scope = ApiKey.Scope.MEMBERS_READ.value
    pagination_class = CursorPage

    class Filters(serializers.Serializer[Any]):
        lang = serializers.ChoiceField(
            [code for code, _name in settings.LANGUAGES], required=False, help_text="Left out: the tenant's language."
        )

    class Output(serializers.Serializer[Any]):
        id = serializers.IntegerField(help_text="The event's.")
        kind = serializers.CharField()
        occurred_at = serializers.DateTimeField()
        is_friend = serializers.BooleanField(help_text="Whether a friend did it whom the member has invited.")
        title = serializers.CharField(help_text="What happened.")
        lines = LineOutput(many=True, help_text="What it brought; or why it brought nothing.")
        text = serializers.CharField(help_text="All of it in words, to be shown or read aloud.")

    @extend_schema(
        operation_id="list_member_explanations",
        summary="Tell a member what each event brought, or why not, the newest first",
        description="For the member's own eyes: what waits for a moderator is being checked, and why is not told. "
        "A page may have fewer rows than its limit: what friends did is left out where it does not concern the member.",
        parameters=[Filters],
        responses=Output(many=True),
    )
    def get(self, request: Request, external_id: str) -> Response:
        given = self.valid(self.Filters, request)
        member = people.get_by_external_id(external_id)
        pages = CursorPage()
        events = pages.paginate_queryset(explanations.list_events(member_id=member.pk), request, self)
        with translation.override(given.get("lang") or translation.get_language()):
            found = explanations.explain(events=events, member_id=member.pk)
        return pages.get_paginated_response(self.Output(found, many=True).data)

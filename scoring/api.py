"""What became of an event, and why."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http import TenantView
from events import progress
from scoring import why


class TraceEntry(serializers.Serializer[Any]):
    """What one rule made of the event."""

    sentence = serializers.CharField(help_text="In words, in the tenant's language.")
    outcome = serializers.ChoiceField(
        ["rewarded", "flagged", "refused", "missed", "attributed", "taken_back"],
        help_text="What came of it: of a rule, of a sign-up's code or click, or of a refund.",
    )
    code = serializers.CharField(help_text="The same for programs: the first thing that said no, or what was given.")
    campaign_id = serializers.IntegerField(required=False)
    campaign = serializers.CharField(required=False)
    rule_id = serializers.IntegerField(required=False)
    version = serializers.IntegerField(required=False, help_text="Of the campaign, as it was when the event occurred.")
    side = serializers.ChoiceField(["actor", "inviter", "invitee"], required=False)
    member_id = serializers.IntegerField(required=False)
    params = serializers.DictField(required=False, help_text="What the sentence was made from.")
    reward_id = serializers.IntegerField(required=False)
    kind = serializers.CharField(required=False, help_text="The kind of the reward: points, money, certificate, …")
    what = serializers.CharField(required=False, help_text="Which asset or gift; empty: points.")
    given = serializers.IntegerField(required=False, help_text="So many units of it, or of one what it is worth.")
    points = serializers.IntegerField(required=False, help_text="Of points only.")


class EventView(TenantView):
    """`/api/v1/events/{event_id}`."""

    required_scope = "events:read"

    class Output(progress.EventProgress):
        trace = TraceEntry(many=True, help_text="For each rule that could apply, why it did or did not reward it.")

    @extend_schema(operation_id="get_event", summary="See what became of an event, and why", responses=Output)
    def get(self, request: Request, event_id: int) -> Response:
        event = progress.get_event(event_id)
        found = progress.EventProgress(event).data
        return Response({**found, "trace": why.rendered(event.trace)})

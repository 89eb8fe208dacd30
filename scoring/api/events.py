"""What became of an event, and why."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from events import progress
from members.api.expansions import MEMBER
from scoring import why
from scoring.expansions import TraceEntry
from tenants.keys import KnownKey
from tenants.models import ApiKey
from tenants.views import TenantView

PERSONAL = ApiKey.Scope.MEMBERS_READ.value


class EventView(TenantView):
    """`/api/v1/events/{event_id}`."""

    required_scope = "events:read"
    expandable = {"member": MEMBER._replace(by="member.id")}

    class Output(progress.EventProgress):
        data = serializers.DictField(  # type: ignore[assignment]  # REST framework's serializers have `data` too
            allow_null=True,
            help_text="As it was reported or recorded. null: the key lacks members:read, or the member is erased.",
        )
        trace = TraceEntry(many=True, help_text="For each rule that could apply, why it did or did not reward it.")

    @extend_schema(operation_id="get_event", summary="See what became of an event, and why", responses=Output)
    def get(self, request: Request, event_id: int) -> Response:
        event = progress.get_event(event_id)
        found = progress.EventProgress(event).data
        # Senders put into it what they like, which may be about people.
        data = progress.data_of(event) if PERSONAL in cast("KnownKey", request.auth).scopes else None
        trace = TraceEntry(why.rendered(event.trace), many=True).data
        return Response({**found, "data": data, "trace": trace})

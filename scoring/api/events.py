"""What became of an event, and why."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from events import progress
from members.api.expansions import MEMBER
from scoring import why
from scoring.expansions import TraceEntry
from tenants.views import TenantView


class EventView(TenantView):
    """`/api/v1/events/{event_id}`."""

    required_scope = "events:read"
    expandable = {"member": MEMBER._replace(by="member.id")}

    class Output(progress.EventProgress):
        trace = TraceEntry(many=True, help_text="For each rule that could apply, why it did or did not reward it.")

    @extend_schema(operation_id="get_event", summary="See what became of an event, and why", responses=Output)
    def get(self, request: Request, event_id: int) -> Response:
        event = progress.get_event(event_id)
        found = progress.EventProgress(event).data
        return Response({**found, "trace": TraceEntry(why.rendered(event.trace), many=True).data})

"""All that is held about one person, for whoever asks what is (GDPR, articles 15 and 20)."""

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from members import exporting, people
from tenants.clock import now
from tenants.views import TenantView

EXAMPLE = {
    "exported_at": "2026-03-17T12:00:00Z",
    "members": [{"id": 7, "status": "active", "joined_at": "2026-03-01T08:00:00Z"}],
    "identities": [{"kind": "email", "value": "anna@example.com", "added_at": "2026-03-01T08:00:00Z"}],
    "rewards": [{"id": 5, "campaign": "Bring a friend", "given": 100, "status": "granted"}],
}


class MemberExport(TenantView):
    """`/api/v1/members/{external_id}/export`."""

    required_scope = "exports:read"
    # What somebody is known by stands in it, so the right to export is not enough.
    scope_besides = "members:read"

    class Output(serializers.Serializer[Any]):
        exported_at = serializers.DateTimeField()
        members = serializers.ListField(child=serializers.DictField(), help_text="More than one after a merge.")
        identities = serializers.ListField(child=serializers.DictField(), help_text="Readable, as they were given.")

    @extend_schema(
        operation_id="export_member",
        summary="Get all that is held about a member",
        description="One object with a list for each sort of thing: identities, events, orders, referrals, rewards, "
        "the statement, what was bought and given, and so on. It is sent bit by bit: what lacks the closing brace is "
        "not whole. What names other people is left out. Each export stands in the audit log.",
        responses=OpenApiResponse(Output, description="The whole, with further lists by what they hold."),
        examples=[OpenApiExample("The beginning of one", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, external_id: str) -> StreamingHttpResponse:
        member = people.get_by_external_id(external_id)
        return StreamingHttpResponse(
            exporting.export(member=member, key=str(request.auth), at=now()),
            content_type="application/json",
            headers={
                "Content-Disposition": f'attachment; filename="member-{member.pk}.json"',
                "Cache-Control": "no-store",
            },
        )

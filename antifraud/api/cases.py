"""Where a tenant's programs read what waits for a moderator, and decide about it."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from antifraud.api import case_outputs
from antifraud.api.expansions import OF_CASES
from antifraud.models import Case, Decision
from antifraud.moderation import deciding, files, queue
from core.http import CursorPage
from core.http.pages import BIGINT_MAX
from tenants.clock import now
from tenants.models import ApiKey
from tenants.staff import programs
from tenants.staff.models import Staff
from tenants.views import TenantView

READ, DECIDE = ApiKey.Scope.CASES_READ.value, ApiKey.Scope.CASES_DECIDE.value
NOBODY: Final = "nobody"
REASON_LENGTH_MAX: Final = 200
# Beside the reason, with a space between.
NOTE_LENGTH_MAX: Final = deciding.NOTE_LENGTH_MAX - REASON_LENGTH_MAX - 1


class CasePage(CursorPage):
    """A page of cases, and how many wait in all, whatever was asked for."""

    counts: queue.Counts

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        response.data["counts"] = case_outputs.CountsOutput(self.counts).data
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        found = super().get_paginated_response_schema(schema)
        number = {"type": "integer"}
        counts = dict.fromkeys(case_outputs.CountsOutput().fields, number)
        found["properties"]["counts"] = {"type": "object", "required": [*counts], "properties": counts}
        found["required"] = [*found["required"], "counts"]
        return found


class Cases(TenantView):
    """`/api/v1/cases`."""

    required_scope = READ
    pagination_class = CasePage
    expandable = OF_CASES

    class Filters(serializers.Serializer[Any]):
        status = serializers.ChoiceField(Case.Status.choices, required=False)
        campaign = serializers.IntegerField(required=False, min_value=1, max_value=BIGINT_MAX)
        assigned = serializers.CharField(
            required=False, max_length=150, help_text="The user name of whoever looks after it, or nobody."
        )
        overdue = serializers.BooleanField(
            required=False, allow_null=True, default=None, help_text="Only those whose time to decide is over, or not."
        )

    @extend_schema(
        operation_id="list_cases",
        summary="List cases, the newest first, and count what waits",
        parameters=[Filters],
        responses=case_outputs.CaseLineOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        given, at = self.valid(self.Filters, request), now()
        pages = CasePage()
        pages.counts = queue.counts(at=at)
        rows = pages.paginate_queryset(_wanted(given, overdue_at=at), request, self)
        lines = [case_outputs.told_of_line(each) for each in files.lines_of(rows, at=at)]
        return pages.get_paginated_response(case_outputs.CaseLineOutput(lines, many=True).data)


class OneCase(TenantView):
    """`/api/v1/cases/{case_id}`. Looking at it changes nothing."""

    required_scope = READ

    @extend_schema(
        operation_id="get_case",
        summary="Look at a case: who, how much, what was seen, what was decided",
        responses=case_outputs.CaseOutput,
    )
    def get(self, request: Request, case_id: int) -> Response:
        return _shown(case_id)


class CaseDecision(TenantView):
    """`/api/v1/cases/{case_id}/decision`."""

    required_scope = DECIDE

    class Input(serializers.Serializer[Any]):
        decision = serializers.ChoiceField([Decision.Action.APPROVE.value, Decision.Action.REJECT.value])
        sides = serializers.ChoiceField(
            Decision._meta.get_field("sides").choices,  # type: ignore[arg-type]
            required=False,
            help_text="Of a rejection: whose rewards are refused. Left out: as the antifraud policy says.",
        )
        reason = serializers.CharField(max_length=REASON_LENGTH_MAX, help_text="Staff reads it, the member does not.")
        note = serializers.CharField(max_length=NOTE_LENGTH_MAX, required=False, default="", allow_blank=True)
        seen = serializers.IntegerField(
            required=False,
            min_value=1,
            max_value=1_000_000,
            help_text="How many rewards the case had when you looked: if more have joined it, it is not decided.",
        )

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            if attrs["decision"] == Decision.Action.APPROVE and "sides" in attrs:
                raise serializers.ValidationError({"sides": "An approval is of all sides."})
            return attrs

    @extend_schema(
        operation_id="decide_case",
        summary="Approve or reject what waits",
        description="The decision stands under the name of the key, in the case, in the figures and in the audit log. "
        "Of two at once one decides, and the other is answered 409 already_decided, with decided_by.",
        request=Input,
        responses=case_outputs.CaseOutput,
        examples=[
            OpenApiExample(
                "A rejection of one side",
                value={"decision": "reject", "sides": "inviter", "reason": "The same person.", "seen": 2},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, case_id: int) -> Response:
        given = self.valid(self.Input, request)
        case = queue.get(case_id=case_id)
        by, note, seen = _key_of(request), f"{given['reason']} {given['note']}".strip(), given.get("seen")
        if given["decision"] == Decision.Action.APPROVE:
            deciding.approve(case=case, by=by, note=note, seen=seen, at=now())
        else:
            deciding.reject(case=case, by=by, note=note, seen=seen, sides=given.get("sides"), at=now())
        return _shown(case_id)


class CaseUndo(TenantView):
    """`/api/v1/cases/{case_id}/undo`."""

    required_scope = DECIDE

    @extend_schema(
        operation_id="undo_case_decision",
        summary="Take the last decision back, whoever made it",
        description="For as many minutes as the antifraud policy allows, and while nothing of it is out of reach.",
        request=None,
        responses=case_outputs.CaseOutput,
    )
    def post(self, request: Request, case_id: int) -> Response:
        deciding.undo(case=queue.get(case_id=case_id), by=_key_of(request), at=now())
        return _shown(case_id)


def _wanted(given: Mapping[str, Any], *, overdue_at: Any) -> QuerySet[Case]:
    cases = Case.objects.select_related("campaign", "assigned_to", "decided_by")
    cases = cases.filter(**{name: given[name] for name in ("status", "campaign") if name in given})
    if "assigned" in given:
        whose = given["assigned"]
        cases = cases.filter(assigned_to=None) if whose == NOBODY else cases.filter(assigned_to__username=whose)
    if given["overdue"] is not None:
        is_overdue = Q(status=Case.Status.OPEN, due_at__lte=overdue_at)
        cases = cases.filter(is_overdue if given["overdue"] else ~is_overdue)
    return cases


def _key_of(request: Request) -> Staff:
    return programs.named(key=str(request.auth), at=now())


def _shown(case_id: int) -> Response:
    found = files.file_of(queue.get(case_id=case_id), at=now())
    return Response(case_outputs.CaseOutput(case_outputs.told_of_file(found)).data)

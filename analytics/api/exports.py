"""Where a tenant's programs take everything with them."""

from typing import Any, cast

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from analytics.exports import catalogue, formats, pages
from analytics.exports.pages import Asked
from core.db import current_schema
from core.http.pages import cursor_after, id_of_cursor
from tenants import audit
from tenants.clock import now
from tenants.keys import KnownKey
from tenants.models import ApiKey
from tenants.views import TenantView

SCOPE = ApiKey.Scope.EXPORTS_READ.value
PERSONAL = ApiKey.Scope.MEMBERS_READ.value


class ColumnOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    meaning = serializers.CharField()


class ExportOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    meaning = serializers.CharField()
    at = serializers.CharField(
        allow_null=True, help_text="The column that since and until ask for. null: they cannot be asked."
    )
    columns = ColumnOutput(many=True)


class Exports(TenantView):
    """`/api/v1/exports`."""

    required_scope = SCOPE

    class Output(serializers.Serializer[Any]):
        data = ExportOutput(many=True)  # type: ignore[assignment]  # as every list has it

    @extend_schema(operation_id="list_exports", summary="See what can be exported, column by column", responses=Output)
    def get(self, request: Request) -> Response:
        with_secret = _may_see_people(request)
        found = [
            {
                "name": each.name,
                "meaning": each.meaning,
                "at": each.at or None,
                "columns": each.shown(with_secret=with_secret),
            }
            for each in catalogue.EXPORTS.values()
        ]
        return Response(self.Output({"data": found}).data)


class OneExport(TenantView):
    """`/api/v1/exports/{what}`."""

    required_scope = SCOPE

    class Filters(serializers.Serializer[Any]):
        format = serializers.ChoiceField(["ndjson", "csv"], default="ndjson")
        since = serializers.DateTimeField(required=False, help_text="From here on, by the column listed as at.")
        until = serializers.DateTimeField(required=False, help_text="Until just before here.")
        limit = serializers.IntegerField(
            required=False, default=pages.ROWS_MAX, min_value=1, max_value=pages.ROWS_MAX, help_text="Rows a page."
        )
        cursor = serializers.CharField(
            required=False, max_length=100, help_text="X-Next-Cursor of the page before, or X-Resume-Cursor."
        )

    @extend_schema(
        operation_id="export_table",
        summary="Export a table, a page at a time, as a stream of rows",
        description="Rows come in the order of their ids. While there are more, the answer has the headers Link "
        '(rel="next") and X-Next-Cursor. Every page has X-Resume-Cursor: sent as cursor later, it brings each row that '
        "has come since, and none twice, however late it was written. A row that changes later is not sent again: ask "
        "for it anew with since. "
        "Each page is noted in the audit log.",
        parameters=[
            Filters,
            OpenApiParameter("Link", location=OpenApiParameter.HEADER, response=True),
            OpenApiParameter("X-Next-Cursor", location=OpenApiParameter.HEADER, response=True),
            OpenApiParameter("X-Resume-Cursor", location=OpenApiParameter.HEADER, response=True),
        ],
        responses={(200, "application/x-ndjson"): OpenApiTypes.STR, (200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, what: str) -> StreamingHttpResponse:
        given = self.valid(self.Filters, request)
        export = catalogue.find(what)
        after_id = id_of_cursor(given["cursor"], of=what) if "cursor" in given else 0
        asked = Asked(given.get("since"), given.get("until"), after_id, given["limit"])
        page = pages.cut(export=export, asked=asked)
        columns = export.shown(with_secret=_may_see_people(request))
        lines = formats.write(
            kind=given["format"],
            columns=columns,
            chunks=pages.rows(export=export, page=page, columns=columns),
            schema_name=current_schema(),
        )
        answer = StreamingHttpResponse(lines, content_type=formats.CONTENT_TYPES[given["format"]])
        answer.headers["Content-Disposition"] = f'attachment; filename="{what}-{after_id}.{given["format"]}"'
        cursor = cursor_after(page.last_id, of=what)
        answer.headers["X-Resume-Cursor"] = cursor
        if not page.is_last:
            answer.headers["X-Next-Cursor"] = cursor
            following = replace_query_param(request.build_absolute_uri(), "cursor", cursor)
            answer.headers["Link"] = f'<{following}>; rel="next"'
        _note(request, what, given)
        return answer

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002
        # What it comes as is a parameter, called like REST framework's own; a problem is JSON whatever was asked for.
        renderer = self.get_renderers()[0]
        return renderer, renderer.media_type


def _may_see_people(request: Request) -> bool:
    return PERSONAL in cast("KnownKey", request.auth).scopes


def _note(request: Request, what: str, given: dict[str, Any]) -> None:
    told: dict[str, str] = {name: str(given[name]) for name in ("format", "since", "until", "cursor") if name in given}
    audit.record(
        actor_kind="key", actor=str(request.auth), action="export.read", target=f"export:{what}", changes=told, at=now()
    )

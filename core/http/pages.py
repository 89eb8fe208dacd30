"""Lists, a page at a time."""

import base64
import binascii
import re
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import Invalid

PAGE_LIMIT_DEFAULT = 50
PAGE_LIMIT_MAX = 100
# What a cursor begins with that says nothing of its list.
ANY_LIST = "id"
BIGINT_MAX = 2**63 - 1


class InvalidCursor(Invalid):
    """Not a cursor that came from us."""

    message = _("This is not a cursor of this list. Leave it out to start from the beginning.")


class InvalidLimit(Invalid):
    """A page's size outside 1 to PAGE_LIMIT_MAX."""

    message = _("The limit must be a whole number from 1 to 100.")


class CursorPage(BasePagination):
    """
    Cut a list, newest first, into pages: `{"data": […], "next_cursor": "…" | null}`.

    A cursor stands for the last id seen, so that new rows neither shift a page nor show up twice.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        limit = self._limit(request)
        before = self._before(request)
        wanted = queryset if before is None else queryset.filter(id__lt=before)
        # One row more than asked for tells whether there is a next page.
        found = list(wanted.order_by("-id")[: limit + 1])
        self.next_cursor = cursor_after(found[limit - 1].id) if len(found) > limit else None
        return found[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"data": data, "next_cursor": self.next_cursor})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["data", "next_cursor"],
            "properties": {"data": schema, "next_cursor": {"type": ["string", "null"], "example": None}},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": PAGE_LIMIT_MAX, "default": PAGE_LIMIT_DEFAULT}
        return [
            {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string"}},
            {"name": "limit", "in": "query", "required": False, "schema": limit},
        ]

    def _limit(self, request: Request) -> int:
        given = request.query_params.get("limit", str(PAGE_LIMIT_DEFAULT))
        if not re.fullmatch(r"[0-9]{1,3}", given) or not 1 <= int(given) <= PAGE_LIMIT_MAX:
            raise InvalidLimit(parameter="limit")
        return int(given)

    def _before(self, request: Request) -> int | None:
        given = request.query_params.get("cursor")
        return None if given is None else id_of_cursor(given)


def cursor_after(row_id: int, *, of: str = ANY_LIST) -> str:
    """Return what stands for a row's id in a cursor, which may say of what list it is."""
    return base64.urlsafe_b64encode(f"{of}:{row_id}".encode()).decode().rstrip("=")


def id_of_cursor(cursor: str, *, of: str = ANY_LIST) -> int:
    """
    Return the id that a cursor stands for, if it is of this list, or of any.

    :raises InvalidCursor:
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor(parameter="cursor") from error
    found = re.fullmatch(rb"([a-z_]+):(0|[1-9][0-9]{0,18})", text)
    if found is None or found[1].decode() not in {of, ANY_LIST} or int(found[2]) > BIGINT_MAX:
        raise InvalidCursor(parameter="cursor")
    return int(found[2])

"""What every operation of a tenant's API shares."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, cast

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.views import APIView

from core.errors import Denied
from core.http.bodies import StrictJSONParser
from core.http.pages import CursorPage


class MissingScope(Denied):
    """The API key is good, but not for this."""

    message = _("This API key lacks the scope that this needs.")


class ApiKey(Protocol):
    """What authentication leaves in `request.auth`, as far as this floor cares."""

    scopes: Sequence[str]


class HasScope(BasePermission):
    """Let a request pass whose API key has the view's `required_scope`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.auth is None:
            return False  # REST framework answers 401.
        scope = cast("TenantView", view).scope_for(request)
        if scope not in cast("ApiKey", request.auth).scopes:
            raise MissingScope(extra={"required_scope": scope})
        return True


class TenantView(APIView):
    """
    Be the base of every operation of a tenant's API: input, one verb, output.

    `required_scope` names the scope that the key needs, or one for each HTTP method.
    """

    required_scope: ClassVar[str | Mapping[str, str]]
    permission_classes = [HasScope]
    parser_classes = [StrictJSONParser]
    metadata_class = None

    def scope_for(self, request: Request) -> str:
        """Return the scope that this request needs."""
        scope = self.required_scope
        if isinstance(scope, str):
            return scope
        method = "GET" if _is_reading(request) else str(request.method)
        if method not in scope:
            raise MethodNotAllowed(method)
        return scope[method]

    def valid(self, serializer_class: type[Serializer[Any]], request: Request) -> dict[str, Any]:
        """
        Return what was sent, checked: the body, or the query of a GET.

        :raises rest_framework.exceptions.ValidationError: answered 400 with a pointer to each error.
        """
        given = serializer_class(data=request.query_params if _is_reading(request) else request.data)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def page(self, queryset: QuerySet[Any], request: Request, serializer_class: type[BaseSerializer[Any]]) -> Response:
        """Answer with one page of a list."""
        pages = CursorPage()
        rows = pages.paginate_queryset(queryset, request, self)
        return pages.get_paginated_response(serializer_class(rows, many=True).data)


def _is_reading(request: Request) -> bool:
    return request.method in {"GET", "HEAD"}

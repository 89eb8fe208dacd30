"""
Every error in one shape.

The only place where failures meet status codes (RFC 9110) and become problem documents (RFC 9457).
"""

import logging
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple, cast

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.views import defaults
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.settings import api_settings

from core.errors import (
    Conflict,
    Denied,
    Failure,
    FieldError,
    Invalid,
    Limited,
    NotFound,
    Unprocessable,
    type_of_text,
)
from core.http.request_ids import request_id_of

logger = logging.getLogger(__name__)

STATUS: dict[type[Failure], int] = {
    Invalid: 400,
    Denied: 403,
    NotFound: 404,
    Conflict: 409,
    Unprocessable: 422,
    Limited: 429,
}

API_PREFIX = "/api/"
PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
TOO_SLOW_RETRY_AFTER_SECONDS = 30


class StillReferredTo(Conflict):
    """Other rows point at what should be deleted."""

    message = _("Other records refer to this one, so it cannot be deleted.")


class Problem(NamedTuple):
    """What went wrong, before it is a response of Django's or of REST framework's."""

    status: int
    code: str
    detail: type_of_text
    errors: Sequence[FieldError] = ()
    extra: Mapping[str, Any] = {}
    headers: Mapping[str, str] = {}

    def document(self, request: HttpRequest) -> dict[str, Any]:
        """Return the problem document of RFC 9457. `extra` cannot change its standard members."""
        found = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": int(self.status),
            "detail": str(self.detail),
            "code": self.code,
            "request_id": request_id_of(request),
        }
        if self.errors:
            found["errors"] = [{name: str(said) for name, said in each.items()} for each in self.errors]
        return {**self.extra, **found}


# The database is away or overloaded: nothing was done, and the same request may be sent again.
BUSY = Problem(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    code="service_unavailable",
    detail=_("The service is busy. Please try again."),
    headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
)
# A statement took longer than a request may: nothing was done, and the same would take as long again.
TOO_SLOW = Problem(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    code="too_slow",
    detail=_("This took too long, and was given up. Ask for less at once, or try again later."),
    headers={"Retry-After": str(TOO_SLOW_RETRY_AFTER_SECONDS)},
)
QUERY_CANCELLED = "57014"
BROKEN = Problem(
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    code="internal_server_error",
    detail=_("Something went wrong on our side. It has been recorded."),
)
# What Django raises, in our words.
MEANT: dict[type[Exception], type[Failure]] = {
    Http404: NotFound,
    PermissionDenied: Denied,
    SuspiciousOperation: Invalid,
    ProtectedError: StillReferredTo,
    RestrictedError: StillReferredTo,
}


def problem(error: Exception, context: Mapping[str, Any]) -> Response:
    """Answer whatever a REST framework view raised (REST_FRAMEWORK["EXCEPTION_HANDLER"])."""
    request = context["request"]._request
    found = _problem_of(error)
    if found.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("A request failed unexpectedly.", exc_info=error, extra={"request": request})
        # Says it to whatever listens for failed requests: error reporters, and the test client, which raises it.
        got_request_exception.send(sender=type(context.get("view")), request=request)
    return Response(
        found.document(request), status=found.status, headers=dict(found.headers), content_type=PROBLEM_TYPE
    )


def problem_document(error: Exception, request: HttpRequest) -> dict[str, Any]:
    """Return the problem document for one failure among several: of one item of a batch, whose others succeeded."""
    return _problem_of(error).document(request)


def problem_response(request: HttpRequest, *, status: int, detail: type_of_text | None = None) -> HttpResponse:
    """Answer with a problem document outside REST framework: from a middleware, or from Django's error handlers."""
    phrase = HTTPStatus(status).phrase
    code = re.sub(r"\W+", "_", phrase.lower())
    found = Problem(status=status, code=code, detail=f"{phrase}." if detail is None else detail)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    return JsonResponse(found.document(request), status=status, content_type=PROBLEM_TYPE, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Stand as `handler400`: a problem document under /api/, Django's page elsewhere."""
    return problem_response(request, status=400) if _is_api(request) else defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Stand as `handler403`, likewise."""
    if _is_api(request):
        return problem_response(request, status=403, detail=Denied.message)
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Stand as `handler404`, likewise."""
    if _is_api(request):
        return problem_response(request, status=404, detail=NotFound.message)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Stand as `handler500`, likewise. Django has logged what happened."""
    found = _problem_of(cast("Exception", sys.exc_info()[1]))
    if not _is_api(request):
        is_away = found.status == HTTPStatus.SERVICE_UNAVAILABLE
        return _page_of(found, request) if is_away else defaults.server_error(request)
    return JsonResponse(
        found.document(request), status=found.status, content_type=PROBLEM_TYPE, headers=dict(found.headers)
    )


def _page_of(found: Problem, request: HttpRequest) -> HttpResponse:
    # Without what the pages have to know besides: that may be what took so long.
    again = request.get_full_path() if request.method == "GET" else ""
    page = render_to_string(f"{found.status}.html", {"detail": found.detail, "again": again})
    return HttpResponse(page, status=found.status, headers=dict(found.headers))


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith(API_PREFIX)


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, Failure):
        return _problem_of_failure(error)
    if isinstance(error, drf.APIException):
        return _problem_of_drf(error)
    for family, failure in MEANT.items():
        if isinstance(error, family):
            return _problem_of_failure(failure())
    if isinstance(error, OperationalError | InterfaceError):
        return TOO_SLOW if getattr(error.__cause__, "pgcode", None) == QUERY_CANCELLED else BUSY
    return BROKEN


def _problem_of_failure(error: Failure) -> Problem:
    status = next(status for family, status in STATUS.items() if isinstance(error, family))
    wait_seconds = error.wait_seconds if isinstance(error, Limited) else None
    return Problem(
        status=status,
        code=error.code,
        detail=error.detail,
        errors=error.errors,
        extra=error.extra,
        headers=_retry_after(wait_seconds),
    )


def _problem_of_drf(error: drf.APIException) -> Problem:
    if isinstance(error, drf.ValidationError):
        errors = [*_field_errors(error.detail)]
        return Problem(status=400, code=error.default_code, detail=Invalid.message, errors=errors)
    if isinstance(error, drf.NotAuthenticated | drf.AuthenticationFailed):
        # REST framework makes it 403 where an authenticator names no scheme; ours is always Bearer (RFC 6750).
        header = getattr(error, "auth_header", None) or "Bearer"
        return Problem(401, error.default_code, str(error.detail), headers={"WWW-Authenticate": header})
    wait_seconds = getattr(error, "wait", None)
    return Problem(error.status_code, error.default_code, str(error.detail), headers=_retry_after(wait_seconds))


def _retry_after(wait_seconds: float | None) -> dict[str, str]:
    return {} if wait_seconds is None else {"Retry-After": str(math.ceil(wait_seconds))}


def _field_errors(detail: Any, pointer: str = "") -> Iterator[FieldError]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            # What is wrong with an object as a whole is said of the object itself.
            is_whole = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from _field_errors(inner, pointer if is_whole else f"{pointer}/{_escaped(name)}")
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        for index, inner in enumerate(detail):
            # A list holds either the sentences about one field or, for a list field, one object an item.
            is_item = isinstance(inner, Mapping)
            yield from _field_errors(inner, f"{pointer}/{index}" if is_item else pointer)
    else:
        yield FieldError(pointer=pointer, detail=str(detail))


def _escaped(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")

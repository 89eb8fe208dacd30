"""The id by which a caller's log, our log and a problem document speak of the same request."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core import trail


class RequestIdMiddleware:
    """
    Give every request an id that its answer, its problem document and its log lines carry.

    The caller's own, if it is plain enough to stand in a log, a header and an address; else one of ours.
    """

    ACCEPTED = re.compile(r"[A-Za-z0-9_-]{1,64}")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request.META["SARAFAN_REQUEST_ID"] = given if self.ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        trail.begin(request_id_of(request))
        response = self.get_response(request)
        response["X-Request-Id"] = request_id_of(request)
        return response


def request_id_of(request: HttpRequest) -> str:
    """Return the id that RequestIdMiddleware gave, or '' for a request that never passed it."""
    return str(request.META.get("SARAFAN_REQUEST_ID", ""))

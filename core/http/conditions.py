"""Answers that a program may keep, and ask whether they still hold (RFC 9110 §13): `ETag` and `If-None-Match`."""

from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers, set_response_etag
from django.utils.http import parse_etags

# Kept by nobody but whoever asked, and never used without asking.
CACHED_READING: Final = "private, no-cache"
CACHED_NEVER: Final = "no-store"


def conditional(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the answer to a reading request with its ETag; 304 without a body, if the caller has it already."""
    is_whole = isinstance(response, HttpResponse) and response.status_code == HTTPStatus.OK
    if not is_whole or request.method not in {"GET", "HEAD"}:
        response.headers.setdefault("Cache-Control", CACHED_NEVER)
        return response
    response.headers.setdefault("Cache-Control", CACHED_READING)
    # At the platform's host the same address is another tenant's for another key.
    patch_vary_headers(response, ["Authorization"])
    if "ETag" not in response.headers:
        set_response_etag(response)
    return _not_modified(response) if _is_known(request, response.headers.get("ETag", "")) else response


def _is_known(request: HttpRequest, etag: str) -> bool:
    # As a weak comparison (§13.1.2): a proxy that compresses answers makes their ETags weak.
    known = [each.removeprefix("W/") for each in parse_etags(request.headers.get("If-None-Match", ""))]
    return bool(etag) and (etag.removeprefix("W/") in known or known == ["*"])


def _not_modified(response: HttpResponseBase) -> HttpResponseNotModified:
    of_body = {"content-type", "content-length"}
    return HttpResponseNotModified(
        headers={name: value for name, value in response.headers.items() if name.lower() not in of_body}
    )

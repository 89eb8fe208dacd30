"""
The house's way of speaking HTTP: strict JSON in, JSON out, one shape for every error, one for every page of a list.

Authentication classes must not import this package: REST framework imports them while it defines a view.
"""

from core.callers import address_of
from core.http.bodies import BodyTooLarge, MalformedJson, StrictJSONParser, read_json
from core.http.pages import CursorPage, InvalidCursor, InvalidLimit
from core.http.problems import (
    StillReferredTo,
    bad_request,
    page_not_found,
    permission_denied,
    problem,
    problem_document,
    problem_response,
    server_error,
)
from core.http.request_ids import RequestIdMiddleware, request_id_of

__all__ = [
    "BodyTooLarge",
    "CursorPage",
    "InvalidCursor",
    "InvalidLimit",
    "MalformedJson",
    "RequestIdMiddleware",
    "StillReferredTo",
    "StrictJSONParser",
    "address_of",
    "bad_request",
    "page_not_found",
    "permission_denied",
    "problem",
    "problem_document",
    "problem_response",
    "read_json",
    "request_id_of",
    "server_error",
]

"""Slashes that belong to a name and not to the address: `%2F`."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.encoding import repercent_broken_unicode

from core.http.problems import API_PREFIX

# Where a server keeps the target as it was sent: gunicorn, and others. WSGI itself has it decoded only.
AS_SENT: Final = ("RAW_URI", "REQUEST_URI")
ENCODED: Final = re.compile("%2f", re.IGNORECASE)
# RFC 9112: whoever takes a server for a proxy sends it the whole address.
BEFORE_PATH: Final = re.compile("^[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)
AFTER_PATH: Final = re.compile("[?#]")
# Stands for a slash while the view is looked for: a noncharacter of Unicode, for use within programs.
STAND_IN: Final = "\ufdd0"
HAS_STAND_INS: Final = "SARAFAN_STAND_INS"


class SlashMiddleware:
    """
    Keep a slash within a name from leading elsewhere: `/members/team%2Fban` is the member "team/ban", no ban of "team".

    It stands last, so that nobody but the search for the view sees the address with what stands in for the slash.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        decoded = request.path_info
        found = _with_stand_ins(request)
        if found is None:
            return self.get_response(request)
        request.path_info = found
        request.META[HAS_STAND_INS] = True
        try:
            return self.get_response(request)
        finally:
            request.path_info = decoded

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        """Give the view the slashes themselves."""
        if HAS_STAND_INS in request.META:
            request.path_info = _with_slashes(request.path_info)
            kwargs |= {name: _with_slashes(value) for name, value in kwargs.items()}


def _with_stand_ins(request: HttpRequest) -> str | None:
    """
    Return the address with what stands in for slashes within names, or None where it has none of them.

    :raises Http404: for an address that has the stand-in itself, which is in no name.
    """
    sent = _path_sent(request.META)
    if not (request.path_info.startswith(API_PREFIX) and ENCODED.search(sent)):
        return None
    if STAND_IN in request.path_info:
        raise Http404
    parts = [repercent_broken_unicode(unquote_to_bytes(part)).decode() for part in ENCODED.split(sent)]
    # Whatever a server or a proxy made of the address: the same but for these slashes, or it is left as it is.
    return STAND_IN.join(parts) if "/".join(parts) == request.path_info else None


def _path_sent(environ: Mapping[str, Any]) -> str:
    target = next((str(environ[name]) for name in AS_SENT if name in environ), "")
    return AFTER_PATH.split(BEFORE_PATH.sub("", target), maxsplit=1)[0]


def _with_slashes(value: Any) -> Any:
    return value.replace(STAND_IN, "/") if isinstance(value, str) else value

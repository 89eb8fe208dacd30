"""
Origins: the sites whose pages may call the API with a publishable key (CORS, fetch.spec.whatwg.org).

A browser lets a page read an answer only if the answer names the page's origin. No other key's answer does, so that a
secret key, pasted into a page, is of no use there.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse

HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
OWN_MACHINE: Final = frozenset({"localhost", "127.0.0.1"})
USUAL_PORTS: Final = {"https": 443, "http": 80}

# A day: browsers keep it shorter by themselves (Chromium two hours, Firefox a day).
PREFLIGHT_KEPT_SECONDS: Final = 86_400
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
EVERY_PAGE: Final = "*"
HEADERS_TAKEN: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-Id")
HEADERS_SHOWN: Final = (
    "Deprecation",
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "Sunset",
    "X-Request-Id",
)


def normalise(text: str) -> str:
    """
    Return an origin as browsers write it (RFC 6454, 6.2): `https://shop.example.com`, `http://localhost:3000`.

    :raises ValueError: for what is none, or has a path, and for one without TLS, but of one's own machine.
    """
    parts = urlsplit(text.strip())
    host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    is_plain = parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in OWN_MACHINE)
    if not (is_plain and is_safe and HOST.fullmatch(host)):
        raise ValueError("This is no origin.")
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in {None, USUAL_PORTS[parts.scheme]} else "")


def is_preflight(request: HttpRequest) -> bool:
    """Tell whether a browser asks, on its own account and without a key, whether a page may send a request."""
    return request.method == "OPTIONS" and {"Origin", "Access-Control-Request-Method"} <= request.headers.keys()


def preflight(methods: Iterable[str] = METHODS) -> HttpResponse:
    """
    Say yes to every page: whose key it is only the request itself will tell, and whether its answer may be read.

    No cookies are taken along (there is no Access-Control-Allow-Credentials), so a page has nothing but its key.
    """
    headers = {
        "Access-Control-Allow-Origin": EVERY_PAGE,
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": ", ".join(HEADERS_TAKEN),
        "Access-Control-Max-Age": str(PREFLIGHT_KEPT_SECONDS),
    }
    return HttpResponse(status=204, headers=headers)


def headers_for(origin: str) -> Mapping[str, str]:
    """Return what lets a page of this origin read an answer."""
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": ", ".join(HEADERS_SHOWN)}

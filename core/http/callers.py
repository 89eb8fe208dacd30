"""Where a request comes from."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """
    Return the network address of whoever asks, or None where nobody knows it.

    Behind the proxy that ends TLS that is what it has put last into X-Forwarded-For: what stands before it the caller
    may have made up, and so may all of it where no proxy is.
    """
    told = request.headers.get("X-Forwarded-For", "") if settings.HTTPS else ""
    address = told.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None

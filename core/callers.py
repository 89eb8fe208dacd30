"""
Where a request comes from.

Beside `core.http`, which authentication classes must not import.
"""

import ipaddress
from typing import Final

from django.conf import settings
from django.http import HttpRequest

# One subscriber has at least so much of IPv6 (RFC 6177): each of its addresses is theirs.
SUBSCRIBER_BITS: Final = 64


def address_of(request: HttpRequest) -> str | None:
    """
    Return the network address of whoever asks, or None where nobody knows it.

    Behind the proxy that ends TLS that is what it has put last into X-Forwarded-For: what stands before it the caller
    may have made up, and so may all of it where no proxy is.
    """
    told = request.headers.get("X-Forwarded-For", "") if settings.HTTPS else ""
    address = told.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    # An IPv4 address by its other name (RFC 4291, 2.5.5.2) is the same address; a zone is this machine's own business.
    return str(getattr(found, "ipv4_mapped", None) or found).partition("%")[0]


def subscriber_of(address: str | None) -> str | None:
    """Return whose an address is, to count what they ask: itself, or in IPv6 the network of which they have all."""
    if address is None or ":" not in address:
        return address
    return str(ipaddress.ip_network((address, SUBSCRIBER_BITS), strict=False).network_address)

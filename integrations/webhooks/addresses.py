"""Which addresses a webhook may have. Where a name leads is looked at with every attempt (core.outbound)."""

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext_lazy as _

from core import outbound
from core.errors import Invalid, type_of_text

LENGTH_MAX: Final = 2000
# RFC 3986: whatever else an address may hold is percent-encoded.
WRITABLE: Final = re.compile(r"[!-~]+")
LOOPBACK_NAMES: Final = frozenset({"localhost"})


class InvalidWebhookUrl(Invalid):
    """Nothing can be sent to this address."""

    message = _("A webhook's address begins with https:// and is on the open internet.")


def checked(url: str) -> str:
    """
    Return an address without the blanks around it.

    :raises InvalidWebhookUrl: saying what is wrong with it.
    """
    given = url.strip()
    wrong = _find_fault(given)
    if wrong is not None:
        raise InvalidWebhookUrl(wrong, pointer="/url")
    return given


def _find_fault(url: str) -> type_of_text | None:
    if len(url) > LENGTH_MAX:
        return _("The address is longer than 2000 characters.")
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return _("This is no address.")
    if not WRITABLE.fullmatch(url) or not parts.hostname:
        return _("This is no address: it looks like https://shop.example.com/webhooks.")
    if parts.username is not None or parts.password is not None:
        return _("An address has no name and password in it: messages are signed instead.")
    if parts.fragment:
        return _("What follows on # never reaches a server: leave it out.")
    return _find_fault_of_place(url, parts)


def _find_fault_of_place(url: str, parts: SplitResult) -> type_of_text | None:
    if outbound.may_be_here(url) and _is_loopback(parts.hostname or ""):
        return None if parts.scheme in {"http", "https"} else InvalidWebhookUrl.message
    if parts.scheme != "https" or _is_inside(parts.hostname or ""):
        return InvalidWebhookUrl.message
    return None


def _is_loopback(host: str) -> bool:
    found = _address_of(host)
    return host in LOOPBACK_NAMES if found is None else found.is_loopback


def _is_inside(host: str) -> bool:
    found = _address_of(host)
    return "." not in host if found is None else not found.is_global


def _address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None

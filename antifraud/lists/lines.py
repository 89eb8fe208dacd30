"""What stands in a list: a member, an identity, an e-mail domain or an IP range, clean and as it is stored."""

import ipaddress
import re
from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from antifraud.models import Listing
from core.errors import Invalid
from members import identities

Kind = Listing.Kind

# What is compared by range, not by equality: `antifraud.lists.ranges` does.
RANGED: Final = frozenset({Kind.EMAIL_DOMAIN, Kind.IP_RANGE})
# Wider ones would name whole continents: most likely somebody has forgotten a digit.
V4_BITS_MIN, V6_BITS_MIN = 8, 16
V4_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
DOMAIN_LENGTH_MAX: Final = 253
LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")

type_of_network = ipaddress.IPv4Network | ipaddress.IPv6Network


class InvalidLine(Invalid):
    """What was typed is not of its kind."""


class RangeTooWide(Invalid):
    """So many addresses are nobody's."""

    message = _("This range is too wide: /8 of IPv4 and /16 of IPv6 are the widest.")


class Line(NamedTuple):
    """Somebody or something, as a list holds it: `lookup` is what equality is asked of, `value` is for reading back."""

    kind: str
    lookup: str
    value: str


def line_of(*, kind: str, text: str, schema: str, region: str | None) -> Line:
    """
    Return a line as it is stored. `region` is as for `members.normalise`.

    :raises InvalidLine: | RangeTooWide | members.normalise.InvalidIdentity | members.normalise.RawCardNumber
    """
    typed = text.strip()
    if kind == Kind.IP_RANGE:
        network = str(network_of(typed))
        return Line(kind, network, network)
    if kind == Kind.EMAIL_DOMAIN:
        domain = domain_of(typed)
        return Line(kind, domain, domain)
    if kind == Kind.MEMBER:
        number = typed.removeprefix("#")
        if not (number.isascii() and number.isdecimal() and 0 < int(number) < 2**63):
            raise InvalidLine(_("This is not a member's number."))
        return Line(kind, str(int(number)), str(int(number)))
    if kind not in Kind.values:
        raise InvalidLine(_("This is not a kind of line."))
    return Line(*identities.prepare_one(schema=schema, kind=kind, value=typed, region=region))


def network_of(text: str) -> type_of_network:
    """
    Return a range of addresses: in CIDR notation, or one address. What stands behind its bits is cut off.

    :raises InvalidLine: | RangeTooWide
    """
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise InvalidLine(_("This is not a range of IP addresses. Write it like 203.0.113.0/24.")) from error
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(V4_MAPPED):
        network = ipaddress.ip_network((int(network.network_address) & 0xFFFF_FFFF, network.prefixlen - 96))
    if network.prefixlen < (V4_BITS_MIN if network.version == 4 else V6_BITS_MIN):
        raise RangeTooWide
    return network


def domain_of(text: str) -> str:
    """
    Return an e-mail domain in lower case, as mail servers write it (IDNA). An @ before it may stay.

    :raises InvalidLine:
    """
    try:
        domain = text.removeprefix("@").rstrip(".").lower().encode("idna").decode()
    except UnicodeError as error:
        raise InvalidLine(_("This is not an e-mail domain. Write it like example.com.")) from error
    labels = domain.split(".")
    if len(labels) < 2 or len(domain) > DOMAIN_LENGTH_MAX or not all(LABEL.fullmatch(each) for each in labels):
        raise InvalidLine(_("This is not an e-mail domain. Write it like example.com."))
    return domain

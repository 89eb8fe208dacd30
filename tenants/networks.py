"""Networks: from where a key may be used."""

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def normalise(text: str) -> str:
    """
    Return an address or a network as it is stored: `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`.

    :raises ValueError: for what is neither, for a network with an address within it (`203.0.113.7/24`), of which
        nobody knows what was meant, for all addresses there are, and for those of a zone (`fe80::1%eth0`).
    """
    found = ipaddress.ip_network(text.strip())
    if found.prefixlen == 0 or "%" in text:
        raise ValueError("This is every address, or one of a machine's own zones.")
    return str(found.network_address) if found.num_addresses == 1 else str(found)


def read(stored: Iterable[str]) -> tuple[Network, ...]:
    """Return what is stored as networks."""
    return tuple([ipaddress.ip_network(text) for text in stored])


def has(networks: Iterable[Network], address: str | None) -> bool:
    """Tell whether an address is in one of the networks. An unknown one is in none."""
    if address is None:
        return False
    found = ipaddress.ip_address(address)
    return any(found in network for network in networks)

"""
Lists of IP ranges and e-mail domains, as a process remembers them: one statement after each change, none before it.

Ranges in CIDR notation lie within each other or apart. So a look into a table for each length of prefix that occurs
finds all that an address stands in.
"""

import ipaddress
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from antifraud.judging.observed import NoRanges, Ranges
from antifraud.lists import lines
from core.db import current_schema, fetch

# Tenants with such lists that one process remembers at once.
SCHEMAS_MAX: Final = 50

LINES = """
SELECT id, list, kind, lookup, answer, until FROM antifraud_listing WHERE kind IN ('ip_range', 'email_domain')
ORDER BY id
"""


class Found(NamedTuple):
    """A line that something stands in."""

    list: str
    answer: str
    id: int


class Table:
    """All lines of the ranged kinds: ranges by version, length of prefix and first address, domains by name."""

    def __init__(self, rows: Sequence[Any]) -> None:
        networks: dict[int, dict[int, dict[int, list[Any]]]] = {4: {}, 6: {}}
        domains: dict[str, list[Any]] = defaultdict(list)
        for row in rows:
            if row.kind == lines.Kind.EMAIL_DOMAIN:
                domains[row.lookup].append(row)
                continue
            network = ipaddress.ip_network(row.lookup)
            first = int(network.network_address)
            networks[network.version].setdefault(network.prefixlen, {}).setdefault(first, []).append(row)
        self._networks = networks
        self._domains: Mapping[str, list[Any]] = domains

    def holding(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Iterator[Any]:
        """Yield the lines whose range an address is in."""
        number, bits = int(address), address.max_prefixlen
        for length, networks in self._networks[address.version].items():
            yield from networks.get(number >> (bits - length) << (bits - length), ())

    def named(self, domain: str) -> Iterator[Any]:
        """Yield the lines that name a domain, or one that it stands below."""
        labels = domain.split(".")
        for place in range(len(labels) - 1):
            yield from self._domains.get(".".join(labels[place:]), ())


class Current:
    """The lists as they are at one instant: what has ended by then does not count."""

    def __init__(self, table: Table, *, at: datetime) -> None:
        self._table = table
        self._at = at

    def match(self, ip: str) -> list[Found]:
        """Return the lines that an address stands in, in the order in which they were put there; it is a valid one."""
        address = ipaddress.ip_address(ip)
        mapped = getattr(address, "ipv4_mapped", None)
        return self._standing(self._table.holding(mapped or address))

    def domain(self, name: str) -> list[Found]:
        """Return the lines that an e-mail domain stands in; what cannot be a domain stands in none."""
        try:
            return self._standing(self._table.named(lines.domain_of(name)))
        except lines.InvalidLine:
            return []

    def _standing(self, rows: Iterator[Any]) -> list[Found]:
        found = [Found(row.list, row.answer, row.id) for row in rows if row.until is None or row.until > self._at]
        return sorted(found, key=lambda each: each.id)


_tables: dict[str, tuple[int, Table]] = {}
_lock = threading.Lock()


def current(*, version: int, at: datetime) -> Ranges:
    """
    Return the current tenant's lists at an instant. `version` is the policy's `lists_version`, as it was just read.

    A tenant that never had such a line has version 0, and is not asked.
    """
    return Current(_table(current_schema(), version), at=at) if version else NoRanges()


def forget() -> None:
    """Remember no lists."""
    with _lock:
        _tables.clear()


def _table(schema: str, version: int) -> Table:
    known = _tables.get(schema)
    if known is not None and known[0] == version:
        return known[1]
    table = Table(fetch(LINES))
    with _lock:
        _tables.pop(schema, None)
        if len(_tables) >= SCHEMAS_MAX:
            # The one that was read longest ago goes: dictionaries keep the order in which things came.
            del _tables[next(iter(_tables))]
        _tables[schema] = (version, table)
    return table

"""What there is to be given: the tenant's assets and gifts, as frozen lines, with what is left in stock."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from core.db import current_schema, fetch
from rewards.assets import AssetLine, line_of

ASSETS = "SELECT * FROM rewards_asset ORDER BY id"
GIFTS = "SELECT id, code, kind, name, terms, is_active, stock, file FROM rewards_gift ORDER BY position, name, id"
CODES = """
SELECT gift_id, value_minor, count(*) AS free FROM rewards_stockcode WHERE entitlement_id IS NULL
GROUP BY gift_id, value_minor
"""
PROVIDERS = "SELECT code FROM rewards_provider WHERE is_active"

T = TypeVar("T")

type_of_kept = dict[tuple[str, str], Any]

_kept: ContextVar[type_of_kept | None] = ContextVar("shelf", default=None)


@dataclass(frozen=True, slots=True)
class Unit:
    """An asset, and whether it is in use."""

    line: AssetLine
    is_active: bool


@dataclass(frozen=True, slots=True)
class Gift:
    """A gift's row, as far as a rule's choice of it goes."""

    id: int
    code: str
    kind: str
    name: str
    terms: Mapping[str, Any]
    is_active: bool
    stock: int | None
    file: str


@contextmanager
def at_hand() -> Iterator[None]:
    """Read each thing once within; outside, everything is read whenever it is asked for."""
    if _kept.get() is not None:
        yield
        return
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def units() -> dict[str, Unit]:
    """Return the assets by their codes, in the order in which they were made."""
    return _read("units", lambda: {row.code: Unit(line_of(row._asdict()), row.is_active) for row in fetch(ASSETS)})


def gifts() -> dict[str, Gift]:
    """Return the gifts by their codes, in the catalogue's order."""
    return _read("gifts", lambda: {row.code: Gift(**row._asdict()) for row in fetch(GIFTS)})


def free_codes() -> dict[tuple[int, int], int]:
    """Return how many codes are left in stock, by gift and value."""
    return _read("codes", lambda: {(row.gift_id, row.value_minor): row.free for row in fetch(CODES)})


def providers() -> frozenset[str]:
    """Return the codes of the providers in use."""
    return _read("providers", lambda: frozenset(row.code for row in fetch(PROVIDERS)))


def _read(name: str, read: Callable[[], T]) -> T:
    kept = _kept.get()
    if kept is None:
        return read()
    key = (current_schema(), name)
    if key not in kept:
        kept[key] = read()
    found: T = kept[key]
    return found

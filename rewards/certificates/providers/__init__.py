"""
Where certificates are bought online: what an adapter does, and the one registry of them.

An adapter is a module named here, with a class `Adapter` that speaks one partner's language. It knows no database. Each
call ends in one of the answers below, or raises `Unknown`: then the certificate may have been bought, and nobody may
buy it again before the provider has said that it was not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from typing import Any, Final, Protocol, cast

# Adapter → where it is. The stock is none of them: it needs no calls (`rewards.certificates.stock`).
ADAPTERS: Final[Mapping[str, str]] = {"http": "rewards.certificates.providers.http"}


class Reason(StrEnum):
    """Why a provider did not sell. Another time it may."""

    NO_FUNDS = "no_funds"
    OFF = "off"
    LIMIT = "limit"
    DENIED = "denied"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


class Unknown(Exception):
    """No answer, or none that says anything: what has happened there is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One certificate to buy. `product` is the provider's own name of it."""

    key: str
    product: str
    value_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider has the order, and has not filled it yet."""

    order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The certificate is bought."""

    code: str
    order: str = ""
    pin: str = ""
    pdf_url: str = ""
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nothing was bought, and nothing will be under this key."""

    reason: Reason
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSuchOrder:
    """The provider has never heard of it."""


Answer = Accepted | Done | Refused | NoSuchOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach a provider. The secret is open here, and must go nowhere else."""

    url: str
    secret: str = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)


class Adapter(Protocol):
    """What each adapter can do. Every call may raise `Unknown`."""

    def __init__(self, connection: Connection) -> None: ...

    def order(self, wish: Wish) -> Accepted | Done | Refused:
        """Buy one. The same key again is the same purchase, as far as the provider can be trusted."""

    def status(self, *, key: str, order: str) -> Answer:
        """Say what became of an order: by its number, or by our key while we have no number."""

    def code(self, *, order: str) -> Accepted | Done:
        """Fetch the code of an order that is filled."""

    def cancel(self, *, order: str) -> bool:
        """Give a certificate back; say whether the provider took it."""

    def balance(self) -> int:
        """Return what is left on our account, in minor units."""


def adapter_of(name: str, connection: Connection) -> Adapter:
    """Return an adapter that is ready to call."""
    return cast("Adapter", import_module(ADAPTERS[name]).Adapter(connection))

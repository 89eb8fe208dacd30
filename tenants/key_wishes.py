"""What is wished of a key, and what speaks against it."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from core.errors import FieldError, type_of_text
from tenants import networks, origins
from tenants.models import ApiKey

NAME_LENGTH_MAX: Final = 100
# Of networks, and of origins. Each is looked at in every request.
LIST_SIZE_MAX: Final = 50
RATE_MAX: Final = 10_000

NO_NETWORK: Final = _("Each is an address or a network, such as 203.0.113.7 or 203.0.113.0/24. At most 50 of them.")
NO_ORIGIN: Final = _("Each is the beginning of a site's address, such as https://shop.example.com. At most 50 of them.")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A key that does not exist yet."""

    kind: str
    name: str
    scopes: tuple[str, ...]
    allowed_networks: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    requests_a_second_max: int | None
    expires_at: datetime | None

    @classmethod
    def of(cls, **columns: Any) -> "Wish":
        """Return a wish from what `columns` gives, or a form: with lists."""
        frozen: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in columns.items()
        }
        return cls(**frozen)

    def columns(self) -> dict[str, Any]:
        """Return what is stored of it."""
        return {name: [*value] if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def normalised(wish: Wish) -> Wish:
    """Return a wish, of which `list_faults` has nothing to say, with networks and origins as they are stored."""
    return replace(
        wish,
        allowed_networks=_each_once(wish.allowed_networks, networks.normalise),
        allowed_origins=_each_once(wish.allowed_origins, origins.normalise),
    )


def list_faults(*, wish: Wish, public_scopes: Collection[str]) -> list[FieldError]:
    """Return what speaks against a key, each with a pointer to the value."""
    found = [*_faults_of_any(wish), *_faults_of_kind(wish, public_scopes)]
    return [FieldError(pointer=pointer, detail=detail) for pointer, detail in found]


def _faults_of_any(wish: Wish) -> Iterator[tuple[str, type_of_text]]:
    if not 1 <= len(wish.name) <= NAME_LENGTH_MAX or not wish.name.isprintable():
        yield "/name", _("Give the key a name of 1 to 100 characters.")
    if not _are_all(wish.allowed_networks, networks.normalise):
        yield "/allowed_networks", NO_NETWORK
    if not _are_all(wish.allowed_origins, origins.normalise):
        yield "/allowed_origins", NO_ORIGIN
    if wish.requests_a_second_max is not None and not 1 <= wish.requests_a_second_max <= RATE_MAX:
        yield "/requests_a_second_max", _("Choose 1 to 10,000 requests a second.")


def _faults_of_kind(wish: Wish, public_scopes: Collection[str]) -> Iterator[tuple[str, type_of_text]]:
    if wish.kind not in ApiKey.Kind.values:
        yield "/kind", _("A key is secret or publishable.")
    elif wish.kind == ApiKey.Kind.SECRET:
        if not wish.scopes or not set(wish.scopes) <= set(ApiKey.Scope.values):
            yield "/scopes", _("Choose what the key may do.")
        if wish.allowed_origins:
            yield "/allowed_origins", _("Only a publishable key is for sites: a secret one must not stand in a page.")
    else:
        yield from _faults_of_publishable(wish, public_scopes)


def _faults_of_publishable(wish: Wish, public_scopes: Collection[str]) -> Iterator[tuple[str, type_of_text]]:
    if not wish.scopes or not set(wish.scopes) <= set(public_scopes):
        yield "/scopes", _("A publishable key may only read what is on offer, and count visits.")
    if not wish.allowed_origins:
        yield "/allowed_origins", _("Name the sites that use a publishable key.")
    if wish.allowed_networks:
        yield "/allowed_networks", _("A publishable key is used by visitors, from everywhere.")


def _are_all(texts: tuple[str, ...], normalise: Callable[[str], str]) -> bool:
    try:
        return len([normalise(text) for text in texts]) <= LIST_SIZE_MAX
    except ValueError:
        return False


def _each_once(texts: tuple[str, ...], normalise: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([normalise(text) for text in texts]))

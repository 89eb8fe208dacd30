"""Identities on their way into the database and out of it: clean, sealed, masked."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import phonenumbers

from members import normalise, sealing
from members.normalise import KINDS, RESOLVING, TYING, region_of

__all__ = ["KINDS", "RESOLVING", "SEALED", "TYING", "SealedIdentity", "mask", "masked", "prepare", "region_of"]

# What a law calls personal. A tenant's own id and Telegram's say nothing to anybody else, and staff search by them.
SEALED = frozenset({"email", "phone", "card", "device"})


class SealedIdentity(NamedTuple):
    """One identity as it is stored: `lookup` answers whether two are equal, `value` can be read back by us alone."""

    kind: str
    lookup: str
    value: str


def prepare(
    *, schema: str, identities: Mapping[str, Any], region: str | None, pointer: str = ""
) -> tuple[SealedIdentity, ...]:
    """
    Return the identities given for one person, ready to be stored, strongest first.

    Arguments and failures as for `normalise.normalise`.
    """
    clean = normalise.normalise(identities=identities, region=region, pointer=pointer)
    return tuple(_sealed(schema, one) if one.kind in SEALED else SealedIdentity(*_plain(one)) for one in clean)


def masked(*, schema: str, kind: str, value: str) -> str:
    """Return a stored value as staff may see it."""
    return mask(kind, sealing.unseal(schema=schema, kind=kind, value=value) if kind in SEALED else value)


def mask(kind: str, plain: str) -> str:
    """Return enough of a value to recognise it, and not enough to use it: `a***@g***.com`, `+7 *** ** 34`."""
    match kind:
        case "email":
            local, _, domain = plain.rpartition("@")
            name, _, ending = domain.rpartition(".")
            return f"{local[:1]}***@{name[:1]}***.{ending}"
        case "phone":
            return f"+{phonenumbers.parse(plain).country_code} *** ** {plain[-2:]}"
        case "card" | "device":
            # Of a short one, four characters would be most of it.
            return f"{kind} …{plain[-4:] if len(plain) > 8 else ''}"
    return plain


def _sealed(schema: str, one: normalise.Normalised) -> SealedIdentity:
    return SealedIdentity(
        kind=one.kind,
        lookup=sealing.index(schema=schema, kind=one.kind, lookup=one.lookup),
        value=sealing.seal(schema=schema, kind=one.kind, value=one.value),
    )


def _plain(one: normalise.Normalised) -> tuple[str, str, str]:
    return one.kind, one.lookup, one.value

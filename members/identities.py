"""Identities on their way into the database and out of it: clean, sealed, masked."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import phonenumbers

from core import sealing
from members import normalise
from members.normalise import KINDS, RESOLVING, TYING, derived_of, region_of

__all__ = [
    "KINDS",
    "RESOLVING",
    "SEALED",
    "TYING",
    "SealedIdentity",
    "mask",
    "masked",
    "opened",
    "prepare",
    "prepare_one",
    "region_of",
]

# What a law calls personal. A tenant's own id and Telegram's say nothing to anybody else, and staff search by them.
SEALED = frozenset({"email", "phone", "card", "device", "ip"})


class SealedIdentity(NamedTuple):
    """
    One identity as it is stored: `lookup` answers whether two are equal, `value` can be read back by us alone.

    Those that are made from others have no value.
    """

    kind: str
    lookup: str
    value: str


def prepare(
    *, schema: str, identities: Mapping[str, Any], region: str | None, pointer: str = ""
) -> tuple[SealedIdentity, ...]:
    """
    Return the identities given for one person, ready to be stored, strongest first, and those made from them last.

    Arguments and failures as for `normalise.normalise`.
    """
    clean = normalise.normalise(identities=identities, region=region, pointer=pointer)
    given = (_sealed(schema, one) if one.kind in SEALED else SealedIdentity(*_plain(one)) for one in clean)
    made = (made for one in clean if (made := derived_of(one)))
    return (*given, *(_indexed(schema, one) for one in made))


def prepare_one(*, schema: str, kind: str, value: Any, region: str | None, pointer: str = "") -> SealedIdentity:
    """Return one identity as it is stored, alone: of whatever kind, it names nobody here. Arguments as before."""
    clean = normalise.normalise_one(kind=kind, value=value, region=region, pointer=pointer)
    return _sealed(schema, clean) if kind in SEALED else SealedIdentity(*_plain(clean))


def opened(*, schema: str, kind: str, value: str) -> str:
    """Return a stored value as it was given: "" of what was made from others, or of whoever is erased."""
    return sealing.unseal(schema=schema, kind=kind, value=value) if value and kind in SEALED else value


def masked(*, schema: str, kind: str, value: str) -> str:
    """Return a stored value as staff may see it: nothing of what was made from others, or of whoever is erased."""
    return mask(kind, opened(schema=schema, kind=kind, value=value)) if value else ""


def mask(kind: str, plain: str) -> str:
    """Return enough of a value to recognise it, not enough to use it: `a***@g***.com`, `+7 *** ** 34`, `203.0.*`."""
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
        case "ip":
            separator = ":" if ":" in plain else "."
            return separator.join([*plain.split(separator)[:2], "*"])
    return plain


def _sealed(schema: str, one: normalise.Normalised) -> SealedIdentity:
    return SealedIdentity(
        kind=one.kind,
        lookup=sealing.index(schema=schema, kind=one.kind, lookup=one.lookup),
        value=sealing.seal(schema=schema, kind=one.kind, value=one.value),
    )


def _indexed(schema: str, one: normalise.Normalised) -> SealedIdentity:
    return SealedIdentity(one.kind, sealing.index(schema=schema, kind=one.kind, lookup=one.lookup), one.value)


def _plain(one: normalise.Normalised) -> tuple[str, str, str]:
    return one.kind, one.lookup, one.value

"""
What an identity looks like once it is clean: how it is shown, and the form in which two of them are compared.

Pure: no database, no clock, no secrets.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import phonenumbers

from core.errors import Invalid
from core.errors import translated as _

# Strongest first: the order in which identities decide who somebody is.
RESOLVING = ("external_id", "telegram", "phone", "email")
# These never decide who somebody is, as families and offices share them: they only tie people together.
TYING = ("card", "device", "ip")
KINDS = RESOLVING + TYING
OPAQUE = frozenset({"external_id", "device"})

TEXT_LENGTH_MAX = 200
EMAIL_LENGTH_MAX = 254
PHONE_LENGTH_MAX = 40
TELEGRAM_DIGITS_MAX = 20
CARD_DIGITS_MIN, CARD_DIGITS_MAX = 13, 19

IP_LENGTH_MAX = 45
# Of IPv6 a customer is given a /64 and takes what address in it they like (RFC 6177, 2; RFC 4291, 2.5.4).
V6_LINE_BITS, V4_SUBNET_BITS, V6_SUBNET_BITS = 64, 24, 48

# Fewer letters than these are no name that two mailboxes could share by more than chance.
ALIKE_LETTERS_MIN = 4
# Letters that look like Latin ones: Cyrillic, Greek, and an i without its dot.
HOMOGLYPHS = str.maketrans(
    "аеорсухкмтвіѕјһԁԛԝ" + "αονρυικτχ" + "ı",
    "aeopcyxkmtbisjhdqw" + "aovpuiktx" + "i",
)
LOOKS_LIKE_LETTER = re.compile(r"(?<=[^\W\d_])[01](?=[^\W\d_])")
NOT_A_LETTER = re.compile(r"[\W\d_]+")

GMAIL = frozenset({"gmail.com", "googlemail.com"})
# Each mailbox has an address at all of them, and a dot in it may be written as a dash.
YANDEX = frozenset({"yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua", "ya.ru", "narod.ru"})
EMAIL = re.compile(r"[^\s@,;:<>()\[\]\\\"]{1,64}@[^\s@,;:<>()\[\]\\\"_/?#%]+\.[^\s@,;:<>()\[\]\\\"_/?#%]{2,}")


class UnknownKind(Invalid):
    """Not one of KINDS."""

    message = _("This is not a kind of identity.")


class NobodyNamed(Invalid):
    """Nothing that says who it is: a card, a device or an address alone does not."""

    message = _("Say who it is: give at least one of external_id, telegram, phone or email.")


class InvalidIdentity(Invalid):
    """The value is not of its kind."""


class RawCardNumber(Invalid):
    """The value is, or might be, the number on a payment card, which must never be sent (PCI DSS 3.4)."""

    message = _("This looks like a card number. Send your payment provider's token or fingerprint of the card.")


class Normalised(NamedTuple):
    """`value` is what people may be shown, masked; `lookup` is what equality is asked of."""

    kind: str
    value: str
    lookup: str


def normalise(*, identities: Mapping[str, Any], region: str | None, pointer: str = "") -> tuple[Normalised, ...]:
    """
    Return the identities given for one person, clean, strongest kind first. None stands for "not given".

    `region` is the country (ISO 3166) whose national phone numbers are understood; without it a phone needs its +.
    `pointer` is where in the body the identities stand: each failure points at the one that it is about.

    :raises UnknownKind: | InvalidIdentity | RawCardNumber | NobodyNamed
    """
    given = {kind: value for kind, value in identities.items() if value is not None}
    for kind in given:
        if kind not in KINDS:
            raise UnknownKind(pointer=f"{pointer}/{kind.replace('~', '~0').replace('/', '~1')}")
    if not any(kind in given for kind in RESOLVING):
        raise NobodyNamed(pointer=pointer)
    return tuple(
        normalise_one(kind=kind, value=given[kind], region=region, pointer=f"{pointer}/{kind}")
        for kind in KINDS
        if kind in given
    )


def normalise_one(*, kind: str, value: Any, region: str | None, pointer: str = "") -> Normalised:
    """Return one identity, clean. Arguments and failures as for `normalise`."""
    text = _clean(kind, value, pointer)
    if kind == "phone":
        return Normalised(kind, *_phone(text, pointer, region))
    return Normalised(kind, *READERS[kind](text, pointer))


def derived_of(one: Normalised) -> Normalised | None:
    """Return what ties whoever has nearly the same: an address's subnet, an e-mail's look-alike; or None."""
    if one.kind == "ip":
        return Normalised("subnet", "", _subnet(one.value))
    alike = _alike(one.lookup) if one.kind == "email" else None
    return Normalised("email_alike", "", alike) if alike else None


def region_of(currency: str) -> str | None:
    """
    Return the country whose phone numbers a tenant with this currency most likely writes without +, if there is one.

    The first two letters of a national currency's code are its country's (ISO 4217, 4.1): RUB is RU, USD is US.
    """
    country = currency[:2]
    return country if country in phonenumbers.SUPPORTED_REGIONS else None


def _clean(kind: str, value: Any, pointer: str) -> str:
    # Ids are often numbers in the sender's database, and then in its JSON too.
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        raise InvalidIdentity(_("This must be a string."), pointer=pointer)
    # Two ids of a tenant's own that differ must stay different, so they are not folded further than Unicode asks for.
    form: Literal["NFC", "NFKC"] = "NFC" if kind in OPAQUE else "NFKC"
    # Pasted numbers come with invisible marks of writing direction (category Cf).
    shown = "".join(c for c in unicodedata.normalize(form, text) if unicodedata.category(c) != "Cf").strip()
    if not shown:
        raise InvalidIdentity(_("This must not be empty."), pointer=pointer)
    if any(unicodedata.category(c) in {"Cc", "Cs"} for c in shown):
        raise InvalidIdentity(_("This holds characters that cannot be stored."), pointer=pointer)
    return shown


def _text(text: str, pointer: str) -> tuple[str, str]:
    if len(text) > TEXT_LENGTH_MAX:
        raise InvalidIdentity(_("This is longer than 200 characters."), pointer=pointer)
    return text, text


def _telegram(text: str, pointer: str) -> tuple[str, str]:
    # A @name may be given up and taken by somebody else; the number stays with its owner.
    if not re.fullmatch(rf"[0-9]{{1,{TELEGRAM_DIGITS_MAX}}}", text) or int(text) == 0:
        raise InvalidIdentity(_("This must be a Telegram user's numeric id."), pointer=pointer)
    return str(int(text)), str(int(text))


def _email(text: str, pointer: str) -> tuple[str, str]:
    # The dot that ends a domain in the DNS changes nothing.
    shown = text.lower().rstrip(".")
    if len(shown) > EMAIL_LENGTH_MAX or not EMAIL.fullmatch(shown):
        raise InvalidIdentity(_("This is not an e-mail address."), pointer=pointer)
    local, domain = shown.rsplit("@", 1)
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError as error:
        raise InvalidIdentity(_("This is not an e-mail address."), pointer=pointer) from error
    # Everything after a plus reaches the same mailbox; an address that begins with it has nothing else.
    folded = local.split("+", 1)[0] or local
    if domain in GMAIL:
        folded, domain = folded.replace(".", "") or local, "gmail.com"
    elif domain in YANDEX:
        folded, domain = folded.replace("-", "."), "yandex.ru"
    return shown, f"{folded}@{domain}"


def _phone(text: str, pointer: str, region: str | None) -> tuple[str, str]:
    try:
        number = phonenumbers.parse(text[: PHONE_LENGTH_MAX + 1], region)
    except phonenumbers.NumberParseException as error:
        raise InvalidIdentity(
            _("This is not a phone number. Write it with + and the country."), pointer=pointer
        ) from error
    # "Possible" looks at lengths only: new ranges are in use before the library knows them as valid.
    if len(text) > PHONE_LENGTH_MAX or not phonenumbers.is_possible_number(number):
        raise InvalidIdentity(_("This is not a phone number. Write it with + and the country."), pointer=pointer)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return e164, e164


def _card(text: str, pointer: str) -> tuple[str, str]:
    digits = re.sub(r"[\s\-\u2010-\u2015]", "", text)
    if re.fullmatch(rf"[0-9]{{{CARD_DIGITS_MIN},{CARD_DIGITS_MAX}}}", digits) and _passes_luhn(digits):
        raise RawCardNumber(pointer=pointer)
    return _text(text, pointer)


def _ip(text: str, pointer: str) -> tuple[str, str]:
    try:
        address = ipaddress.ip_address(text[: IP_LENGTH_MAX + 1])
    except ValueError as error:
        raise InvalidIdentity(_("This is not an IP address."), pointer=pointer) from error
    if isinstance(address, ipaddress.IPv4Address):
        return str(address), str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped), str(address.ipv4_mapped)
    if address.scope_id:
        raise InvalidIdentity(_("This is not an IP address."), pointer=pointer)
    return str(address), _network(address, V6_LINE_BITS)


def _subnet(shown: str) -> str:
    address = ipaddress.ip_address(shown)
    return _network(address, V4_SUBNET_BITS if address.version == 4 else V6_SUBNET_BITS)


def _network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, bits: int) -> str:
    return str(ipaddress.ip_network((address, bits), strict=False))


def _alike(mailbox: str) -> str | None:
    """Return a mailbox without what is changed to make another like it: digits, dots, accents, look-alikes."""
    local, domain = mailbox.rsplit("@", 1)
    # A digit among letters stands for one; before and behind them it only counts mailboxes.
    bare = "".join(c for c in unicodedata.normalize("NFKD", local) if not unicodedata.combining(c))
    spelled = LOOKS_LIKE_LETTER.sub(lambda found: "o" if found[0] == "0" else "l", bare.translate(HOMOGLYPHS))
    letters = NOT_A_LETTER.sub("", spelled)
    return f"{letters}@{domain}" if len(letters) >= ALIKE_LETTERS_MIN else None


def _passes_luhn(digits: str) -> bool:
    doubled = (int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


READERS: dict[str, Callable[[str, str], tuple[str, str]]] = {
    "external_id": _text,
    "telegram": _telegram,
    "email": _email,
    "card": _card,
    "device": _text,
    "ip": _ip,
}

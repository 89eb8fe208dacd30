"""
Codes that people share and type, and the keys that programs send.

A code is drawn from Crockford's base 32 without its look-alikes 0 and 1 (it has no I, L, O, U to begin with), and
ends in one check character from the same alphabet. The check is that of ISBN-10 (ISO 2108: a weighted sum over a
prime), with the prime 31: as every weight and every difference of two weights is a unit, each single wrong character
and each swap of two characters is noticed. ISBN writes the one value too many as X; here such a draw is thrown away.

Other codes people choose, such as ANNA: they have no check character.
"""

import hashlib
import random
import re
import secrets
import unicodedata
from typing import NamedTuple

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
PRIME = 31
LENGTH_MIN = 4
# Beyond this two places would share a weight, and their swap would go unnoticed.
LENGTH_MAX = PRIME - 1
# Of what is drawn, without the check character.
DRAWN_LENGTH = 10

CHOSEN_LENGTH_MIN, CHOSEN_LENGTH_MAX = 4, 16
CHOSEN = re.compile(rf"[0-9A-Z]{{{CHOSEN_LENGTH_MIN},{CHOSEN_LENGTH_MAX}}}")

VALUE = {character: value for value, character in enumerate(ALPHABET)}
# Letters that look the same are typed on a Russian keyboard without noticing.
LATIN = str.maketrans("АВСЕНКМРТХУ", "ABCEHKMPTXY")
SHARED_LATIN = str.maketrans("О", "O")

KEY_KINDS = {"secret": "sk", "publishable": "pk"}
KEY_WORDS = {"live": "live", "sandbox": "test"}
KEY_PREFIX_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
KEY_PREFIX_LENGTH = 8
KEY_SECRET_BYTES = 32
KEY_SECRET_LENGTH = 43


class Key(NamedTuple):
    """An API key in its parts. `prefix` is public and finds the key; `secret` proves it and is never stored."""

    prefix: str
    secret: str
    full: str


def new_code(*, length: int = DRAWN_LENGTH, rng: random.Random | None = None) -> str:
    """Return `length` random characters and their check character. `rng` is the system's randomness by default."""
    dice = rng or secrets.SystemRandom()
    while True:
        drawn = "".join(dice.choice(ALPHABET) for _ in range(length))
        check = _check_value(drawn)
        if check < len(ALPHABET):
            return drawn + ALPHABET[check]


def normalise_code(text: str) -> str:
    """
    Return a code as it is stored: capitals, no spaces or dashes, full-width and Russian look-alike letters made Latin.

    0, 1, I, L, O and U are left as they are: no random code has them, and what was meant is anybody's guess.
    """
    shown = unicodedata.normalize("NFKC", text).upper().translate(LATIN)
    return "".join(c for c in shown if not c.isspace() and unicodedata.category(c) != "Pd")


def normalise_shared(text: str) -> str:
    """
    Return a code that members share as it is stored: Latin letters and digits only, so a Russian O too is made Latin.

    Other codes are not: a tenant's own, found by what `normalise_code` once made of them, may have been written so.
    """
    return normalise_code(text).translate(SHARED_LATIN)


def is_code(text: str) -> bool:
    """Tell whether `text`, normalised, could have come from `new_code`. Costs no query, so ask before looking it up."""
    code = normalise_shared(text)
    if not LENGTH_MIN <= len(code) <= LENGTH_MAX or any(c not in VALUE for c in code):
        return False
    return _check_value(code[:-1]) == VALUE[code[-1]]


def can_be_chosen(text: str) -> bool:
    """
    Tell whether `text`, normalised, is one that people may choose: Latin letters and digits, as many as are allowed.

    One that could be taken for a random code with a slip in it is not: else somebody chooses what others mistype.
    """
    code = normalise_shared(text)
    looks_drawn = len(code) == DRAWN_LENGTH + 1 and all(c in VALUE for c in code)
    return CHOSEN.fullmatch(code) is not None and not looks_drawn


def may_be_code(text: str) -> bool:
    """Tell whether `text`, normalised, may be somebody's, random or chosen. As `is_code` it costs no query."""
    return is_code(text) or can_be_chosen(text)


def key_start(*, environment: str, kind: str, prefix: str) -> str:
    """Return what a key begins with: all of it that may be shown."""
    return f"{KEY_KINDS[kind]}_{KEY_WORDS[environment]}_{prefix}_"


def new_key(environment: str, kind: str = "secret") -> Key:
    """Return a new API key: `sk_live_<prefix>_<secret>`, `pk_…` if publishable, `sk_test_…` for the sandbox."""
    prefix = "".join(secrets.choice(KEY_PREFIX_ALPHABET) for _ in range(KEY_PREFIX_LENGTH))
    secret = secrets.token_urlsafe(KEY_SECRET_BYTES)
    start = key_start(environment=environment, kind=kind, prefix=prefix)
    return Key(prefix=prefix, secret=secret, full=start + secret)


def split_key(text: str) -> Key | None:
    """Return the parts of something written like an API key, or None. Whether it is one, only its hash can tell."""
    parts = text.split("_", 3)  # the secret may hold underscores itself
    if len(parts) != 4 or parts[0] not in KEY_KINDS.values() or parts[1] not in KEY_WORDS.values():
        return None
    prefix, secret = parts[2], parts[3]
    if len(prefix) != KEY_PREFIX_LENGTH or len(secret) != KEY_SECRET_LENGTH or not text.isascii():
        return None
    return Key(prefix=prefix, secret=secret, full=text)


def secret_hash(secret: str) -> str:
    """Return what is stored of a key's secret. A plain SHA-256 is enough: 256 random bits cannot be guessed from it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_value(characters: str) -> int:
    # The check character itself has the weight 1, so the others start at 2.
    return -sum(weight * VALUE[c] for weight, c in enumerate(characters, start=2)) % PRIME

"""
Patterns of discount codes, such as COFFEE-####-????: what stands for itself, and what is drawn. Pure.

`#` is a digit and `?` a letter, neither of them one that looks like another. Dashes are for the eye.
"""

import re
import secrets
from typing import Final

from core.codes import ALPHABET
from core.errors import translated as _
from core.errors import type_of_text

DIGITS: Final = "".join(each for each in ALPHABET if each.isdigit())
LETTERS: Final = "".join(each for each in ALPHABET if each.isalpha())
DRAWN: Final = {"#": DIGITS, "?": LETTERS}

LENGTH_MAX: Final = 40
# Whoever tries codes must not find one, however many are out.
COMBINATIONS_MIN: Final = 500_000_000
ALLOWED: Final = re.compile(r"[A-Z0-9#?-]+")


def combinations(pattern: str) -> int:
    """Return how many codes a pattern has."""
    found = 1
    for each in pattern:
        found *= len(DRAWN.get(each, "1"))
    return found


def problem(pattern: str) -> type_of_text | None:
    """Return what is wrong with a pattern in a sentence, or None."""
    if len(pattern) > LENGTH_MAX:
        return _("A pattern has at most 40 characters.")
    if not ALLOWED.fullmatch(pattern):
        return _("A pattern has capital letters A to Z, digits and dashes; # stands for a digit and ? for a letter.")
    if combinations(pattern) < COMBINATIONS_MIN:
        return _("This pattern has so few codes that one could be guessed. Add more # or ?: four of each are enough.")
    return None


def draw(pattern: str) -> str:
    """Return a code of the pattern."""
    return "".join(secrets.choice(DRAWN[each]) if each in DRAWN else each for each in pattern)

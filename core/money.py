"""
Amounts of money: integers of the currency's smallest unit, and roundings that name their direction.

How many digits a currency has, and how it is written, is what Unicode's CLDR says (through Babel).
"""

import re
from decimal import Decimal

from babel import Locale, numbers

from core.errors import Invalid
from core.errors import translated as _

BPS = 10_000  # basis points in a whole: 250 bps are 2.50 %


class UnknownCurrency(Invalid):
    """Not a currency of ISO 4217."""

    message = _("This is not a known currency code.")


class TooFine(Invalid):
    """More digits than the currency has."""

    message = _("The amount has more digits than the currency.")


def is_currency(currency: str) -> bool:
    """Tell whether `currency` is a three-letter code of ISO 4217, in capitals."""
    return numbers.is_currency(currency)


def digits_of(currency: str) -> int:
    """
    Return how many decimal digits the currency has: 2 for USD, 0 for JPY, 3 for KWD.

    :raises UnknownCurrency: for a code that ISO 4217 does not have.
    """
    if not is_currency(currency):
        raise UnknownCurrency
    return int(numbers.get_currency_precision(currency))


def to_major(amount_minor: int, currency: str) -> Decimal:
    """Return an amount in the currency's units: 1999 of USD is 19.99."""
    return Decimal(amount_minor).scaleb(-digits_of(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """
    Return an amount in the currency's smallest units, exactly: 19.99 of USD is 1999.

    :raises TooFine: when that would need rounding.
    """
    scaled = amount.scaleb(digits_of(currency))
    if scaled != scaled.to_integral_value():
        raise TooFine
    return int(scaled)


def format_money(amount_minor: int, currency: str, language: str) -> str:
    """Return an amount as people write it in a language of settings.LANGUAGES: '$19.99', '1 999,00 ₽'."""
    # Babel writes zh_Hans where Django writes zh-hans.
    locale = Locale.parse(language, sep="-")
    shown = numbers.format_currency(to_major(amount_minor, currency), currency, locale=locale)
    # CLDR parts a symbol of letters from the digits, "RUB 500"; Babel leaves that out.
    return re.sub(r"(?<=[A-Z])(?=\d)", "\N{NO-BREAK SPACE}", shown)


def divide_down(amount: int, by: int) -> int:
    """Return `amount / by`, rounded towards minus infinity: never more than is due."""
    return amount // by


def divide_up(amount: int, by: int) -> int:
    """Return `amount / by`, rounded towards plus infinity: never less than is due."""
    return -(-amount // by)


def divide_half_up(amount: int, by: int) -> int:
    """Return `amount / by`, rounded to the nearest, a half away from zero. `by` is positive."""
    sign = -1 if amount < 0 else 1
    return sign * ((2 * abs(amount) + by) // (2 * by))


def share_down(amount: int, *, rate_bps: int) -> int:
    """Return `rate_bps` basis points of `amount`, rounded down."""
    return divide_down(amount * rate_bps, BPS)


def share_half_up(amount: int, *, rate_bps: int) -> int:
    """Return `rate_bps` basis points of `amount`, a half rounded away from zero."""
    return divide_half_up(amount * rate_bps, BPS)

"""Units and days as people read them, in the reader's language."""

from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Protocol

from babel import Locale
from babel.dates import format_skeleton
from babel.numbers import format_decimal
from django.utils.translation import get_language, gettext

from core import money

INSTANT = timedelta(microseconds=1)


class Counted(Protocol):
    """What is needed of an asset, be it a row or a line."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def scale(self) -> int: ...


def written(amount: int, asset: Counted) -> str:
    """Return an amount with what it is of: "1,250", "12.50 (Stars)", "$12.50". Points need no name: they are meant."""
    if asset.currency and asset.scale == money.digits_of(asset.currency):
        return money.format_money(amount, asset.currency, get_language() or "en")
    number = bare(amount, asset)
    if asset.currency:
        return f"{number} {asset.currency}"
    return number if asset.code == "points" else named(number, asset.name)


def named(number: str, name: str) -> str:
    """Return a number with the name of what is counted. The tenant gave it in one form, so it stands apart."""
    return gettext("%(number)s (%(name)s)") % {"number": number, "name": name}


def bare(amount: int, asset: Counted) -> str:
    """Return an amount alone, with the digits that its asset has after the point."""
    shown = format_decimal(
        Decimal(amount).scaleb(-asset.scale),
        format=f"#,##0.{'0' * asset.scale}" if asset.scale else "#,##0",
        locale=_locale(),
    )
    return str(shown)


def signed(amount: int, asset: Counted) -> str:
    """Return an amount with its sign: "+100", "−100"."""
    return f"{'−' if amount < 0 else '+'}{written(abs(amount), asset)}"


def day_of(at: datetime, *, zone: tzinfo, near: datetime) -> str:
    """Return a local day, "5 Dec", with its year where that is another than the year of `near`."""
    day = at.astimezone(zone).date()
    skeleton = "MMMd" if day.year == near.astimezone(zone).year else "yMMMd"
    return str(format_skeleton(skeleton, day, locale=_locale()))


def last_day_of(expires_at: datetime, *, zone: tzinfo, near: datetime) -> str:
    """Return the last local day before something expires."""
    return day_of(expires_at - INSTANT, zone=zone, near=near)


def _locale() -> Locale:
    return Locale.parse(get_language() or "en", sep="-")

"""What levels are measured in, as people type and read it: points, money of the tenant's, friends."""

from decimal import Decimal

from django.utils.translation import ngettext

from campaigns import wording
from core import money
from rewards.levels.setting import Setting


def digits_of(setting: Setting) -> int:
    """Return how many digits stand after the point of what is measured."""
    match setting.policy.measure:
        case "spent":
            return money.digits_of(setting.currency)
        case "earned":
            return setting.points_scale
    return 0


def number_of(measured: int, *, setting: Setting) -> Decimal:
    """Return an amount as people type it: 1250 of two digits is 12.50, and 1200 is 12."""
    number = Decimal(measured).scaleb(-digits_of(setting))
    return number if number % 1 else number.quantize(Decimal(1))


def in_words(measured: int, *, setting: Setting) -> str:
    """Return an amount in the active language: 500 points, ₽5,000, 3 friends."""
    match setting.policy.measure:
        case "spent":
            return wording.money(measured, setting.currency)
        case "referrals":
            return ngettext("%(count)s friend", "%(count)s friends", measured) % {"count": wording.whole(measured)}
    if not setting.points_scale:
        return wording.points(measured)
    shown = wording.decimal(number_of(measured, setting=setting), digits=setting.points_scale)
    return ngettext("%(points)s point", "%(points)s points", 2) % {"points": shown}

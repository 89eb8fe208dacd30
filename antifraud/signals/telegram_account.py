"""A Telegram account that was opened lately, or that has neither a name nor a picture."""

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Signal
from core.errors import translated as _


def is_young(case: Observed, setting: Setting) -> Found | None:
    """Return whether the number is above all that have been known for a month: Telegram counts upwards."""
    if case.telegram_newest is None:
        return None
    numbers = [int(lookup) for _kind, lookup in case.invitee.of("telegram")]
    return Found({}) if numbers and min(numbers) > case.telegram_newest else None


def is_bare(case: Observed, setting: Setting) -> Found | None:
    """Return whether the bot said, at the sign-up, that the account has neither a name nor a picture."""
    return Found({}) if case.invitee.traits.is_bare else None


SIGNALS = (
    Signal(
        name="young_telegram",
        short=_("New Telegram account"),
        meaning=_(
            "The friend's Telegram number is larger than any that was known a month ago. It decides nothing alone."
        ),
        sentence=_("The friend's Telegram account is newer than all that were known a month ago."),
        weight=15,
        observe=is_young,
    ),
    Signal(
        name="empty_telegram",
        short=_("Empty Telegram account"),
        meaning=_("The friend's Telegram account has neither a name nor a picture. By itself it decides nothing."),
        sentence=_("The friend's Telegram account has neither a name nor a picture."),
        weight=15,
        observe=is_bare,
    ),
)

"""Why a reward waits for a moderator, in the reader's own language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.errors import type_of_text

# Signal → a sentence over its evidence. Signals are named in antifraud/signals/.
SENTENCES: dict[str, type_of_text] = {
    "self_referral_telegram": _("Inviter and friend have the same Telegram account."),
    "self_referral_email": _("Inviter and friend have the same e-mail address."),
    "self_referral_phone": _("Inviter and friend have the same phone number."),
    "self_referral_card": _("Inviter and friend paid with the same card."),
    "self_referral_device": _("Inviter and friend used the same device."),
    "known_before": _("The friend was known %(days)s days before signing up: hardly a new customer."),
    "velocity": _("%(signups)s sign-ups in an hour through one inviter; %(allowed)s are usual."),
    "stopped": _("A stop rule had halted the campaign when this was earned."),
}
SHORT: dict[str, type_of_text] = {
    "self_referral_telegram": _("Same Telegram"),
    "self_referral_email": _("Same e-mail"),
    "self_referral_phone": _("Same phone"),
    "self_referral_card": _("Same card"),
    "self_referral_device": _("Same device"),
    "known_before": _("Known before"),
    "velocity": _("Too many sign-ups"),
    "stopped": _("Campaign was stopped"),
}


def sentence(reason: Mapping[str, Any]) -> str:
    """Return one entry of `Reward.reasons` in words."""
    known = SENTENCES.get(reason.get("signal", ""))
    if known is None:
        return str(reason.get("sentence") or reason.get("signal", ""))
    try:
        evidence: Mapping[str, Any] = reason.get("evidence", {})
        return str(known) % evidence
    except (KeyError, TypeError):  # Evidence of an older shape.
        return short(str(reason["signal"]))


def short(signal: str) -> str:
    """Return a signal's name in two or three words."""
    return str(SHORT.get(signal, signal))

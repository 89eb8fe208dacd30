"""Why a reward waits for a moderator, in the reader's own language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from antifraud.signals import SIGNALS
from core.errors import type_of_text

# What no signal sees and still makes a reward wait.
STOPPED = "stopped"
# Somebody was banned after it had been given.
BANNED = "banned"
# Inviter and friend were merged after it had been earned.
MERGED = "merged"

# Signal → a sentence over its evidence; signal → its name in two or three words.
SENTENCES: Mapping[str, type_of_text] = {each.name: each.sentence for each in SIGNALS} | {
    STOPPED: _("A stop rule was in force when this was earned."),
    BANNED: _("Member %(member)s was banned after this had been given."),
    MERGED: _("Inviter and friend turned out to be one person: member %(member)s was merged."),
}
SHORT: Mapping[str, type_of_text] = {each.name: each.short for each in SIGNALS} | {
    STOPPED: _("Stop rule in force"),
    BANNED: _("Given before a ban"),
    MERGED: _("One person"),
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


def because(told: Mapping[str, Any]) -> str:
    """Return what a verdict rests on (`Verdict.because`): "60 + 50 = 110, from 50 on", or what always decides so."""
    if "always" in told:
        named = gettext(", ").join(short(each) for each in told["always"])
        return gettext("always decided so: %(signals)s") % {"signals": named}
    weights = " + ".join(str(each) for each in told["weights"])
    total = f"{weights} = {told['sum']}" if len(told["weights"]) > 1 else weights
    return gettext("weight %(total)s, from %(threshold)s on") % {"total": total, "threshold": told["from"]}

"""An inviter and an invitee who share what two people do not share."""

from collections.abc import Mapping
from functools import partial

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _
from core.errors import type_of_text

# A family shares a tablet, but not an e-mail, a phone number, a Telegram account or a bank card.
WEIGHTS = {"telegram": 100, "email": 100, "phone": 100, "card": 100, "device": 60}
TWO_PEOPLE = "two_people"

SHORT: Mapping[str, type_of_text] = {
    "telegram": _("Same Telegram"),
    "email": _("Same e-mail"),
    "phone": _("Same phone"),
    "card": _("Same card"),
    "device": _("Same device"),
}
MEANINGS: Mapping[str, type_of_text] = {
    "telegram": _("Inviter and friend are known by one Telegram account."),
    "email": _("Inviter and friend are known by one e-mail address, however it is written."),
    "phone": _("Inviter and friend are known by one phone number."),
    "card": _("Inviter and friend paid with one card."),
    "device": _("Inviter and friend used one device."),
}
SENTENCES: Mapping[str, type_of_text] = {
    "telegram": _("Inviter and friend have the same Telegram account."),
    "email": _("Inviter and friend have the same e-mail address."),
    "phone": _("Inviter and friend have the same phone number."),
    "card": _("Inviter and friend paid with the same card."),
    "device": _("Inviter and friend used the same device."),
}
LIGHTER = Param(25, 0, 1000, _("weight if each has a phone or card of their own"))


def observe(case: Observed, setting: Setting, *, kind: str) -> Found | None:
    """Return what both sides have the same of, of one kind."""
    inviter, invitee = case.parties
    shared = sorted(inviter.of(kind) & invitee.of(kind))
    if not shared:
        return None
    is_family = TWO_PEOPLE in setting.params and inviter.is_another_than(invitee)
    evidence = {"kind": kind} | ({"value": case.ties.shown[shared[0]]} if shared[0] in case.ties.shown else {})
    return Found(evidence, weight=setting.params[TWO_PEOPLE] if is_family else None)


SIGNALS = tuple(
    Signal(
        name=f"self_referral_{kind}",
        short=SHORT[kind],
        meaning=MEANINGS[kind],
        sentence=SENTENCES[kind],
        weight=weight,
        observe=partial(observe, kind=kind),
        params={TWO_PEOPLE: LIGHTER} if kind == "device" else {},
    )
    for kind, weight in WEIGHTS.items()
)

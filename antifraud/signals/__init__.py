"""The signals: one file each, named here. A signal looks at frozen values and says what it sees. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from antifraud.judging.observed import Found, Observed, Seen, Setting
from antifraud.signals import (
    above_threshold,
    block_list,
    delays,
    disposable_email,
    email_alike,
    habits,
    known_before,
    lists,
    many_accounts,
    record,
    refund_rate,
    ring,
    second_account,
    self_referral,
    shared_address,
    telegram_account,
    tied_through,
    velocity,
)
from antifraud.signals.signal import Signal

SIGNALS: Final[tuple[Signal, ...]] = (
    *block_list.SIGNALS,
    *self_referral.SIGNALS,
    *tied_through.SIGNALS,
    *second_account.SIGNALS,
    *ring.SIGNALS,
    *known_before.SIGNALS,
    *lists.SIGNALS,
    *email_alike.SIGNALS,
    *disposable_email.SIGNALS,
    *many_accounts.SIGNALS,
    *velocity.SIGNALS,
    *delays.SIGNALS,
    *above_threshold.SIGNALS,
    *refund_rate.SIGNALS,
    *telegram_account.SIGNALS,
    *shared_address.SIGNALS,
    *habits.SIGNALS,
    *record.SIGNALS,
)
OF_MEMBERS: Final = tuple(each for each in SIGNALS if each.about == "member")
# What others can bring about, by name.
OF_OTHERS: Final = frozenset(each.name for each in SIGNALS if each.of_others)


def observe(
    *, case: Observed, settings: Mapping[str, Setting], among: Sequence[Signal] | None = None
) -> tuple[Seen, ...]:
    """Return all that the signals see which are not off, in the order of the list above, or only some `among` them."""
    seen = []
    for signal in among or (SIGNALS if case.inviter else OF_MEMBERS):
        setting = settings[signal.name]
        found = signal.observe(case, setting) if setting.mode != "off" else None
        if found:
            seen.append(_seen(signal, found, setting))
    return tuple(seen)


def _seen(signal: Signal, found: Found, setting: Setting) -> Seen:
    return Seen(
        signal=signal.name,
        weight=setting.weight if found.weight is None else found.weight,
        evidence=found.evidence,
        always=max(found.always, setting.always),
        is_shadow=setting.mode == "shadow",
    )

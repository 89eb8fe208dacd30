"""An invitee whom the tenant knew long before they signed up: hardly a new customer."""

from datetime import timedelta

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _

# Whoever is imported or written to on the day of signing up is new all the same.
GRACE_DAYS = 1


def observe(case: Observed, setting: Setting) -> Found | None:
    """Return for how many days the invitee had been known, under whatever name, or had bought, if that is too long."""
    invitee, joined_at = case.invitee, case.attributed_at
    if joined_at is None:
        return None
    known_at = min(filter(None, [invitee.first_seen_at, invitee.traits.first_paid_at]))
    if joined_at - known_at <= timedelta(days=setting.params["days"]):
        return None
    return Found({"days": (joined_at - known_at).days})


SIGNALS = (
    Signal(
        name="known_before",
        short=_("Known before"),
        meaning=_("The friend, or somebody with their Telegram, e-mail or phone, was known before: erased people too."),
        sentence=_("The friend was known %(days)s days before signing up: hardly a new customer."),
        weight=50,
        observe=observe,
        of_others=True,
        params={"days": Param(GRACE_DAYS, 0, 3650, _("days that somebody may have been known"))},
    ),
)

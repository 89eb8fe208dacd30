"""A mailbox that anybody gets for ten minutes."""

import disposable_email_domains

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import OF_INVITER, Signal
from core.errors import translated as _


def is_throwaway(domain: str) -> bool:
    """Tell whether a domain, or one that it stands below, gives out mailboxes to be thrown away."""
    labels = domain.split(".")
    return any(".".join(labels[place:]) in disposable_email_domains.blocklist for place in range(len(labels) - 1))


def observe(case: Observed, setting: Setting) -> Found | None:
    """Return the domains at which inviter or invitee have such a mailbox, and whether the inviter is the only one."""
    domains = sorted({domain for party in case.parties for domain in party.traits.throwaway})
    if not domains:
        return None
    of_inviter = {} if case.invitee.traits.throwaway else {OF_INVITER: True}
    return Found({"domain": ", ".join(domains)} | of_inviter)


SIGNALS = (
    Signal(
        name="disposable_email",
        short=_("Throwaway e-mail"),
        meaning=_("Inviter or friend has a mailbox of a kind that lasts for minutes (list: disposable-email-domains)."),
        sentence=_("A mailbox at %(domain)s is made to be thrown away."),
        weight=30,
        observe=observe,
    ),
)

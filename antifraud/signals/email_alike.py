"""E-mail addresses that differ by digits, dots, dashes or look-alike letters only."""

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _

ALIKE = "email_alike"


def of_both_sides(case: Observed, setting: Setting) -> Found | None:
    """Return whether inviter and invitee have such addresses. Equal ones are a self-referral, and no matter of this."""
    inviter, invitee = case.parties
    is_equal = inviter.of("email") & invitee.of("email")
    return Found({}) if inviter.of(ALIKE) & invitee.of(ALIKE) and not is_equal else None


def among_friends(case: Observed, setting: Setting) -> Found | None:
    """Return how many of the inviter's friends have an address like this one's, itself included, if that is many."""
    friends = {each.member_id for each in case.friends} | {case.invitee.id}
    alike = max((len(case.ties.holders.get(each, frozenset()) & friends) for each in case.invitee.of(ALIKE)), default=0)
    return Found({"friends": alike}) if alike >= setting.params["at_least"] else None


SIGNALS = (
    Signal(
        name="email_alike",
        short=_("Look-alike e-mails"),
        meaning=_("The e-mails of inviter and friend differ by digits, dots, dashes or look-alike letters only."),
        sentence=_("The e-mail addresses of inviter and friend are variants of one."),
        weight=40,
        observe=of_both_sides,
    ),
    Signal(
        name="emails_alike",
        short=_("Friends with look-alike e-mails"),
        meaning=_("Several friends of one inviter have e-mails that differ by digits, dots or dashes only."),
        sentence=_("%(friends)s friends of this inviter have e-mail addresses that are variants of one."),
        weight=50,
        observe=among_friends,
        of_others=True,
        params={"at_least": Param(3, 2, 60, _("friends with variants of one address, from"))},
    ),
)

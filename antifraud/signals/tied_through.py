"""An inviter and an invitee who share nothing themselves, but both share something with a third member."""

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _

DEVICE = "device"


def observe(case: Observed, setting: Setting) -> Found | None:
    """Return the first member who ties the two, if nothing ties them directly; devices alone may be a household's."""
    inviter, invitee = case.parties
    ties = case.ties
    if ties.shared(inviter.id, invitee.id):
        return None
    between = sorted(ties.near(inviter.id) & ties.near(invitee.id))
    kinds = {each: _kinds(case, each) for each in between}
    if not between:
        return None
    # The heaviest witness: somebody with more than a device in common.
    through = next((each for each in between if kinds[each] != {DEVICE}), between[0])
    weight = setting.params["by_device"] if kinds[through] == {DEVICE} else None
    return Found({"member": through, "members": len(between), "kinds": sorted(kinds[through])}, weight=weight)


def _kinds(case: Observed, member_id: int) -> set[str]:
    return {kind for party in case.parties for kind, _lookup in case.ties.shared(party.id, member_id)}


SIGNALS = (
    Signal(
        name="tied_through",
        short=_("Tied through another member"),
        meaning=_(
            "Inviter and friend each share an e-mail, phone, card, Telegram account or device with a third member."
        ),
        sentence=_("Inviter and friend are both tied to member %(member)s."),
        weight=60,
        observe=observe,
        of_others=True,
        params={"by_device": Param(25, 0, 1000, _("weight if they only share devices"))},
    ),
)

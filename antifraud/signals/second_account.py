"""A friend who looks like somebody who has been a member for longer, and is not the inviter: a second account."""

from antifraud.judging.observed import COSTLY, Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _

DEVICE, CARD = "device", "card"
TWO_PEOPLE = "two_people"


def observe(case: Observed, setting: Setting) -> Found | None:
    """
    Return the oldest member whose card or device the friend uses, if the inviter does not.

    Numbers of members grow with time.
    """
    invitee = case.invitee
    older = [each for each in sorted(case.ties.near(invitee.id)) if each < invitee.id and _shared(case, each)]
    if not older or case.parties[0].id in older:
        return None
    by_card = [each for each in older if CARD in _shared(case, each)]
    if by_card:
        return Found({"member": by_card[0], "kind": CARD})
    weight = setting.params[TWO_PEOPLE] if _are_two(case, older[0]) else None
    return Found({"member": older[0], "kind": DEVICE}, weight=weight)


def _shared(case: Observed, member_id: int) -> set[str]:
    return {kind for kind, _lookup in case.ties.shared(case.invitee.id, member_id)} & {DEVICE, CARD}


def _are_two(case: Observed, member_id: int) -> bool:
    """Tell whether each has a phone or card of their own. What the two share by then is a device alone."""
    invitee, other = case.invitee, case.ties.identities.get(member_id, frozenset())
    return any(invitee.of(kind) and any(each == kind for each, _lookup in other) for kind in sorted(COSTLY))


SIGNALS = (
    Signal(
        name="second_account",
        short=_("Somebody's second account"),
        meaning=_("The friend uses the card or device of an older member. A device may be a household's."),
        sentence=_("The friend uses the same %(kind)s as member %(member)s, who has been here for longer."),
        weight=60,
        observe=observe,
        of_others=True,
        params={TWO_PEOPLE: Param(25, 0, 1000, _("weight if each has a phone or card of their own"))},
    ),
)

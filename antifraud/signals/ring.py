"""People who invite one another and are tied among themselves: components, bursts, swaps, chains that come back."""

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _

NAME = "ring"
WEAK = frozenset({"device"})


def observe(case: Observed, setting: Setting) -> Found | None:
    """Return the first of the four shapes that is found, with its members, the lowest number first."""
    members = _component(case, setting) or _burst(case, setting) or _swapped(case)
    if members:
        return Found({"members": members, "count": len(members)})
    came_back = _came_back(case)
    return Found({"members": came_back, "count": len(came_back), "comes_back": True}) if came_back else None


def _component(case: Observed, setting: Setting) -> list[int]:
    """Return who is tied to the invitee, if they are many and invited one another."""
    tied = case.ties.component(case.invitee.id)
    invited = [each for each in tied if case.ties.inviters.get(each) in tied]
    is_ring = len(tied) >= setting.params["members_min"] and len(invited) >= setting.params["referrals_min"]
    return sorted(tied) if is_ring else []


def _burst(case: Observed, setting: Setting) -> list[int]:
    """Return which friends of the inviter's are tied to this one, themselves and the inviter included, if many are."""
    inviter = case.parties[0]
    siblings = {each.member_id for each in case.friends} & case.ties.component(case.invitee.id) | {case.invitee.id}
    return sorted({inviter.id, *siblings}) if len(siblings) >= setting.params["burst_min"] else []


def _swapped(case: Observed) -> list[int]:
    """
    Return two who invite each other's second accounts, and these: so neither shares anything with who they invite.

    Numbers of members grow with time: whoever is tied to somebody and came later is taken for their second account.
    """
    inviter, invitee = case.parties
    ties = case.ties
    seconds = [each for each in ties.near(inviter.id) if each > inviter.id]
    for other in sorted(ties.near(invitee.id) - {inviter.id}):
        theirs = [each for each in seconds if ties.inviters.get(each) == other]
        if theirs and other < invitee.id:
            return sorted({inviter.id, invitee.id, other, *theirs})
    return []


def _came_back(case: Observed) -> list[int]:
    """Return the chain of inviters from somebody down to the invitee, who is tied to them by more than a device."""
    chain = [case.invitee.id]
    for above in case.ties.above(case.invitee.id):
        chain.append(above)
        # Of whom one invites, self-referral tells.
        is_further = above != case.parties[0].id
        kinds = {kind for kind, _lookup in case.ties.shared(case.invitee.id, above)}
        if is_further and kinds - WEAK:
            return sorted(chain)
    return []


SIGNALS = (
    Signal(
        name=NAME,
        short=_("Ring"),
        meaning=_("Members who invite one another and share devices, cards, e-mails, phones or Telegram accounts."),
        sentence=_("%(count)s members who invite one another are tied among themselves."),
        weight=60,
        observe=observe,
        of_others=True,
        params={
            "members_min": Param(6, 3, 60, _("members tied among themselves, from")),
            "referrals_min": Param(3, 1, 60, _("of whom were invited by another one, from")),
            "burst_min": Param(5, 2, 60, _("friends of one inviter tied among themselves, from")),
        },
    ),
)

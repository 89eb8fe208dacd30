"""Who stands in a list: our own staff, and addresses of data centres."""

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Signal
from core.errors import translated as _


def is_staff(case: Observed, setting: Setting) -> Found | None:
    """Return who of those concerned works for the tenant."""
    staff = [party.id for party in case.parties if _is_in("staff", case, party.id)]
    return Found({"member": staff[0], "members": staff}) if staff else None


def is_datacenter(case: Observed, setting: Setting) -> Found | None:
    """Return whether the friend came from an address where no people live. Of an inviter who does it tells nothing."""
    return Found({"member": case.invitee.id}) if _is_in("datacenter", case, case.invitee.id) else None


def _is_in(name: str, case: Observed, member_id: int) -> bool:
    return any(each.list == name for party in case.parties if party.id == member_id for each in party.traits.listed)


SIGNALS = (
    Signal(
        name="own_staff",
        short=_("Own staff"),
        meaning=_("Inviter or friend is in the list of staff, or has the e-mail address of somebody who logs in here."),
        sentence=_("Member %(member)s is one of our own staff."),
        weight=50,
        observe=is_staff,
        about="member",
    ),
    Signal(
        name="datacenter",
        short=_("Address of a data centre"),
        meaning=_("The friend came from an address in the tenant's list of data centres."),
        sentence=_("Member %(member)s came from the address of a data centre."),
        weight=30,
        observe=is_datacenter,
    ),
)

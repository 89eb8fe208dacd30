"""An inviter and an invitee at one address: families and offices are, so it only adds to what else is seen."""

from datetime import timedelta

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _

DAY = timedelta(days=1)


def of_ip(case: Observed, setting: Setting) -> Found | None:
    """Return whether both sides came from one IP address."""
    inviter, invitee = case.parties
    return Found({}) if inviter.of("ip") & invitee.of("ip") else None


def of_subnet(case: Observed, setting: Setting) -> Found | None:
    """Return whether both sides came from one subnet, but not from one address."""
    inviter, invitee = case.parties
    is_near = inviter.of("subnet") & invitee.of("subnet") and not inviter.of("ip") & invitee.of("ip")
    return Found({}) if is_near else None


def of_friends(case: Observed, setting: Setting) -> Found | None:
    """Return how many friends came from the network of this one in a day, where the inviter never was."""
    if case.attributed_at is None:
        return None
    own = {lookup for _kind, lookup in case.invitee.of("subnet") - case.parties[0].of("subnet")}
    others = (each for each in case.friends if each.network and each.member_id != case.invitee.id)
    networks = [each.network for each in others if abs(each.attributed_at - case.attributed_at) < DAY]
    count = max((networks.count(each) for each in own), default=0) + 1
    is_much = count * 100 >= (len(networks) + 1) * setting.params["percent"]
    return Found({"friends": count}) if count >= setting.params["at_least"] and is_much else None


SIGNALS = (
    Signal(
        name="shared_ip",
        short=_("Same IP address"),
        meaning=_("Inviter and friend came from one IP address. Families and offices do: it decides nothing alone."),
        sentence=_("Inviter and friend came from the same IP address."),
        weight=10,
        observe=of_ip,
    ),
    Signal(
        name="shared_subnet",
        short=_("Same subnet"),
        meaning=_("Inviter and friend came from one subnet. By itself it decides nothing."),
        sentence=_("Inviter and friend came from the same subnet."),
        weight=5,
        observe=of_subnet,
    ),
    Signal(
        name="friends_network",
        short=_("Friends in one network"),
        meaning=_("A good part of a day's friends came from one subnet, and the inviter never did."),
        sentence=_("%(friends)s friends came from one network in a day, and the inviter never did."),
        weight=50,
        observe=of_friends,
        of_others=True,
        params={
            "at_least": Param(8, 2, 60, _("friends in one network in a day, from")),
            "percent": Param(40, 1, 100, _("percent of the day's friends, from")),
        },
    ),
)

"""More sign-ups in an hour or a day than friends could account for: of one inviter, device, card, address, campaign."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from antifraud.judging.observed import Found, Observed, Pace, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _
from core.errors import type_of_text

# Of one identity the latest hundred members are looked at (antifraud.judging.observing).
COUNTED_MAX = 99
# And of one inviter the latest thousand sign-ups of a day (scoring.persons).
SIGNUPS_MAX = 1_000

ALLOWED, ALLOWED_DAY, AUDIENCE = "allowed", "allowed_day", "from_everywhere"
# Of so many friends at least whose networks are known, at most so many from one of them.
NETWORKS_MIN, ONE_NETWORK_PERCENT = 10, 15

SHORT: Mapping[str, type_of_text] = {
    "device": _("Too many sign-ups on one device"),
    "card": _("Too many sign-ups with one card"),
    "ip": _("Too many sign-ups from one address"),
    "subnet": _("Too many sign-ups from one subnet"),
}
MEANINGS: Mapping[str, type_of_text] = {
    "device": _("More new members on one device in an hour or a day than usual."),
    "card": _("More new members with one card in an hour or a day than usual."),
    "ip": _("More new members from one IP address in an hour or a day than usual. By itself it decides nothing."),
    "subnet": _("More new members from one subnet in an hour or a day than usual. By itself it decides nothing."),
}
SENTENCES: Mapping[str, type_of_text] = {
    "device": _("%(signups)s new members on one device; %(allowed)s are usual."),
    "card": _("%(signups)s new members with one card; %(allowed)s are usual."),
    "ip": _("%(signups)s new members from one IP address; %(allowed)s are usual."),
    "subnet": _("%(signups)s new members from one subnet; %(allowed)s are usual."),
}
# Weight, and how many are usual in an hour and in a day. Offices, dormitories and phone networks have one address.
OF_IDENTITIES = {"device": (50, 4, 6), "card": (50, 3, 4), "ip": (20, 15, 40), "subnet": (10, 40, 90)}


def of_inviter(case: Observed, setting: Setting) -> Found | None:
    """
    Return how many signed up through the inviter, from the one on that exceeds what is allowed.

    It weighs less if their networks are known, and they come from everywhere: an audience does, a farm does not.
    """
    found = _beyond(case.signups, setting)
    return replace(found, weight=setting.params[AUDIENCE]) if found and _is_audience(case) else found


def _is_audience(case: Observed) -> bool:
    networks = [each.network for each in case.friends if each.network]
    most = max(map(networks.count, set(networks)), default=0)
    return len(networks) >= NETWORKS_MIN and most * 100 <= len(networks) * ONE_NETWORK_PERCENT


def of_campaign(case: Observed, setting: Setting) -> Found | None:
    """Return how many friends the campaign rewarded in the hour, if that is more than what is allowed."""
    allowed = setting.params[ALLOWED]
    return Found({"rewards": case.campaign_pace, "allowed": allowed}) if case.campaign_pace > allowed else None


def of_identity(case: Observed, setting: Setting, *, kind: str) -> Found | None:
    """
    Return how many turned up with one identity of the invitee's, if that is more than what is allowed.

    In a subnet those from their own address are left out, whom another signal counts: neither may weigh twice.
    """
    pace = case.invitee.traits.pace.get(kind)
    at_home = case.invitee.traits.pace.get("ip") if kind == "subnet" else None
    if pace and at_home:
        pace = Pace(pace.hour - at_home.hour + 1, pace.day - at_home.day + 1)
    return _beyond(pace, setting) if pace else None


def _beyond(pace: Pace, setting: Setting) -> Found | None:
    allowed, allowed_day = setting.params[ALLOWED], setting.params[ALLOWED_DAY]
    if pace.hour > allowed:
        return Found({"signups": pace.hour, "allowed": allowed})
    if pace.day > allowed_day:
        return Found({"signups": pace.day, "allowed": allowed_day, "hours": 24})
    return None


def _params(hour: int, day: int, *, most: int) -> dict[str, Param]:
    return {
        ALLOWED: Param(hour, 1, most, _("usual in an hour")),
        ALLOWED_DAY: Param(day, 1, most, _("usual in a day")),
    }


SIGNALS = (
    Signal(
        name="velocity",
        short=_("Too many sign-ups"),
        meaning=_("More friends signed up through one inviter in an hour or a day than usual."),
        sentence=_("%(signups)s sign-ups in a short time through one inviter; %(allowed)s are usual."),
        weight=50,
        observe=of_inviter,
        of_others=True,
        params=_params(10, 30, most=SIGNUPS_MAX)
        | {AUDIENCE: Param(15, 0, 1000, _("weight if the friends come from everywhere"))},
    ),
    *(
        Signal(
            name=f"velocity_{kind}",
            short=SHORT[kind],
            meaning=MEANINGS[kind],
            sentence=SENTENCES[kind],
            weight=weight,
            observe=partial(of_identity, kind=kind),
            of_others=True,
            params=_params(hour, day, most=COUNTED_MAX),
        )
        for kind, (weight, hour, day) in OF_IDENTITIES.items()
    ),
    Signal(
        name="velocity_campaign",
        short=_("Rush on the campaign"),
        meaning=_("The campaign rewarded more friends in an hour than usual. By itself it decides nothing."),
        sentence=_("%(rewards)s rewards for friends in an hour; %(allowed)s are usual in this campaign."),
        weight=10,
        observe=of_campaign,
        of_others=True,
        params={ALLOWED: Param(300, 1, 1_000, _("usual in an hour"))},
    ),
)

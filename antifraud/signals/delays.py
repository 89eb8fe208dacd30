"""First orders that come too soon after the sign-up, or always after the same time."""

from antifraud.judging.observed import Found, Friend, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _

SHARE = 10
NEAR_SECONDS_MIN = 60


def too_quick(case: Observed, setting: Setting) -> Found | None:
    """
    Return how soon the first order came, if that is sooner than a person shops.

    At the same instant it is one thing that they did: a till or a checkout signs up whoever pays.
    """
    delay = case.bought.delay_seconds if case.bought else None
    if not delay or delay > setting.params["seconds"]:
        return None
    return Found({"seconds": delay})


def copied(case: Observed, setting: Setting) -> Found | None:
    """
    Return how many friends of the inviter's took nearly the same time, this one included, if that is many.

    Of many friends some take the same time by chance, so a share of all who ordered must. Nearly is a tenth of the
    time, at least a minute, at most a quarter of an hour or what the policy says. Of what is done at once, such as
    signing up while paying, everybody's times are alike.
    """
    delay = case.bought.delay_seconds if case.bought else None
    if delay is None or delay < setting.params["minutes_min"] * 60:
        return None
    near = min(max(delay // SHARE, NEAR_SECONDS_MIN), setting.params["near_minutes"] * 60)
    delays = (_delay_of(each) for each in case.friends if each.member_id != case.invitee.id)
    others = [each for each in delays if each is not None]
    alike = 1 + sum(abs(other - delay) <= near for other in others)
    if alike < setting.params["at_least"] or alike * 100 < (1 + len(others)) * setting.params["share"]:
        return None
    return Found({"friends": alike, "minutes": delay // 60})


def _delay_of(friend: Friend) -> int | None:
    return int((friend.paid_at - friend.attributed_at).total_seconds()) if friend.paid_at else None


SIGNALS = (
    Signal(
        name="quick_order",
        short=_("Ordered at once"),
        meaning=_("The first order came sooner after the sign-up than a person shops. By itself it decides nothing."),
        sentence=_("The friend ordered %(seconds)s seconds after signing up."),
        weight=10,
        observe=too_quick,
        params={"seconds": Param(60, 1, 3600, _("seconds that are too few"))},
    ),
    Signal(
        name="copied_delay",
        short=_("Orders at the same distance"),
        meaning=_("Several friends of one inviter made their first order nearly the same time after signing up."),
        sentence=_("%(friends)s friends of this inviter ordered some %(minutes)s minutes after signing up."),
        weight=50,
        observe=copied,
        of_others=True,
        params={
            "at_least": Param(4, 2, 60, _("friends who took nearly the same time, from")),
            "share": Param(50, 1, 100, _("percent of all friends who ordered, from")),
            "minutes_min": Param(10, 1, 1440, _("minutes after the sign-up, from")),
            "near_minutes": Param(15, 1, 1440, _("minutes by which the times may differ, at most")),
        },
    ),
)

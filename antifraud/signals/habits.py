"""What one friend may show by chance, and many friends of one inviter do not."""

from collections.abc import Mapping

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _

SUSPECTED = "friends_suspected"
# Each of these is about the friend. What is about the inviter is the same for all of them.
ABOUT_FRIENDS = frozenset(
    {
        "self_referral_device",
        "tied_through",
        "second_account",
        "datacenter",
        "email_alike",
        "disposable_email",
        "young_telegram",
        "empty_telegram",
    }
)


def same_again(case: Observed, setting: Setting) -> Found | None:
    """Return for how many friends of the inviter's one and the same thing was seen before, if for most of them."""
    habits = {name: count for name, count in case.parties[0].traits.habits.items() if name in ABOUT_FRIENDS}
    found = _most(habits)
    rewarded = case.parties[0].traits.rewarded
    if not found or not _is_much(habits[found], rewarded, setting):
        return None
    return Found({"friends": habits[found], "of": rewarded, "seen": found})


def suspected(case: Observed, setting: Setting) -> Found | None:
    """Return for how many of the inviter's friends a reward was flagged or refused, if for a good part of them."""
    traits = case.parties[0].traits
    # Whom a moderator has cleared is under no suspicion, and nobody is for being suspected alone.
    count = sum(each >= setting.params["weight_from"] for each in traits.suspected) - traits.approved
    is_much = _is_much(count, traits.rewarded, setting)
    return Found({"friends": count, "of": traits.rewarded}) if is_much else None


def _most(habits: Mapping[str, int]) -> str:
    return max(habits, key=lambda name: (habits[name], name), default="")


def _is_much(count: int, rewarded: int, setting: Setting) -> bool:
    return count >= setting.params["at_least"] and count * 100 >= rewarded * setting.params["percent"]


SIGNALS = (
    Signal(
        name="habit",
        short=_("The same, friend after friend"),
        meaning=_("What one friend may show by chance was seen for most friends of the inviter before."),
        sentence=_("One and the same sign was seen for %(friends)s of %(of)s friends of this inviter."),
        weight=35,
        observe=same_again,
        of_others=True,
        params={
            "at_least": Param(3, 2, 60, _("friends for whom it was seen, from")),
            "percent": Param(50, 1, 100, _("percent of the friends whose orders earned something, from")),
        },
    ),
    Signal(
        name=SUSPECTED,
        short=_("Friends under suspicion"),
        meaning=_(
            "Rewards for several friends of the inviter were flagged or refused. What is still on hold for the others "
            "then waits for a moderator too."
        ),
        sentence=_("Rewards for %(friends)s of %(of)s friends of this inviter were flagged or refused."),
        weight=50,
        observe=suspected,
        of_others=True,
        params={
            "at_least": Param(3, 2, 60, _("friends under suspicion, from")),
            "percent": Param(30, 1, 100, _("percent of the friends whose orders earned something, from")),
            "weight_from": Param(50, 1, 1000, _("weight of what else was seen of each, from")),
        },
    ),
)

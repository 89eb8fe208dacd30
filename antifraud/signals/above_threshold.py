"""Orders that are only just large enough for the reward, one friend after another."""

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _


def observe(case: Observed, setting: Setting) -> Found | None:
    """Return how many friends of the inviter's spent just what the rule asks for, this one included, if many did."""
    bought = case.bought
    if bought is None or bought.threshold_minor is None or bought.amount_minor is None:
        return None
    # Rounded down: a hundredth of a percent more is above.
    most = bought.threshold_minor + bought.threshold_minor * setting.params["percent"] // 100
    if not bought.threshold_minor <= bought.amount_minor <= most:
        return None
    amounts = (each.amount_minor for each in case.friends if each.member_id != case.invitee.id)
    others = [each for each in amounts if each is not None]
    just = 1 + sum(bought.threshold_minor <= other <= most for other in others)
    # People add to their baskets to reach what is asked for: it is odd when most of somebody's friends do.
    is_share = just * 100 >= (1 + len(others)) * setting.params["share"]
    if just < setting.params["at_least"] or not is_share:
        return None
    return Found({"friends": just, "percent": setting.params["percent"]})


SIGNALS = (
    Signal(
        name="above_threshold",
        short=_("Orders just large enough"),
        meaning=_("Several friends of one inviter spent only just what the rule asks for."),
        sentence=_("%(friends)s friends of this inviter spent at most %(percent)s%% more than the rule asks for."),
        weight=50,
        observe=observe,
        of_others=True,
        params={
            "percent": Param(5, 0, 100, _("percent above the rule's amount, at most")),
            "share": Param(50, 1, 100, _("percent of all friends who ordered, from")),
            "at_least": Param(3, 2, 60, _("friends who spent so much, from")),
        },
    ),
)

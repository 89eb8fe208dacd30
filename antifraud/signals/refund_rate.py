"""Friends who give back what they bought, and those who do so as soon as it has been rewarded."""

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _


def of_orders(case: Observed, setting: Setting) -> Found | None:
    """Return which share of the orders of the inviter's friends was refunded or cancelled, if enough are known."""
    orders = sum(each.orders for each in case.friends)
    returned = sum(each.returned for each in case.friends)
    if orders < setting.params["orders_min"] or returned * 100 < orders * setting.params["percent"]:
        return None
    return Found({"orders": orders, "returned": returned})


def of_rewards(case: Observed, setting: Setting) -> Found | None:
    """Return how many rewards for friends a refund took back once they had been on hold and given, if many were."""
    given, returned = case.parties[0].traits.outlived
    if returned < setting.params["at_least"] or returned * 100 < given * setting.params["percent"]:
        return None
    return Found({"friends": returned, "of": given})


SIGNALS = (
    Signal(
        name="refund_rate",
        short=_("Friends who return orders"),
        meaning=_("Of the orders of an inviter's friends an unusual share was refunded or cancelled."),
        sentence=_("%(returned)s of %(orders)s orders of this inviter's friends were given back."),
        weight=50,
        observe=of_orders,
        of_others=True,
        params={
            "orders_min": Param(5, 1, 1000, _("orders that must be known, from")),
            "percent": Param(40, 1, 100, _("percent given back, from")),
        },
    ),
    Signal(
        name="returned_after_hold",
        short=_("Returned once rewarded"),
        meaning=_(
            "Friends of this inviter gave their orders back when the reward was out of the hold and given. "
            "What is still on hold for the others then waits for a moderator too."
        ),
        sentence=_("For %(friends)s of %(of)s friends the order was given back once its reward had been given."),
        weight=50,
        observe=of_rewards,
        of_others=True,
        params={
            "at_least": Param(2, 1, 60, _("friends who gave back so late, from")),
            "percent": Param(30, 1, 100, _("percent of the friends whose rewards were given, from")),
        },
    ),
)

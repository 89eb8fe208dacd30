"""Friends who give back what they bought."""

from antifraud.judging.observed import Found, Observed, Setting
from antifraud.signals.signal import Param, Signal
from core.errors import translated as _


def observe(case: Observed, setting: Setting) -> Found | None:
    """Return which share of the orders of the inviter's friends was refunded or cancelled, if enough are known."""
    orders = sum(each.orders for each in case.friends)
    returned = sum(each.returned for each in case.friends)
    if orders < setting.params["orders_min"] or returned * 100 < orders * setting.params["percent"]:
        return None
    return Found({"orders": orders, "returned": returned})


SIGNALS = (
    Signal(
        name="refund_rate",
        short=_("Friends who return orders"),
        meaning=_("Of the orders of an inviter's friends an unusual share was refunded or cancelled."),
        sentence=_("%(returned)s of %(orders)s orders of this inviter's friends were given back."),
        weight=50,
        observe=observe,
        of_others=True,
        params={
            "orders_min": Param(5, 1, 1000, _("orders that must be known, from")),
            "percent": Param(40, 1, 100, _("percent given back, from")),
        },
    ),
)

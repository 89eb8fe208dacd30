"""
The record shop's real customers: they join, some of them invited, and pay the orders of the sample.

The orders and their customers are real. That they signed up, with an e-mail address, by invitation or not, through
which channel, and that some orders came back is simulated. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from demo import invitations, orders
from demo.acts import SIMULATED, Act
from demo.days import Days
from demo.orders import Dated

SOURCE: Final = "CDNOW sample"
# In minutes. As many sign up within an order of magnitude as within the next: one time for all would look like fraud.
SIGN_UPS_SEED: Final = "sign-ups"
SIGNS_UP_BEFORE: Final = (2, 240)
CHANNELS: Final = ("telegram", "site", "email", "shop")

SEED: Final = "returns"
RETURNED_SHARE: Final = 0.015
CANCELLED_OF_RETURNED: Final = 0.1
WHOLE_OF_RETURNED: Final = 0.5
RETURN_DAYS: Final = (1, 12)


def acts(*, days: Days) -> list[Act]:
    """Return what the customers did, and what is simulated of them."""
    customers = orders.shifted(days=days)
    rng = Random(SIGN_UPS_SEED)
    joined = {customer: paid[0].at - _looked_around_for(rng) for customer, paid in customers.items()}
    inviters = invitations.choose(joined)
    found: list[Act] = []
    for customer, paid in customers.items():
        found.append(_joining(customer, joined[customer], inviters.get(customer, "")))
        found.extend(_payment(each) for each in paid)
    return [*found, *_returns(customers, days)]


def name_of(customer: str) -> str:
    """Return the shop's own id of a real customer."""
    return f"cdnow-{customer}"


def address_of(customer: str) -> str:
    """Return the simulated e-mail address of a real customer."""
    return f"cdnow.{spelled(customer)}@simulated.example"


def spelled(number: str) -> str:
    """Return a number in letters: addresses that differ by digits alone would be taken for one person's."""
    return "".join("abcdefghij"[int(digit)] for digit in number)


def _looked_around_for(rng: Random) -> timedelta:
    least, most = SIGNS_UP_BEFORE
    return timedelta(seconds=round(60 * least * (most / least) ** rng.random()))


def _joining(customer: str, at: datetime, inviter: str) -> Act:
    data: dict[str, Any] = {"extra": SIMULATED}
    if inviter:
        data["channel"] = CHANNELS[int(customer) % len(CHANNELS)]
    return Act(
        key=f"cdnow:{customer}:joined",
        kind="member.joined",
        who={"external_id": name_of(customer), "email": address_of(customer)},
        at=at,
        data=data,
        inviter=name_of(inviter) if inviter else "",
    )


def _payment(dated: Dated) -> Act:
    order = dated.order
    return Act(
        key=f"cdnow:{order.customer}:order:{order.nth}",
        kind="order.paid",
        who={"external_id": name_of(order.customer)},
        at=dated.at,
        data={
            "order_id": _number_of(dated),
            "amount_minor": order.amount_minor,
            "currency": "USD",
            "items": [{"sku": "CD", "name": "Compact disc", "quantity": order.discs}],
            "extra": {"source": SOURCE},
        },
    )


def _number_of(dated: Dated) -> str:
    return f"CD-{dated.order.customer}-{dated.order.nth}"


def _returns(customers: Mapping[str, Sequence[Dated]], days: Days) -> Iterator[Act]:
    rng = Random(SEED)
    for dated in (each for paid in customers.values() for each in paid):
        is_returned = rng.random() < RETURNED_SHARE
        act = _return(dated, rng)
        if is_returned and dated.order.amount_minor and act.at and act.at < days.last_at:
            yield act


def _return(dated: Dated, rng: Random) -> Act:
    at = dated.at + timedelta(days=rng.randint(*RETURN_DAYS), minutes=rng.randrange(180))
    part = 1.0 if rng.random() < WHOLE_OF_RETURNED else rng.uniform(0.2, 0.8)
    number, key = _number_of(dated), f"simulated:{_number_of(dated)}"
    who = {"external_id": name_of(dated.order.customer)}
    if rng.random() < CANCELLED_OF_RETURNED:
        data: dict[str, Any] = {"order_id": number, "reason": "Lost in the post", "extra": SIMULATED}
        return Act(key=f"{key}:cancelled", kind="order.cancelled", who=who, at=at, data=data)
    amount_minor = max(int(dated.order.amount_minor * part), 1)
    data = {"order_id": number, "refund_id": "1", "amount_minor": amount_minor, "extra": SIMULATED}
    return Act(key=f"{key}:refunded", kind="order.refunded", who=who, at=at, data=data)

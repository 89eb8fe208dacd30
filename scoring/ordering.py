"""Orders are paid, refunded and cancelled. Pure."""

from bisect import insort
from enum import Enum, auto

from antifraud.guard import Place
from rewards import refunds
from rewards.refunds import Held, Refund
from scoring.batch import Batch
from scoring.plan import Paid, Returned, TakenBack
from scoring.situation import Incoming, KnownOrder

COUNTED = frozenset({refunds.FLAGGED, refunds.PENDING, refunds.GRANTED})


class Return(Enum):
    """What became of a refund: done, or it has to wait for the order (`EARLY`) or for this batch (`LATER`)."""

    DONE = auto()
    EARLY = auto()
    LATER = auto()


def occurrence(incoming: Incoming) -> str:
    """Return what a reward for an order is for: the order, whoever reports it."""
    return f"order:{number_of(incoming)}"


def number_of(incoming: Incoming) -> str:
    """Return the shop's order_id."""
    return str(incoming.data["order_id"])


def pay(batch: Batch, incoming: Incoming) -> None:
    """Note a paid order. The rules are asked before: an order is not among those that came before it."""
    person = batch.person(incoming.member_id)
    insort(person.orders, incoming.occurred_at)
    person.orders_count += 1
    batch.plan.paid.append(
        Paid(
            number=number_of(incoming),
            member_id=person.id,
            event_id=incoming.id,
            amount_minor=int(incoming.data["amount_minor"]),
            currency=str(incoming.data["currency"]),
            paid_at=incoming.occurred_at,
        )
    )


def take_back(batch: Batch, incoming: Incoming) -> Return:
    """Undo what can be undone of the rewards of a refunded or cancelled order, in proportion."""
    number = number_of(incoming)
    order = batch.orders.get(number)
    if order is None:
        # Its rewards have no ids before this batch is written; or the order has not been reported at all.
        is_here = any(paid.number == number for paid in batch.plan.paid)
        return Return.LATER if is_here else Return.EARLY
    returned = _returned(batch, incoming, order)
    refund = Refund(order.amount_minor, returned.refunded_minor, returned.cancelled_at is not None)
    before = len(batch.plan.taken_back)
    for each in order.held:
        _settle(batch, incoming, batch.held[each.reward_id], refund)
    if len(batch.plan.taken_back) == before:
        batch.trace(incoming, {"outcome": "missed", "code": "nothing_to_take_back", "params": {"order": number}})
    return Return.DONE


def _returned(batch: Batch, incoming: Incoming, order: KnownOrder) -> Returned:
    returned = batch.plan.returned.setdefault(
        order.id,
        Returned(
            order_id=order.id,
            refunded_minor=order.refunded_minor,
            cancelled_at=order.cancelled_at,
        ),
    )
    if incoming.kind == "order.cancelled":
        if returned.cancelled_at is None:
            returned.cancelled_at = incoming.occurred_at
            _forget_order(batch, order)
    else:
        # More cannot come back than was paid, whatever the shop reports.
        refunded = returned.refunded_minor + int(incoming.data["amount_minor"])
        returned.refunded_minor = min(refunded, order.amount_minor)
    return returned


def _forget_order(batch: Batch, order: KnownOrder) -> None:
    person = batch.situation.people.get(order.member_id)
    if person is not None:
        person.orders_count -= 1
        if order.paid_at in person.orders:
            person.orders.remove(order.paid_at)


def _settle(batch: Batch, incoming: Incoming, held: Held, refund: Refund) -> None:
    settled = refunds.settle(held, refund=refund, balance=batch.balances.get(held.member_id, 0))
    if settled is None:
        return
    batch.balances[held.member_id] = settled.after.balance
    batch.held[held.reward_id] = settled.after
    batch.plan.taken_back.append(
        TakenBack(
            before=settled.before,
            after=settled.after,
            taken=settled.taken,
            refund_id=f"event:{incoming.id}",
            event_id=incoming.id,
            depth=incoming.depth,
        )
    )
    _give_back(batch, settled)
    batch.trace(
        incoming,
        {
            "outcome": "taken_back",
            "code": "refunded",
            "version_id": held.version_id,
            "rule_id": held.rule_id,
            "member_id": held.member_id,
            "side": held.side,
            "reward_id": held.reward_id,
            "status": settled.after.status,
            "points": settled.after.reversed - held.reversed,
            "params": {"lost": settled.after.lost - held.lost},
        },
    )


def _give_back(batch: Batch, settled: refunds.Settled) -> None:
    before, after = settled.before, settled.after
    if before.status not in COUNTED:
        return
    is_gone = after.status not in COUNTED
    points = before.given - before.reversed if is_gone else after.reversed - before.reversed
    batch.guard.give_back(place_of(before), count=int(is_gone), points=points)


def place_of(held: Held) -> Place:
    """Return where a reward stands among the counters."""
    return Place(held.campaign_id, held.rule_id, held.member_id, held.occurred_at, held.side)

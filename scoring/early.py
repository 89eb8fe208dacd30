"""Refunds and cancellations that come before their order: they wait for it, however late it is. Pure."""

from scoring import ordering
from scoring.batch import Batch
from scoring.situation import Incoming

UNKNOWN_ORDER = "unknown_order"


def park(batch: Batch, incoming: Incoming) -> None:
    """Let a return wait for its order, which nobody has reported yet."""
    batch.plan.parked[incoming.id] = UNKNOWN_ORDER
    batch.early.setdefault(ordering.number_of(incoming), []).append(incoming.id)


def wake(batch: Batch, incoming: Incoming) -> bool:
    """
    Let the returns that came before this paid order be tried again, however long ago; tell whether there are any.

    They are for the next batch, since the order has to be written first.
    """
    number = ordering.number_of(incoming)
    here, before = batch.early.pop(number, ()), batch.situation.early.get(number, ())
    for event_id in here:
        del batch.plan.parked[event_id]
    batch.plan.woken += before
    return bool(here or before)

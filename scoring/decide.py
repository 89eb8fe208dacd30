"""What a batch of events earns: frozen values in, a plan out. Pure: no database, no clock, no dice."""

from scoring import batch as batches
from scoring import early, earning, joining, judging, noting, ordering, promises
from scoring.batch import Batch
from scoring.ordering import Return
from scoring.plan import Plan
from scoring.situation import Incoming, Situation

RETURNS = frozenset({"order.refunded", "order.cancelled"})


def decide(situation: Situation) -> Plan:
    """
    Decide each event in the order in which it came, so that each sees what those before it have changed.

    The plan ends before a refund of an order that is paid in the same batch, or earned a promise that is kept in it:
    that has to be written first. It also ends behind an order whose refund came earlier: that is the next in turn.
    """
    batch = batches.begin(situation)
    for incoming in situation.incoming:
        if not _goes_on(batch, incoming):
            break
    batch.watch.close()
    batch.plan.used = batch.guard.changed
    batch.plan.alarms = batch.guard.alarms
    batch.plan.noted = batch.watch.noted
    batch.plan.tripped = batch.watch.tripped
    return batch.plan


def _goes_on(batch: Batch, incoming: Incoming) -> bool:
    """Decide an event if it is its turn, and tell whether the plan goes on."""
    if incoming.kind in RETURNS:
        returned = ordering.take_back(batch, incoming)
        if returned is Return.EARLY:
            early.park(batch, incoming)
        return returned is not Return.LATER
    if incoming.kind == "member.joined" and not joining.join(batch, incoming):
        return True
    noting.event(batch, incoming)
    promises.keep(batch, incoming)
    earning.earn(batch, incoming)
    if incoming.kind == "order.paid":
        judging.remember(batch, incoming)
        ordering.pay(batch, incoming)
        return not early.wake(batch, incoming)
    return True

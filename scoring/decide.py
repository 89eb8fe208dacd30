"""What a batch of events earns: frozen values in, a plan out. Pure: no database, no clock, no dice."""

from scoring import batch as batches
from scoring import earning, joining, judging, noting, ordering, promises
from scoring.batch import Batch
from scoring.ordering import Return
from scoring.plan import Plan
from scoring.situation import Incoming, Situation

RETURNS = frozenset({"order.refunded", "order.cancelled"})
UNKNOWN_ORDER = "unknown_order"


def decide(situation: Situation) -> Plan:
    """
    Decide each event in the order in which it came, so that each sees what those before it have changed.

    The plan ends before a refund of an order that is paid in the same batch, or earned a promise that is kept in it:
    that has to be written first.
    """
    batch = batches.begin(situation)
    for incoming in situation.incoming:
        if not _handled(batch, incoming):
            break
    batch.watch.close()
    batch.plan.used = batch.guard.changed
    batch.plan.alarms = batch.guard.alarms
    batch.plan.noted = batch.watch.noted
    batch.plan.tripped = batch.watch.tripped
    return batch.plan


def _handled(batch: Batch, incoming: Incoming) -> bool:
    if incoming.kind in RETURNS:
        returned = ordering.take_back(batch, incoming)
        if returned is Return.EARLY:
            batch.plan.parked[incoming.id] = UNKNOWN_ORDER
        return returned is not Return.LATER
    if incoming.kind == "member.joined" and not joining.join(batch, incoming):
        return True
    noting.event(batch, incoming)
    promises.keep(batch, incoming)
    earning.earn(batch, incoming)
    if incoming.kind == "order.paid":
        judging.remember(batch, incoming)
        ordering.pay(batch, incoming)
    return True

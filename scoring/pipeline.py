"""From events to rewards: gather, decide, apply. The one path, whoever reports and whatever is rewarded."""

from collections.abc import Sequence
from datetime import datetime

from core import db
from events.claims import Claimed, Outcome
from scoring import apply, decide, gather
from tenants import context


@db.in_transaction
def earn(claimed: Sequence[Claimed], at: datetime) -> Outcome:
    """Score a batch of claimed events in the order in which they came. The caller holds the tenant's lock."""
    situation = gather.gather(claimed=claimed, zone=context.zone(), at=at)
    return apply.write(plan=decide.decide(situation), situation=situation)

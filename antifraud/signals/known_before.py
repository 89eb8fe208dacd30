"""An invitee whom the tenant knew long before they signed up: hardly a new customer."""

from collections.abc import Iterator
from datetime import timedelta

from antifraud.observed import Observed, Policy, Seen

# Whoever is imported or written to on the day of signing up is new all the same.
GRACE = timedelta(days=1)
WEIGHT = 50


def observe(case: Observed, policy: Policy) -> Iterator[Seen]:
    """Yield an observation if the invitee was first seen more than a day before the sign-up."""
    if case.attributed_at - case.invitee_first_seen_at > GRACE:
        days = (case.attributed_at - case.invitee_first_seen_at).days
        yield Seen(signal="known_before", weight=WEIGHT, evidence={"days": days})

"""What a trip has kept from being paid: what waits because of it, and what moderators have refused of that."""

from datetime import timedelta
from typing import NamedTuple

from django.db.models import Count, Q, Sum

from antifraud.models import CaseReward, Trip
from antifraud.moderation import stakes
from rewards.models import Reward

Status = Reward.Status


class Saved(NamedTuple):
    """So many rewards, and what they cost, in minor units of the tenant's currency."""

    rewards: int
    cost_minor: int


class Savings(NamedTuple):
    """Of what a trip has caught: what was refused, what waits, and what was given after all."""

    refused: Saved
    waiting: Saved
    given: Saved


def of_trip(trip: Trip) -> Savings:
    """Return what became of the rewards that waited because of a trip."""
    caught = CaseReward.objects.filter(
        # Nothing older is flagged by it.
        reward__created_at__gte=trip.tripped_at - timedelta(minutes=trip.window_minutes),
        reward__reasons__contains=[{"signal": "stopped", "evidence": {"trip": trip.pk}}],
    )
    groups = {
        "refused": Q(reward__status__in=[Status.REJECTED, Status.CANCELLED]),
        "waiting": Q(reward__status=Status.FLAGGED),
        "given": Q(reward__status__in=[Status.PENDING, Status.GRANTED, Status.REVERSED]),
    }
    figures = {f"{name}_rewards": Count("pk", filter=which & Q(reward__part=0)) for name, which in groups.items()}
    costs = {f"{name}_cost": Sum(stakes.COST_LEFT, filter=which, default=0) for name, which in groups.items()}
    found = caught.aggregate(**figures, **costs)
    return Savings(*[Saved(found[f"{name}_rewards"], int(found[f"{name}_cost"])) for name in groups])

"""How much leaks when a campaign is attacked at fifty times its usual rate, before its stop rule halts it."""

from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from antifraud.models import StopRule, Tally
from benchmarks import stage
from benchmarks.rows import LEAK, Measured
from benchmarks.stage import Stage
from campaigns import lifecycle
from campaigns.models import Campaign, Rule
from core.db import current_schema, transaction
from events import handling, inbox
from rewards.models import Reward
from tenants import context

TIMES: Final = 50
# Rewards in a usual hour, of a small, a middling and a large campaign.
USUAL: Final = (20, 40, 80)
WEEKS: Final = 8
MEMBERS: Final = 500


def measure(set_up: Stage) -> list[Measured]:
    """Attack one campaign after another, each with a rule as a new tenant has it, and count what was granted."""
    leaked, figures = [], {}
    with context.in_tenant(set_up.tenant.schema_name):
        rule = StopRule.objects.create(metric="rewards", comparison="anomaly", threshold=30, window_minutes=60)
        for usual in USUAL:
            granted, batches = _attacked(usual)
            leaked.append(granted / usual)
            told = f"{granted} of {TIMES * usual} granted, stopped in batch {batches}"
            figures[f"attack at {TIMES} x {usual} rewards an hour"] = told
        StopRule.objects.filter(pk=rule.pk).update(is_active=False)
    return [Measured(row=LEAK, values=leaked, figures=figures)]


def _attacked(usual: int) -> tuple[int, int]:
    """Return how many rewards were granted, and in which batch the campaign was stopped."""
    campaign = _campaign(usual)
    bodies = [_event(campaign, number) for number in range(TIMES * usual)]
    for first in range(0, len(bodies), 500):
        inbox.record(reports=stage.read_all(bodies[first : first + 500]), at=timezone.now())
    batches = stopped_in = 0
    while handling.handle_batch(schema=current_schema(), at=timezone.now()):
        batches += 1
        if not stopped_in and Campaign.objects.get(pk=campaign.pk).status == Campaign.Status.STOPPED:
            stopped_in = batches
    return Reward.objects.filter(campaign=campaign, status=Reward.Status.GRANTED).count(), stopped_in


@transaction
def _campaign(usual: int) -> Campaign:
    now = timezone.now()
    started = now - timedelta(weeks=WEEKS + 1)
    campaign = Campaign.objects.create(name=f"Attacked, usually {usual}", starts_at=started)
    Rule.objects.create(campaign=campaign, trigger=_kind(campaign), recipient="actor", amount_points=10)
    lifecycle.activate(campaign=campaign, author="bench", at=started)
    minutes = [now - timedelta(weeks=weeks, minutes=20) for weeks in range(WEEKS + 1)]
    Tally.objects.bulk_create(
        Tally(scope="campaign", subject=str(campaign.pk), minute=minute.replace(second=0, microsecond=0), rewards=usual)
        for minute in minutes[1:]
    )
    return campaign


def _event(campaign: Campaign, number: int) -> dict[str, Any]:
    member = stage.identities(number % MEMBERS)
    return {"key": f"attack-{campaign.pk}-{number}", "kind": _kind(campaign), "member": member, "data": {}}


def _kind(campaign: Campaign) -> str:
    return f"custom.attack_{campaign.pk}"

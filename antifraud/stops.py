"""A campaign is halted when a stop rule fires, and goes on when somebody of the staff says so."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from antifraud import cases, counters
from antifraud.guard import Tripped
from antifraud.models import Trip
from campaigns import lifecycle
from campaigns.models import Campaign
from core.db import fetch, in_transaction, json_text, transaction
from core.errors import Conflict
from events import facts
from events.facts import Fact
from members import people
from tenants import audit, context
from tenants.staff.models import Staff


class AlreadyResumed(Conflict):
    """Somebody was quicker."""

    message = _("Somebody has already set this campaign going again.")


# What has not been paid yet of what the rule caught waits for a moderator, as do all its rewards from here on. What a
# moderator has approved before does not.
FLAG_PENDING = """
WITH flagged AS (
    UPDATE rewards_reward r SET status = 'flagged', reasons = %(reasons)s::jsonb
    WHERE campaign_id = %(campaign_id)s AND status = 'pending' AND created_at >= %(since)s
        AND NOT EXISTS (SELECT FROM antifraud_casereward decided WHERE decided.reward_id = r.id)
    RETURNING id, campaign_id, event_id, referral_id
)
SELECT f.id, f.campaign_id, f.event_id, r.invitee_id
FROM flagged f LEFT JOIN referrals_referral r ON r.id = f.referral_id ORDER BY f.id
"""


@in_transaction
def trip(*, tripped: Tripped, at: datetime) -> bool:
    """
    Stop the campaign, keep the figures of that moment, and flag its rewards of the window that are still pending.

    Return False for a campaign that has ended or been stopped meanwhile. The caller holds the tenant's lock.
    """
    rule = tripped.stop_rule
    campaign = Campaign.objects.get(pk=tripped.campaign_id)
    if campaign.status not in lifecycle.STOP.leaves:
        return False
    Trip.objects.create(
        stop_rule_id=rule.id,
        campaign=campaign,
        metric=rule.metric,
        figure=tripped.figure,
        threshold=rule.threshold,
        window_minutes=rule.window_minutes,
        tripped_at=at,
    )
    lifecycle.stop(campaign=campaign, author="", at=at)
    reasons = [{"signal": "stopped", "evidence": {}}]
    params = {
        "campaign_id": campaign.pk,
        "since": at - timedelta(minutes=rule.window_minutes),
        "reasons": json_text(reasons),
    }
    flagged = [
        cases.Flagged(
            cases.group_key(campaign_id=row.campaign_id, invitee_id=row.invitee_id, event_id=row.event_id),
            row.campaign_id,
            row.id,
        )
        for row in fetch(FLAG_PENDING, params)
    ]
    cases.record(flagged=flagged, signals=(), at=at)
    return True


@transaction
def resume(*, trip: Trip, by: Staff, at: datetime) -> None:
    """
    Close a trip and let its campaign go on. One that was ended or paused meanwhile stays as it is.

    The stop rule counts anew from here: what made it fire would otherwise make it fire again at once.

    :raises AlreadyResumed:
    """
    people.lock(context.current().schema_name)
    if not Trip.objects.filter(pk=trip.pk, resumed_at=None).update(resumed_at=at, resumed_by=by):
        raise AlreadyResumed
    trip.refresh_from_db()
    campaign = Campaign.objects.get(pk=trip.campaign_id)
    is_stopped = campaign.status == Campaign.Status.STOPPED
    if is_stopped:
        lifecycle.resume(campaign=campaign, author=by.get_username(), at=at)
        counters.forget_minutes(campaign_id=campaign.pk)
        data = {"campaign_id": campaign.pk, "trip_id": trip.pk}
        facts.record(facts=[Fact(kind="campaign.resumed", key=f"trip:{trip.pk}:resumed", data=data)], at=at)
    audit.record(
        actor_kind="staff",
        actor=by.get_username(),
        action="campaign.resumed" if is_stopped else "trip.closed",
        target=f"campaign:{campaign.pk} {campaign.name}",
        changes={"trip": trip.pk, "figure": trip.figure, "threshold": trip.threshold},
        at=at,
    )

"""Programs that pause a campaign and let it go on: at once, with a reason, and as often as they like."""

from datetime import datetime
from typing import Final

from campaigns import lifecycle, showing
from campaigns.models import Campaign, CampaignVersion
from core.db import current_schema, in_transaction
from members import people
from tenants import audit

Status = Campaign.Status
REASON_LENGTH_MAX: Final = 300


@in_transaction
def pause(*, campaign_id: int, reason: str, by: str, at: datetime) -> None:
    """
    Reward nothing that happens from now on. One that is paused already stays so, and nothing is written.

    `by` is what the key is called.

    :raises campaigns.showing.UnknownCampaign:
    :raises campaigns.lifecycle.MoveNotAllowed: when it is neither active nor paused
    """
    campaign = _held(campaign_id)
    if campaign.status != Status.PAUSED:
        version = lifecycle.pause(campaign=campaign, author=by, at=at)
        _note("campaign.pause", campaign, version, reason=reason, by=by, at=at)


@in_transaction
def resume(*, campaign_id: int, reason: str, by: str, at: datetime) -> None:
    """
    Go on after a pause. One that is active stays so, and nothing is written.

    :raises campaigns.showing.UnknownCampaign:
    :raises campaigns.lifecycle.MoveNotAllowed: when it is neither paused nor active, or a stop rule has stopped it
    """
    campaign = _held(campaign_id)
    lifecycle.require_no_trip(campaign=campaign)
    if campaign.status != Status.ACTIVE:
        version = lifecycle.resume(campaign=campaign, author=by, at=at)
        _note("campaign.resume", campaign, version, reason=reason, by=by, at=at)


def _held(campaign_id: int) -> Campaign:
    # No batch is scored between the clock's reading and the commit: each event finds the version of its moment.
    people.lock(current_schema())
    return showing.get(Campaign.objects.all(), campaign_id=campaign_id)


def _note(
    action: str, campaign: Campaign, version: CampaignVersion | None, *, reason: str, by: str, at: datetime
) -> None:
    audit.record(
        actor_kind="key",
        actor=by,
        action=action,
        target=f"campaign:{campaign.pk} {campaign.name}",
        changes={"reason": reason, **({"version": version.number} if version else {})},
        at=at,
    )

"""What a trip has halted goes on: when somebody says so, or by itself."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from antifraud.models import StopRule, Trip
from antifraud.stops import tallies, tellings
from antifraud.stops.minutes import Subject, Tally, Window
from campaigns import lifecycle
from campaigns.models import Campaign, CampaignVersion
from core.db import execute, in_transaction, transaction
from core.errors import Conflict
from events import facts
from events.facts import Fact
from members import people
from tenants import context
from tenants.staff.models import Staff


class AlreadyResumed(Conflict):
    """Somebody was quicker."""

    message = _("Somebody has already set this going again.")


# Of several bans that are in force, as after a merger or where staff has banned since, this one alone ends.
UNBLOCK = """
WITH held AS (
    SELECT key FROM events_event
    WHERE member_id = %(id)s AND kind = 'member.banned' AND source = 'sarafan' AND id > coalesce((
        SELECT max(id) FROM events_event
        WHERE member_id = %(id)s AND kind = 'member.unbanned' AND source = 'sarafan'), 0)
)
UPDATE members_member SET status = 'active' WHERE id = %(id)s AND status = 'blocked'
    AND %(key)s IN (SELECT key FROM held) AND NOT EXISTS (SELECT FROM held WHERE key NOT IN (
        SELECT format('trip:%%s:banned', id) FROM antifraud_trip WHERE resumed_at IS NOT NULL))
"""


@transaction
def resume(*, trip: Trip, by: Staff, at: datetime) -> None:
    """
    Close a trip and let what it halted go on.

    A campaign that was ended meanwhile stays so, and one that was paused when it was stopped is paused again. The stop
    rule counts anew from here: what made it fire would otherwise make it fire again at once.

    :raises AlreadyResumed:
    """
    people.lock(context.current().schema_name)
    close(trip=trip, by=by, at=at)


@in_transaction
def resume_due(*, at: datetime) -> int:
    """Close the trips whose time is over, and return how many there were. The caller holds the tenant's lock."""
    due = list(Trip.objects.filter(resumed_at=None, resume_at__lte=at).order_by("resume_at", "pk"))
    for trip in due:
        close(trip=trip, by=None, at=at)
    return len(due)


@in_transaction
def close(*, trip: Trip, by: Staff | None, at: datetime) -> None:
    """
    Close a trip; by nobody, if it goes on by itself. The caller holds the tenant's lock.

    :raises AlreadyResumed:
    """
    baseline = trip.baseline | {"counted": _counted(trip, at=at)}
    open_now = Trip.objects.filter(pk=trip.pk, resumed_at=None)
    if not open_now.update(resumed_at=at, resumed_by=by, baseline=baseline):
        raise AlreadyResumed
    trip.refresh_from_db()
    author = by.get_username() if by else ""
    told = [Fact("trip.closed", f"trip:{trip.pk}:closed", {**tellings.of_trip(trip), "by": author})]
    action = "trip.closed"
    if trip.action == StopRule.Action.STOP and _go_on(trip, author=author, at=at):
        data = {"campaign_id": trip.campaign_id, "trip_id": trip.pk}
        told.append(Fact("campaign.resumed", f"trip:{trip.pk}:resumed", data))
        action = "campaign.resumed"
    elif trip.action == StopRule.Action.BLOCK_INVITER and _unblock(trip):
        told.append(
            Fact("member.unbanned", f"trip:{trip.pk}:unbanned", tellings.of_ban(trip, by=author), int(trip.subject))
        )
        action = "member.unbanned"
    facts.record(facts=told, at=at)
    tellings.record(trip=trip, by=by, action=action, at=at)


def _counted(trip: Trip, *, at: datetime) -> dict[str, int]:
    """Return what this minute has seen so far, for the rule not to count it once more."""
    window = Window(subject_of(trip), at.replace(second=0, microsecond=0))
    return (tallies.read([window])[window] or Tally()).as_json()


def subject_of(trip: Trip) -> Subject:
    """Return what a trip is about."""
    return Subject(trip.scope, str(trip.campaign_id) if trip.campaign_id else trip.subject)


def _unblock(trip: Trip) -> bool:
    return bool(execute(UNBLOCK, {"id": int(trip.subject), "key": f"trip:{trip.pk}:banned"}))


def _go_on(trip: Trip, *, author: str, at: datetime) -> bool:
    campaign = trip.campaign
    if campaign is None or campaign.status != Campaign.Status.STOPPED:
        return False
    was_paused = _status_before(campaign) == Campaign.Status.PAUSED
    lifecycle.resume(campaign=campaign, author=author, at=at)
    if was_paused:
        lifecycle.pause(campaign=campaign, author=author, at=at)
    return not was_paused


def _status_before(campaign: Campaign) -> str | None:
    """Return what a stopped campaign was before: a stop rule may catch a paused one, too."""
    before = CampaignVersion.objects.filter(campaign=campaign).exclude(definition__status=Campaign.Status.STOPPED)
    return before.order_by("-number").values_list("definition__status", flat=True).first()

"""A stop rule fires: the trip is written, what it is for is done. It goes on when somebody says so, or by itself."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from antifraud import cases, tallies, trails
from antifraud.minutes import Subject, Tally, Window
from antifraud.models import StopRule, Trip
from antifraud.watch import Tripped
from campaigns import lifecycle
from campaigns.models import Campaign, CampaignVersion
from core.db import execute, fetch, in_transaction, json_text, transaction
from core.errors import Conflict
from events import facts
from events.facts import Fact
from members import people
from tenants import audit, context
from tenants.staff.models import Staff


class AlreadyResumed(Conflict):
    """Somebody was quicker."""

    message = _("Somebody has already set this going again.")


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
BLOCK = "UPDATE members_member SET status = 'blocked' WHERE id = %(id)s AND status = 'active'"
# Whom staff has blocked since, for a reason of their own, stays blocked.
UNBLOCK = """
UPDATE members_member SET status = 'active' WHERE id = %(id)s AND status = 'blocked' AND %(key)s = (
    SELECT key FROM events_event WHERE member_id = %(id)s AND kind = 'member.banned' AND source = 'sarafan'
    ORDER BY id DESC LIMIT 1)
"""


# --- Firing ---------------------------------------------------------------------------------------------------------


@in_transaction
def record(*, tripped: Sequence[Tripped], at: datetime) -> list[Trip]:
    """
    Write the trips with their figures and the way there, and give each its number for its rewards to tell.

    A campaign that has been stopped or ended is not stopped, and no trip is written. The caller holds the tenant's
    lock, and then calls `act`.
    """
    if not tripped:
        return []
    campaigns = Campaign.objects.in_bulk({each.campaign_id for each in tripped if each.campaign_id})
    wanted = [each for each in tripped if each.action != StopRule.Action.STOP or _may_stop(campaigns, each)]
    charts = trails.read(wanted, at=at)
    trips = Trip.objects.bulk_create([_trip(each, charts, at=at) for each in wanted])
    for each, trip in zip(wanted, trips, strict=True):
        each.evidence["trip"] = trip.pk
        if trip.campaign_id:
            trip.campaign = campaigns[trip.campaign_id]
    return trips


@in_transaction
def act(*, trips: Iterable[Trip], at: datetime) -> list[Fact]:
    """Do what each trip's rule is for, once the batch's rewards are written; return the facts."""
    told = []
    for trip in trips:
        told.append(Fact("trip.opened", f"trip:{trip.pk}:opened", _told(trip)))
        if trip.campaign and trip.action == StopRule.Action.STOP:
            lifecycle.stop(campaign=trip.campaign, author="", at=at)
            _flag_pending(trip, at=at)
            told.append(Fact("campaign.stopped", f"trip:{trip.pk}:stopped", _of_campaign(trip)))
        elif trip.action == StopRule.Action.BLOCK_INVITER:
            told += _block(trip, at=at)
    return told


def _may_stop(campaigns: dict[int, Campaign], tripped: Tripped) -> bool:
    return campaigns[tripped.campaign_id or 0].status in lifecycle.STOP.leaves


def _trip(tripped: Tripped, charts: trails.type_of_trails, *, at: datetime) -> Trip:
    rule, subject = tripped.stop_rule, tripped.subject
    minutes = rule.resume_minutes
    return Trip(
        stop_rule_id=rule.id,
        scope=subject.scope,
        subject="" if tripped.campaign_id else subject.name,
        campaign_id=tripped.campaign_id,
        metric=rule.metric,
        action=rule.action,
        throttle_per_hour=rule.throttle_per_hour,
        figure=tripped.figure,
        threshold=rule.threshold,
        window_minutes=rule.window_minutes,
        baseline=tripped.usual.as_json() if tripped.usual else {},
        chart=[*charts[rule.id, subject], [at.isoformat(), tripped.figure]],
        tripped_at=at,
        resume_at=at + timedelta(minutes=minutes) if minutes else None,
    )


def _flag_pending(trip: Trip, *, at: datetime) -> None:
    params = {
        "campaign_id": trip.campaign_id,
        "since": at - timedelta(minutes=trip.window_minutes),
        "reasons": json_text([{"signal": "stopped", "evidence": {"trip": trip.pk}}]),
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


def _block(trip: Trip, *, at: datetime) -> list[Fact]:
    member_id = int(trip.subject)
    if not execute(BLOCK, {"id": member_id}):
        return []
    _audit(trip, by=None, action="member.banned", at=at)
    # As antifraud.bans tells it of a person who bans.
    return [Fact("member.banned", f"trip:{trip.pk}:banned", _of_ban(trip, by=""), member_id)]


# --- Going on -------------------------------------------------------------------------------------------------------


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
    told = [Fact("trip.closed", f"trip:{trip.pk}:closed", {**_told(trip), "by": author})]
    action = "trip.closed"
    if trip.action == StopRule.Action.STOP and _go_on(trip, author=author, at=at):
        data = {"campaign_id": trip.campaign_id, "trip_id": trip.pk}
        told.append(Fact("campaign.resumed", f"trip:{trip.pk}:resumed", data))
        action = "campaign.resumed"
    elif trip.action == StopRule.Action.BLOCK_INVITER and _unblock(trip):
        told.append(Fact("member.unbanned", f"trip:{trip.pk}:unbanned", _of_ban(trip, by=author), int(trip.subject)))
        action = "member.unbanned"
    facts.record(facts=told, at=at)
    _audit(trip, by=by, action=action, at=at)


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


# --- Telling --------------------------------------------------------------------------------------------------------


def _told(trip: Trip) -> dict[str, Any]:
    told = {
        "trip_id": trip.pk,
        "stop_rule_id": trip.stop_rule_id,
        "scope": trip.scope,
        "metric": trip.metric,
        "figure": trip.figure,
        "threshold": trip.threshold,
        "window_minutes": trip.window_minutes,
        "action": trip.action,
    }
    match trip.scope:
        case "campaign":
            told["campaign_id"] = trip.campaign_id
        case "inviter":
            told["inviter_id"] = int(trip.subject)
        case "channel":
            told["channel"] = trip.subject
    return told


def _of_ban(trip: Trip, *, by: str) -> dict[str, Any]:
    return {"trip_id": trip.pk, "takes": "nothing", "by": by}


def _of_campaign(trip: Trip) -> dict[str, Any]:
    return {"campaign_id": trip.campaign_id, "trip_id": trip.pk, "figure": trip.figure, "threshold": trip.threshold}


def _audit(trip: Trip, *, by: Staff | None, action: str, at: datetime) -> None:
    if trip.campaign:
        target = f"campaign:{trip.campaign_id} {trip.campaign.name}"
    else:
        target = f"member:{trip.subject}" if trip.scope == "inviter" else f"{trip.scope}:{trip.subject}"
    audit.record(
        actor_kind="staff" if by else "system",
        actor=by.get_username() if by else "",
        action=action,
        target=target,
        changes={"trip": trip.pk, "figure": trip.figure, "threshold": trip.threshold},
        at=at,
    )

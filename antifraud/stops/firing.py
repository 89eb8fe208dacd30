"""A stop rule fires: the trip is written, what it is for is done."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from antifraud.models import StopRule, Trip
from antifraud.moderation import cases
from antifraud.stops import tellings, trails
from antifraud.stops.watch import Tripped
from campaigns import lifecycle
from campaigns.models import Campaign
from core.db import execute, fetch, in_transaction, json_text
from events.facts import Fact

# What has not been paid yet of what the rule caught waits for a moderator, as do all its rewards from here on. What a
# moderator has approved before does not.
FLAG_PENDING = """
WITH flagged AS (
    UPDATE rewards_reward r SET status = 'flagged', reasons = %(reasons)s::jsonb
    WHERE campaign_id = %(campaign_id)s AND status = 'pending' AND created_at >= %(since)s
        AND NOT EXISTS (SELECT FROM antifraud_casereward decided WHERE decided.reward_id = r.id)
    RETURNING id, campaign_id, event_id, referral_id
)
SELECT f.id, f.campaign_id, f.event_id, coalesce(friend.merged_into_id, friend.id) AS invitee_id
FROM flagged f LEFT JOIN referrals_referral r ON r.id = f.referral_id
LEFT JOIN members_member friend ON friend.id = r.invitee_id ORDER BY f.id
"""
BLOCK = "UPDATE members_member SET status = 'blocked' WHERE id = %(id)s AND status = 'active'"


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
        told.append(Fact("trip.opened", f"trip:{trip.pk}:opened", tellings.of_trip(trip)))
        if trip.campaign and trip.action == StopRule.Action.STOP:
            lifecycle.stop(campaign=trip.campaign, author="", at=at)
            _flag_pending(trip, at=at)
            told.append(Fact("campaign.stopped", f"trip:{trip.pk}:stopped", tellings.of_campaign(trip)))
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
    tellings.record(trip=trip, by=None, action="member.banned", at=at)
    # As antifraud.lists.bans tells it of a person who bans.
    return [Fact("member.banned", f"trip:{trip.pk}:banned", tellings.of_ban(trip, by=""), member_id)]

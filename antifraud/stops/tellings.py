"""What is told of a trip: in facts, and in the audit log."""

from datetime import datetime
from typing import Any

from antifraud.models import Trip
from tenants import audit
from tenants.staff.models import Staff


def of_trip(trip: Trip) -> dict[str, Any]:
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


def of_ban(trip: Trip, *, by: str) -> dict[str, Any]:
    return {"trip_id": trip.pk, "takes": "nothing", "by": by}


def of_campaign(trip: Trip) -> dict[str, Any]:
    return {"campaign_id": trip.campaign_id, "trip_id": trip.pk, "figure": trip.figure, "threshold": trip.threshold}


def record(*, trip: Trip, by: Staff | None, action: str, at: datetime) -> None:
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

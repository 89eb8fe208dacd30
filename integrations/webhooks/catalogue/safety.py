"""What is told of cases, stop rules, bans and limits."""

from typing import Final

from core.errors import translated as _
from core.errors import type_of_text
from integrations.webhooks.catalogue.shapes import (
    BY,
    CAMPAIGN_ID,
    REASON,
    FactKind,
    maybe,
    moment,
    number,
    numbers,
    record,
    words,
)

CASE: Final = {
    "case_id": number("Of the case."),
    "campaign_id": maybe(CAMPAIGN_ID),
    "by": words("Who decided, by user name."),
    "sides": words("Whose rewards were rejected: both, inviter or invitee."),
    "rewards": {
        "type": "object",
        "additionalProperties": numbers("Ids of rewards."),
        "description": "Which rewards were approved, rejected or reopened.",
    },
    "cost_minor": number("What they cost, in minor units of the tenant's currency."),
}
TRIP: Final = {
    "trip_id": number("Of the trip."),
    "stop_rule_id": maybe(number("Of the stop rule.")),
    "scope": words("What the figure is of: campaign, channel, inviter or tenant."),
    "campaign_id": maybe(CAMPAIGN_ID),
    "channel": words("The channel, if it is of one."),
    "inviter_id": number("Sarafan's number of the inviter, if it is of one."),
    "metric": words("What was measured."),
    "figure": number("What it was."),
    "threshold": number("Up to where it may be."),
    "window_minutes": number("In so many minutes."),
    "action": words("What followed: stop, flag, throttle, block or notify."),
}
BAN: Final = {
    "trip_id": number("Of the trip, if a stop rule did it."),
    "takes": words("What becomes of rewards: nothing, pending (called off) or granted (before a moderator too)."),
    "cancelled": numbers("Ids of the rewards that were called off."),
    "flagged": numbers("Ids of the rewards that wait for a moderator now."),
    "kept": numbers("Ids of the rewards that are out of reach."),
    "note": REASON,
    "by": BY,
}
LIMIT: Final = {
    "measure": words("count, points or cost_minor."),
    "used": number("How much is used."),
    "max": number("How much there is."),
    "period": words("hour, day, week, month, ever, or such as 30 days."),
    "period_start": moment("Since when it is counted."),
    "limit_id": number("Of the limit. Left out: the campaign's budget."),
    "campaign_id": number("Of the campaign. Left out: over all campaigns."),
}

_CASE = {
    "case_id": 5,
    "campaign_id": 3,
    "by": "max",
    "sides": "both",
    "rewards": {"approved": [12]},
    "cost_minor": 10_000,
}
_TRIP = {
    "trip_id": 8,
    "stop_rule_id": 2,
    "scope": "campaign",
    "campaign_id": 3,
    "metric": "rewards",
    "figure": 101,
    "threshold": 100,
    "window_minutes": 60,
    "action": "stop",
}
_LIMIT = {
    "measure": "points",
    "used": 8_000,
    "max": 10_000,
    "period": "month",
    "period_start": "2026-03-01T00:00:00+00:00",
    "campaign_id": 3,
}


def _of_case(what: str, label: type_of_text, *, is_confirmed: bool = True) -> FactKind:
    return FactKind(
        name=f"case.{what}",
        label=label,
        schema=record("case_id", "rewards", **CASE),
        example=_CASE,
        object_type="case",
        object_key="case_id",
        is_confirmed=is_confirmed,
    )


def _of_limit(what: str, label: type_of_text) -> FactKind:
    return FactKind(
        name=f"limit.{what}",
        label=label,
        schema=record("measure", "used", "max", "period", **LIMIT),
        example=_LIMIT,
        object_type="limit",
        object_key="limit_id",
    )


KINDS: Final = (
    _of_case("approved", _("A case was approved")),
    _of_case("rejected", _("A case was rejected")),
    _of_case("reopened", _("A case was opened again"), is_confirmed=False),
    FactKind(
        name="case.escalated",
        label=_("A case was not decided in time"),
        schema=record(
            "case_id",
            "due_at",
            case_id=CASE["case_id"],
            campaign_id=CASE["campaign_id"],
            opened_at=moment("Since when it waits."),
            due_at=moment("Until when it should have been decided."),
            assigned_to=maybe(words("Whose it is, by user name.")),
        ),
        example={
            "case_id": 5,
            "campaign_id": 3,
            "opened_at": "2026-03-16T12:00:00Z",
            "due_at": "2026-03-17T12:00:00Z",
            "assigned_to": "max",
        },
        object_type="case",
        object_key="case_id",
        is_confirmed=False,
    ),
    FactKind(
        name="trip.opened",
        label=_("A stop rule fired"),
        schema=record("trip_id", "scope", "metric", "figure", "action", **TRIP),
        example=_TRIP,
        object_type="trip",
        object_key="trip_id",
    ),
    FactKind(
        name="trip.closed",
        label=_("What a stop rule halted goes on"),
        schema=record("trip_id", "scope", "metric", "figure", "action", **TRIP, by=BY),
        example={**_TRIP, "by": "max"},
        object_type="trip",
        object_key="trip_id",
    ),
    FactKind(
        name="campaign.stopped",
        label=_("A stop rule stopped a campaign"),
        schema=record(
            "campaign_id",
            campaign_id=CAMPAIGN_ID,
            trip_id=TRIP["trip_id"],
            figure=TRIP["figure"],
            threshold=TRIP["threshold"],
        ),
        example={"campaign_id": 3, "trip_id": 8, "figure": 101, "threshold": 100},
        object_type="campaign",
        object_key="campaign_id",
    ),
    FactKind(
        name="campaign.resumed",
        label=_("A campaign that was stopped goes on"),
        schema=record("campaign_id", campaign_id=CAMPAIGN_ID, trip_id=TRIP["trip_id"]),
        example={"campaign_id": 3, "trip_id": 8},
        object_type="campaign",
        object_key="campaign_id",
    ),
    FactKind(
        name="member.banned",
        label=_("A member was banned"),
        schema=record("by", **BAN),
        example={"takes": "pending", "cancelled": [14], "flagged": [], "kept": [], "note": "Fake orders", "by": "max"},
        object_type="member",
    ),
    FactKind(
        name="member.unbanned",
        label=_("A ban was lifted"),
        schema=record("by", **BAN),
        example={"note": "A mistake", "by": "max"},
        object_type="member",
    ),
    FactKind(
        name="member.merged",
        label=_("Two members turned out to be one person"),
        schema=record(
            "into_id",
            "away_id",
            into_id=number("Of the member who stays."),
            away_id=number("Of the member who went into that one: nobody goes by this number any more."),
        ),
        example={"into_id": 7, "away_id": 12},
        object_type="member",
    ),
    FactKind(
        name="member.erased",
        label=_("A member was erased"),
        schema=record("member_id", member_id=number("Of the member: all that is left to name them by.")),
        example={"member_id": 6},
        object_type="member",
        object_key="member_id",
    ),
    _of_limit("nearly_used", _("A budget or limit is nearly used up")),
    _of_limit("used_up", _("A budget or limit is used up")),
)

"""The first page of a tenant's back office: the dashboard's figures, put into cards and a chart."""

import json
from datetime import datetime
from typing import Any

from babel import Locale
from babel.dates import format_skeleton
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import get_language, gettext

from analytics import dashboard
from analytics.dashboard import Dashboard, Day
from antifraud.limits import filling, usewords
from antifraud.models import Trip
from antifraud.stops import measures
from core.backoffice import may, page_of, post_button
from core.db import transaction
from tenants import context as tenants
from tenants import key_uses
from tenants.clock import now  # noqa: TID251 (an edge: Unfold calls it as its view)
from tenants.models import ApiKey

POINTS_AXIS, EVENTS_AXIS = "y", "events"
# A sandbox is asked with the keys that lead to it.
KEY_STARTS = {"live": "sk_live_", "sandbox": "sk_test_"}


def context(request: HttpRequest, page: dict[str, Any]) -> dict[str, Any]:
    """Add to the page what its template shows. Unfold calls it (DASHBOARD_CALLBACK)."""
    at = now()
    shown = dashboard.figures(zone=tenants.zone(), at=at)
    return {
        **page,
        "dashboard": shown,
        "is_new": not (shown.has_campaign and shown.has_event and shown.has_reward),
        "address": request.build_absolute_uri("/api/v1/events"),
        "key_start": KEY_STARTS[tenants.current().environment],
        "chart": json.dumps(_chart(shown)),
        "chart_options": json.dumps(_chart_options()),
        "trips": [
            (trip, headline, measures.in_words(trip), measures.AFTER[trip.action], _resume_button(request, trip))
            for trip, headline in zip(shown.trips, measures.headlines(shown.trips), strict=True)
        ],
        "alarms": _alarms(at),
        "keys_still_used": _keys_still_used(request),
        "notices": [notice for verb in settings.FRONT_PAGE_NOTICES for notice in import_string(verb)(request)],
        "may_edit_campaigns": may("campaigns.add_campaign")(request),
    }


def _alarms(at: datetime) -> list[usewords.Alarm]:
    """Return what is nearly used up, or used up, of budgets and of limits for all together."""
    zone = tenants.zone()
    with transaction():
        found = filling.alarming(zone=zone, at=at)
    return usewords.alarms_of(found)


def _keys_still_used(request: HttpRequest) -> list[tuple[ApiKey, str]]:
    """Return the keys that were replaced and are still sent, each with its page, for those who look after keys."""
    if not may("staff.manage_keys")(request):
        return []
    # Keys live in real time, also in a sandbox whose clock was advanced.
    found = key_uses.list_alarms(tenant=tenants.current(), at=timezone.now())  # noqa: TID251 (an edge)
    return [(key, page_of(key)) for key in found]


def _resume_button(request: HttpRequest, trip: Trip) -> str:
    if not may("antifraud.change_stoprule")(request):
        return ""
    path = reverse("admin:antifraud_trip_resume", args=[trip.pk])
    return post_button(str(measures.GO_ON[trip.action]), path, tone="primary", icon="play_arrow")


def _chart(shown: Dashboard) -> dict[str, Any]:
    past = shown.days[:-1]
    return {
        "labels": [*(_label(day) for day in past), gettext("today so far")],
        "datasets": [
            {
                "type": "line",
                "label": gettext("Events"),
                "data": [day.events for day in shown.days],
                "yAxisID": EVENTS_AXIS,
                "borderColor": "#f59e0b",
                "backgroundColor": "#f59e0b",
                "borderWidth": 2,
                "pointRadius": 0,
                "pointHitRadius": 12,
                "tension": 0.3,
            },
            {
                "type": "bar",
                "label": gettext("Points granted"),
                "data": [day.points for day in shown.days],
                "yAxisID": POINTS_AXIS,
                # The day that is not over stands paler.
                "backgroundColor": ["var(--color-primary-500)"] * len(past) + ["var(--color-primary-300)"],
                "borderRadius": 4,
                "maxBarThickness": 22,
            },
        ],
    }


def _label(day: Day) -> str:
    # Oct 24, 24 окт., 10月24日: Django has no such format.
    return format_skeleton("MMMd", day.date, locale=Locale.parse(get_language() or "en", sep="-"))


def _chart_options() -> dict[str, Any]:
    # Unfold's own hide the axis and the legend.
    grey = "#8b93a1"
    axis = {"beginAtZero": True, "border": {"display": False}}
    ticks = {"color": grey, "precision": 0, "maxTicksLimit": 6}
    return {
        "locale": get_language(),
        "responsive": True,
        "maintainAspectRatio": False,
        "animation": False,
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {
            "legend": {"display": True, "align": "end", "labels": {"color": grey, "boxWidth": 10, "boxHeight": 10}},
            "tooltip": {"enabled": True},
        },
        "scales": {
            "x": {
                "grid": {"display": False},
                "border": {"display": False},
                "ticks": {"color": grey, "maxRotation": 0, "autoSkipPadding": 16},
            },
            POINTS_AXIS: {**axis, "grid": {"tickWidth": 0}, "ticks": ticks},
            EVENTS_AXIS: {**axis, "position": "right", "grid": {"display": False}, "ticks": ticks},
        },
    }

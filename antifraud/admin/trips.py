"""What stop rules have halted, what that has saved, and one click to go on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from antifraud.models import StopRule, Trip
from antifraud.stops import charts, measures, resuming, savings
from core.backoffice import VIEWS_TEMPLATE, StoryAdmin, ViewFilter, may, page_of, path_to, post_button
from core.templatetags.backoffice import age
from tenants.clock import now

RESUME = "antifraud.change_stoprule"
SPARK = """<svg viewBox="-2 -2 100 28" width="100" height="28" aria-hidden="true"
 style="fill: none; stroke: currentColor; stroke-width: 1.5"><path d="{}"/></svg>"""


class TripView(ViewFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("In force")), ("closed", _("Over")), ("all", _("All"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Trip]) -> QuerySet[Trip]:
        match self.value():
            case "open":
                return queryset.filter(resumed_at=None)
            case "closed":
                return queryset.filter(resumed_at__isnull=False)
        return queryset


@admin.register(Trip)
class TripAdmin(StoryAdmin):
    """What stop rules have halted, and one click to go on."""

    list_display = ["about", "figures", "way", "did", "tripped", "state"]
    list_display_links = ["about"]
    list_filter = [TripView, "campaign", "metric", "action"]
    list_select_related = ["campaign", "resumed_by"]
    list_before_template = VIEWS_TEMPLATE
    ordering = ["-pk"]
    story_template = "admin/antifraud/trip/story.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("<int:pk>/resume/", self.resume, name="resume", permission=RESUME),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [*self.list_display, "go_on"] if may(RESUME)(request) else self.list_display

    def name_of(self, row: Trip) -> str:
        return measures.subject(row)

    def dress(self, rows: Sequence[Any]) -> None:
        for row, name in zip(rows, measures.subjects(rows), strict=True):
            row.about_name = name

    # Columns

    @admin.display(description=_("of"))
    def about(self, trip: Any) -> SafeString:
        return format_html('<span class="wraps">{}</span>', trip.about_name)

    @admin.display(description=_("what happened"))
    def figures(self, trip: Trip) -> SafeString:
        return format_html('<span class="wraps">{}</span>', measures.in_words(trip))

    @admin.display(description=_("the way there"))
    def way(self, trip: Trip) -> SafeString | str:
        found = charts.spark(trip.chart)
        return format_html(SPARK, found) if found else ""

    @admin.display(description=_("then"))
    def did(self, trip: Trip) -> str:
        return str(measures.DID[trip.action])

    @admin.display(description=_("when"), ordering="tripped_at")
    def tripped(self, trip: Trip) -> SafeString:
        told = date_format(timezone.localtime(trip.tripped_at), "DATETIME_FORMAT")
        return format_html('<span class="nowrap" title="{}">{}</span>', told, age(trip.tripped_at))

    @admin.display(description=_("state"))
    def state(self, trip: Trip) -> SafeString:
        if trip.resumed_at is None:
            return format_html('<span class="mark mark-bad">{}</span>', gettext("In force"))
        return format_html(
            '<span class="mark mark-good">{}</span> <span class="soft">{}, {}</span>',
            gettext("Resumed"),
            trip.resumed_by or gettext("by itself"),
            date_format(timezone.localtime(trip.resumed_at), "SHORT_DATETIME_FORMAT"),
        )

    @admin.display(description="")
    def go_on(self, trip: Trip) -> SafeString | str:
        if trip.resumed_at is not None:
            return ""
        icon = "done" if trip.action == StopRule.Action.NOTIFY else "play_arrow"
        label = str(measures.GO_ON[trip.action])
        return post_button(label, self.post_path("resume", trip.pk), tone="primary", icon=icon)

    # One click

    def resume(self, request: HttpRequest, pk: int) -> str:
        trip = Trip.objects.filter(pk=pk).select_related("campaign").first()
        if trip is None:
            raise Http404
        resuming.resume(trip=trip, by=request.user, at=now())  # type: ignore[arg-type]
        if trip.action == StopRule.Action.NOTIFY:
            return gettext("Noted. You are told again when it happens again.")
        return gettext("“%(name)s” goes on. What was flagged meanwhile waits in the moderation queue.") % {
            "name": measures.subject(trip)
        }

    # The page of a trip

    def story(self, request: HttpRequest, row: Trip) -> dict[str, Any]:
        saved = savings.of_trip(row)
        return {
            "trip": row,
            "happened": measures.in_words(row),
            "did": measures.DID[row.action],
            "rule": measures.sentence(row.stop_rule),
            "rule_url": page_of(row.stop_rule) if may("antifraud.view_stoprule")(request) else "",
            "subject_url": _subject_url(row),
            "windows": _windows(row),
            "spark": charts.spark(row.chart, width=charts.WIDTH, height=charts.HEIGHT),
            "saved": [
                _saved("block", _("Refused by moderators"), saved.refused),
                _saved("hourglass_top", _("Still waiting"), saved.waiting),
                _saved("check", _("Given after all"), saved.given),
            ],
            "button": self.go_on(row) if may(RESUME)(request) else "",
        }


def _saved(icon: str, title: str | Promise, sum_: savings.Saved) -> tuple[str, str | Promise, str, int]:
    return icon, title, measures.written(metric="cost", number=sum_.cost_minor), sum_.rewards


def _windows(trip: Trip) -> list[tuple[datetime, str]]:
    return [
        (datetime.fromisoformat(instant), measures.written(metric=trip.metric, number=figure))
        for instant, figure in trip.chart
    ]


def _subject_url(trip: Trip) -> str:
    if trip.campaign_id:
        return path_to("campaigns.campaign", trip.campaign_id)
    return path_to("members.member", int(trip.subject)) if trip.scope == "inviter" else ""

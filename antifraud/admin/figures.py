"""How moderation goes, as a page: how fast and how it is decided, by whom, and which signals are worth their weight."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext

from antifraud.judging import reasons
from antifraud.moderation import figures
from antifraud.moderation.figures import Decided, Figures
from antifraud.moderation.precision import Precision
from core import money
from core.backoffice import StoryAdmin, audit
from core.templatetags.backoffice import age, whole
from rewards import sheets
from tenants import context
from tenants.clock import now

VIEW = "antifraud.view_case"
DAYS_USUAL = 30


class FigurePages(StoryAdmin):
    """The page of the figures, beside the queue that they are of."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path("figures/", self.admin_site.admin_view(self.figures_view), name="antifraud_case_figures"),
            self.post_url("figures/export/", self.export_figures, name="export_figures", permission=VIEW),
            *super().get_urls(),
        ]

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        days = _days(request.GET.get("days"))
        found = figures.figures(days=days, zone=context.zone(), at=now())
        shown = {
            **self.admin_site.each_context(request),
            "title": gettext("How moderation goes"),
            "days": days,
            "periods": [{"days": each, "selected": each == days} for each in figures.PERIODS_DAYS],
            "since": found.since,
            "cards": _cards(found),
            "decided": [_decided(each) for each in (*found.moderators, found.together)] if found.moderators else [],
            "signals": [_signal(each) for each in found.signals],
            "export_url": self.post_path("export_figures"),
        }
        return TemplateResponse(request, "antifraud/figures.html", shown)

    def export_figures(self, request: HttpRequest) -> HttpResponse:
        """Give the page's figures as CSV, and note that it was done."""
        at, days = now(), _days(request.POST.get("days"))
        found = figures.figures(days=days, zone=context.zone(), at=at)
        audit(request, action="figures.exported", target="cases", changes={"days": days})
        text = sheets.sheet(header=figures.HEADER, rows=figures.rows_of(found))
        return sheets.download(text=text, name=f"moderation-{at:%Y-%m-%d}.csv")


def _days(asked: str | None) -> int:
    return next((each for each in figures.PERIODS_DAYS if str(each) == asked), DAYS_USUAL)


def _cards(found: Figures) -> list[tuple[str, str, str, str, bool]]:
    """Return for each card its icon, its title, its figure, a note, and whether it should catch the eye."""
    waiting, together = found.queue, found.together
    oldest = gettext("the oldest: %(age)s") % {"age": age(waiting.oldest_at)} if waiting.oldest_at else ""
    escalated = gettext("escalated: %(count)s") % {"count": whole(waiting.escalated)} if waiting.escalated else ""
    cost = money.format_money(waiting.cost_minor, context.current().currency, get_language() or "en")
    slow = gettext("nine of ten within %(span)s") % {"span": _span(together.slow)} if together.slow else ""
    decisions = gettext("decisions: %(count)s") % {"count": whole(together.decisions)}
    return [
        ("gavel", gettext("Waiting now"), whole(waiting.waiting), oldest, False),
        ("schedule", gettext("Overdue now"), whole(waiting.overdue), escalated, waiting.overdue > 0),
        ("savings", gettext("At stake now"), cost, gettext("what the waiting rewards cost"), False),
        ("timer", gettext("Time to decide"), _span(together.median), slow, False),
        ("check", gettext("Approved"), _percent(together.approved_share), decisions, False),
        ("undo", gettext("Overturned"), _percent(together.overturned_share), gettext("undone afterwards"), False),
    ]


def _decided(each: Decided) -> dict[str, Any]:
    return {
        "who": each.who or gettext("Everybody"),
        "is_all": not each.who,
        "decisions": each.decisions,
        "approved": _percent(each.approved_share),
        "overturned": _percent(each.overturned_share),
        "median": _span(each.median),
        "slow": _span(each.slow),
    }


def _signal(each: Precision) -> dict[str, Any]:
    low, high = each.interval
    return {
        "name": reasons.short(each.signal),
        "is_shadow": each.is_shadow,
        "is_few": each.is_few,
        "decided": each.decided,
        "rejected": each.rejected,
        "share": _percent(each.share),
        "low": _percent(low),
        "high": _percent(high),
        # For the drawing, in whole percent: where the interval begins, how long it is, where the share lies.
        "left": round(100 * low),
        "width": max(round(100 * high) - round(100 * low), 1),
        "point": round(100 * each.share),
    }


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{number_format(100 * share, 0)} %"


def _span(span: timedelta | None) -> str:
    """Return how long something took, in its two largest units."""
    if span is None:
        return "—"
    minutes = round(span.total_seconds() / 60)
    hours, days = minutes // 60, minutes // (24 * 60)
    if days:
        return gettext("%(days)s d %(hours)s h") % {"days": days, "hours": hours % 24}
    if hours:
        return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes % 60}
    return gettext("%(minutes)s min") % {"minutes": minutes}

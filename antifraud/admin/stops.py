"""When something is halted, and what a rule would have halted."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from antifraud.admin.stop_forms import StopRuleForm, initial_of
from antifraud.models import StopRule
from antifraud.stops import charts, lookback, measures
from core.backoffice import ModelAdmin, link
from core.errors import Failure
from tenants import context
from tenants.clock import now


@admin.register(StopRule)
class StopRuleAdmin(ModelAdmin):
    """When something is halted."""

    form = StopRuleForm
    list_display = ["told", "state"]
    list_display_links = ["told"]
    list_select_related = ["campaign"]
    list_before_template = "admin/antifraud/stoprule/list_head.html"
    ordering = ["-is_active", "pk"]
    fieldsets = [
        (None, {"fields": ["in_short"]}),
        (_("What is looked at"), {"fields": ["scope", "campaign", "metric", "window_minutes", "data_min"]}),
        (_("What is too much"), {"fields": ["comparison", "threshold", "weeks_min"]}),
        (_("What follows"), {"fields": ["action", "throttle_per_hour", "cooldown_minutes", "resume_minutes"]}),
        (None, {"fields": ["is_active"]}),
    ]
    readonly_fields = ["in_short"]
    conditional_fields = {
        "campaign": "scope == 'campaign'",
        "data_min": "['flagged_share', 'refund_share', 'device_members', 'ip_members', 'conversion', 'order_cost']"
        ".includes(metric)",
        "weeks_min": "comparison == 'anomaly'",
        "throttle_per_hour": "action == 'throttle'",
    }

    def get_urls(self) -> list[URLPattern]:
        history = self.admin_site.admin_view(self.history_of)
        return [path("tried/", history, name="antifraud_stoprule_tried"), *super().get_urls()]

    def name_of(self, row: StopRule) -> str:
        return measures.sentence(row)

    @admin.display(description=_("rule"))
    def told(self, rule: StopRule) -> SafeString:
        return format_html('<span class="wraps">{}</span>', measures.sentence(rule))

    @admin.display(description=_("in use"), ordering="is_active")
    def state(self, rule: StopRule) -> SafeString:
        tone, label = ("mark-good", gettext("In use")) if rule.is_active else ("", gettext("Not in use"))
        return format_html('<span class="mark {}">{}</span>', tone, label)

    @admin.display(description=_("in short"))
    def in_short(self, rule: StopRule) -> SafeString | str:
        tried = reverse("admin:antifraud_stoprule_tried")
        if not rule.pk:
            return link(gettext("Try one on what has happened first"), tried)
        sentence = measures.sentence(rule)
        return format_html("{} {}", sentence, link(gettext("Try it on what has happened"), f"{tried}?rule={rule.pk}"))

    def history_of(self, request: HttpRequest) -> HttpResponse:
        """Show what a rule would have done in the last months. Nothing is changed by looking."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        at = now()
        saved = StopRule.objects.filter(pk=_number(request.GET.get("rule"))).select_related("campaign").first()
        is_asked = "metric" in request.GET
        form = (
            StopRuleForm(request.GET)
            if is_asked
            else StopRuleForm(initial=initial_of(saved or StopRule(threshold=100)))
        )
        for field in form.fields.values():
            field.widget.attrs["class"] = "field"
        context_ = {**self.admin_site.each_context(request), "opts": self.opts, "form": form, "days": lookback.DAYS}
        context_["title"] = gettext("A stop rule on what has happened")
        rule = form.instance if is_asked and form.is_valid() else None if is_asked else saved
        if rule:
            context_ |= self._tried(request, rule, at=at)
        return TemplateResponse(request, "admin/antifraud/stoprule/tried.html", context_)

    def _tried(self, request: HttpRequest, rule: StopRule, *, at: datetime) -> dict[str, Any]:
        shown: dict[str, Any] = {"rule": rule, "sentence": measures.sentence(rule)}
        if self.has_add_permission(request) and not rule.pk:
            asked = request.GET.urlencode()
            shown["keep_url"] = f"{reverse('admin:antifraud_stoprule_add')}?{asked}"
        try:
            looked = lookback.of_rule(rule, zone=context.zone(), at=at)
        except Failure as failure:
            return shown | {"failure": str(failure)}
        return shown | {
            "since": looked.since,
            "until": looked.until,
            "replays": [_drawn(rule, each, looked) for each in looked.replays],
            "trips": sum(len(each.replay.trips) for each in looked.replays),
        }


def _drawn(rule: StopRule, seen: lookback.Seen, looked: lookback.Lookback) -> dict[str, Any]:
    chart = charts.of_steps(seen.replay.steps, since=looked.since, until=looked.until)
    return {
        "name": seen.name,
        "chart": chart,
        "top": measures.written(metric=rule.metric, number=chart.top),
        "trips": [
            (mark, measures.measured(metric=rule.metric, number=mark.figure, window_minutes=rule.window_minutes))
            for mark in chart.marks
        ],
    }


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else 0

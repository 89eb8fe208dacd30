"""Limits over all campaigns, and how much of limits and budgets is used."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from antifraud.limits import filling, overall, usewords
from campaigns import summary, versions
from campaigns.limit_forms import LimitForm
from campaigns.models import Campaign, Limit
from core.backoffice import ModelAdmin, page_of
from core.db import transaction
from members import people
from tenants import context
from tenants.clock import now

VIEW = "campaigns.view_limit"


class EverywhereForm(LimitForm):
    """A limit over all campaigns: nobody else has one of the same kind, nor saves one in the same moment."""

    def clean(self) -> dict[str, Any]:
        told = super().clean()
        # Held until it is saved: the admin checks and saves in one transaction.
        people.lock(context.current().schema_name)
        same = Limit.objects.filter(
            campaign=None, per=told.get("per"), period=told.get("period"), days=told.get("days")
        ).exclude(pk=self.instance.pk)
        if not self.errors and same.exists():
            raise ValidationError(gettext("There is such a limit already: change that one."))
        return told


@admin.register(Limit)
class LimitAdmin(ModelAdmin):
    """What all campaigns together may give. A campaign's own limits are on its page."""

    form = EverywhereForm
    fields = ("per", "period", "days", "max_count", "max_points", "max_cost_minor", "when_short")
    list_display = ("in_words", "used")
    list_display_links = ("in_words",)
    list_before_template = "antifraud/limits_head.html"
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(campaign=None)

    def name_of(self, row: Limit) -> str:
        return summary.sentence_of_limit(versions.limit_line_of(row))

    def dress(self, rows: Sequence[Any]) -> None:
        with transaction():
            uses = filling.of_everybody(zone=context.zone(), at=now())
        found = {use.limit.id: use for use in uses if use.limit}
        for row in rows:
            row.use = found.get(row.pk)

    @admin.display(description=_("limit"))
    def in_words(self, limit: Limit) -> str:
        return summary.sentence_of_limit(versions.limit_line_of(limit))

    @admin.display(description=_("used now"))
    def used(self, limit: Any) -> SafeString | str:
        if limit.use is None or not limit.use.shares:
            return gettext("each by itself")
        share = max(limit.use.shares, key=lambda each: each.percent)
        return format_html(
            '<span class="nowrap num">{}</span><progress class="spent" max="{}" value="{}"></progress>',
            usewords.of_share(share),
            share.maximum,
            min(share.used, share.maximum),
        )

    def save_model(self, request: HttpRequest, obj: Limit, form: Any, change: bool) -> None:  # noqa: FBT001
        obj.campaign = None
        overall.save(limit=obj)

    def delete_model(self, request: HttpRequest, obj: Limit) -> None:
        overall.delete(limit=obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        with transaction():
            for each in queryset:
                overall.delete(limit=each)

    # The pages that show use

    def get_urls(self) -> list[URLPattern]:
        seen = self.admin_site.admin_view
        return [
            path("use/", seen(self.use_view), name="campaigns_limit_use_everywhere"),
            path("use/<int:campaign_id>/", seen(self.use_of_campaign_view), name="campaigns_limit_use"),
            *super().get_urls(),
        ]

    def use_view(self, request: HttpRequest) -> HttpResponse:
        at = now()
        with transaction():
            uses = filling.of_everybody(zone=context.zone(), at=at)
            told = [usewords.of_use(use, zone=context.zone(), at=at) for use in uses]
        return self._use_page(request, gettext("Limits over all campaigns"), told)

    def use_of_campaign_view(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        campaign = get_object_or_404(Campaign, pk=campaign_id)
        at = now()
        with transaction():
            uses = filling.of_campaign(offer=versions.offer_of(campaign=campaign), zone=context.zone(), at=at)
            told = [usewords.of_use(use, zone=context.zone(), at=at) for use in uses]
        title = gettext("Limits and budgets of “%(name)s”") % {"name": campaign.name}
        return self._use_page(request, title, told, back_url=page_of(campaign))

    def _use_page(
        self, request: HttpRequest, title: str, uses: Sequence[usewords.Told], back_url: str = ""
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media}
        shown = {"title": title, "uses": uses, "back_url": back_url, "zone": context.current().time_zone}
        return TemplateResponse(request, "antifraud/limits_used.html", {**frame, **shown})

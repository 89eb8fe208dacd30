"""The back office of campaigns: a marketer's own page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import catalogue, changes, forms, giving, lifecycle, lint, programmes, summary, versions, wording
from campaigns.inlines import LimitInline, RuleInline, TierInline
from campaigns.lifecycle import Status
from campaigns.models import Campaign, CampaignVersion, Limit
from core import db
from core.backoffice import ModelAdmin, Tone, audit, page_of, post_button
from core.errors import Conflict
from members import people
from tenants import context
from tenants.clock import now

VERSIONS_SHOWN = 20
# The conflicts that a second look at the form resolves, and what is then said above it.
MEANWHILE = _("Somebody changed this campaign at the same moment. Look at it, and save once more.")
TONES = {
    Status.DRAFT: "",
    Status.ACTIVE: "mark-good",
    Status.PAUSED: "mark-warn",
    Status.STOPPED: "mark-bad",
    Status.ENDED: "",
}

type_of_verb = Callable[..., CampaignVersion | None]


class Overtaken(Conflict):
    """Somebody has published another version since the form was opened."""


@admin.register(Campaign)
class CampaignAdmin(ModelAdmin):
    """What is saved of an active campaign is in force at once; what it gave before stays as it was."""

    form = forms.CampaignForm
    fieldsets = (
        (_("Name and goal"), {"fields": ("name", "goal")}),
        (
            _("Dates, budget, landing page"),
            {
                "fields": (
                    "starts_at",
                    "ends_at",
                    "budget_points",
                    "budget_minor",
                    "when_short",
                    "refund_policy",
                    "landing_url",
                )
            },
        ),
        (_("Several campaigns together"), {"fields": ("priority", "exclusive_group"), "classes": ("collapse",)}),
    )
    change_form_template = "campaigns/campaign_form.html"
    list_before_template = "campaigns/no_campaigns.html"
    list_display = ("named", "state", "runs", "given", "in_words")
    list_filter = ("status", "goal")
    search_fields = ("name",)
    ordering = ("-id",)
    warn_unsaved_form = True

    # Who may do what

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and (obj is None or not _is_closed(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_draft = obj is None or (obj.status == Status.DRAFT and not obj.is_builtin)
        return bool(super().has_delete_permission(request, obj)) and is_draft

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        # To those who may only look, the sentences above the form tell more than greyed-out fields.
        may_edit = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return [RuleInline, TierInline, LimitInline] if may_edit else []

    # The list

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("rules", "tiers", "limits")

    def dress(self, rows: Sequence[Any]) -> None:
        given = import_string(settings.CAMPAIGN_SPENDING)(campaign_ids=[row.pk for row in rows])
        with giving.at_hand():
            for row in rows:
                row.given_points = given.get(row.pk, 0)
                row.told = summary.sentences(row)[0]

    @admin.display(description=_("campaign"), ordering="name")
    def named(self, campaign: Campaign) -> SafeString:
        return format_html(
            '<span class="strong">{}</span><br><span class="soft">{}</span>', campaign.name, campaign.get_goal_display()
        )

    @admin.display(description=_("status"), ordering="status")
    def state(self, campaign: Campaign) -> SafeString:
        return mark_of(campaign)

    @admin.display(description=_("dates"), ordering="starts_at")
    def runs(self, campaign: Campaign) -> str:
        dates = {"start": _day(campaign.starts_at), "end": _day(campaign.ends_at)}
        if campaign.starts_at and campaign.ends_at:
            return gettext("%(start)s – %(end)s") % dates
        if campaign.ends_at:
            return gettext("until %(end)s") % dates
        return gettext("from %(start)s") % dates if campaign.starts_at else "—"

    @admin.display(description=_("given"))
    def given(self, campaign: Any) -> SafeString:
        given, budget = campaign.given_points, campaign.budget_points
        if budget is None:
            return format_html('<span class="nowrap num">{}</span>', wording.points(given))
        return format_html(
            '<span class="nowrap num">{}</span><progress class="spent" max="{}" value="{}"></progress>',
            gettext("%(given)s of %(budget)s") % {"given": wording.whole(given), "budget": wording.points(budget)},
            budget,
            min(given, budget),
        )

    @admin.display(description=_("in words"))
    def in_words(self, campaign: Any) -> SafeString:
        return format_html('<span class="in-words">{}</span>', campaign.told)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        is_first = not Campaign.objects.filter(is_builtin=False).exists()
        told = {"is_first": is_first, "start_url": self.post_path("start_programme")}
        return super().changelist_view(request, {**(extra_context or {}), **told})  # type: ignore[no-any-return]

    # The form

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        form = super().get_form(request, obj, change, **kwargs)
        form.refusals = getattr(request, "refusals", ())
        return form

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        told: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if obj.pk is None and isinstance(inline, LimitInline):
            told["initial"] = [{"per": Limit.Per.MEMBER, "period": Limit.Period.MONTH, "max_count": 10}]
        if isinstance(inline, TierInline):
            told["form_kwargs"] = {"asked": _asked_by_ladder(request, obj)}
        return told

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        with giving.at_hand():
            told = {**(extra_context or {}), "catalogue": catalogue.told()}
            page = self._form_page(request, object_id, form_url, told)
            # Its rows are made while it is rendered, and each asks for what there is to give.
            return page.render() if isinstance(page, TemplateResponse) else page

    def _form_page(
        self, request: HttpRequest, object_id: str | None, form_url: str, told: Mapping[str, Any]
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, told)  # type: ignore[no-any-return]
        except lifecycle.NotReady as failure:
            request.refusals = tuple(str(error["detail"]) for error in failure.errors)  # type: ignore[attr-defined]
        except Overtaken as failure:
            request.refusals = (str(failure),)  # type: ignore[attr-defined]
        except (IntegrityError, ProtectedError):
            request.refusals = (str(MEANWHILE),)  # type: ignore[attr-defined]
        # Nothing was saved. The form is shown again as it was filled in, with what it was refused for.
        return super().changeform_view(request, object_id, form_url, told)  # type: ignore[no-any-return]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if campaign := context.get("original"):
            context |= self._told_of(request, campaign)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:  # noqa: FBT001
        # No batch is scored between the clock's reading and the commit: each event finds the version of its moment.
        people.lock(context.current().schema_name)
        last = versions.find_last(campaign=obj) if change else None
        if last and last.number != form.cleaned_data["seen"]:
            raise Overtaken(
                gettext(
                    "%(author)s has changed this campaign while you were editing it. Save once more to overwrite that."
                )
                % {"author": last.author or gettext("Sarafan")}
            )
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        super().save_related(request, form, formsets, change)
        author, at = request.user.get_username(), now()
        # Its rules, limits and steps may have been read before they were saved.
        campaign = form.instance = Campaign.objects.get(pk=form.instance.pk)
        if "_activate" in request.POST:
            request.published = lifecycle.activate(campaign=campaign, author=author, at=at)  # type: ignore[attr-defined]
        elif campaign.status != Status.DRAFT:
            lifecycle.require_sound(campaign=campaign, at=at)
            request.published = lifecycle.publish(campaign=campaign, author=author, at=at)  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Campaign, post_url_continue: str | None = None) -> HttpResponse:
        return self._saved(request, obj)

    def response_change(self, request: HttpRequest, obj: Campaign) -> HttpResponse:
        return self._saved(request, obj)

    def _saved(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        version = getattr(request, "published", None)
        told = {"name": campaign.name, "number": version and version.number}
        if "_activate" in request.POST:
            said = gettext("“%(name)s” is active: it rewards what happens from its start on.")
        elif campaign.status == Status.DRAFT:
            said = gettext("“%(name)s” is saved as a draft. Nobody gets anything until you activate it.")
        elif version:
            said = gettext("Version %(number)s of “%(name)s” is in force: it counts for what happens from now on.")
        else:
            said = gettext("“%(name)s” is saved. What it offers has not changed.")
        messages.success(request, said % told)
        return HttpResponseRedirect(page_of(campaign))

    # Above the form

    def _told_of(self, request: HttpRequest, campaign: Campaign) -> Mapping[str, Any]:
        stored = list(versions.list_versions(campaign=campaign)[: VERSIONS_SHOWN + 1])
        is_over = _is_closed(campaign)
        return {
            "mark": mark_of(campaign),
            "sentences": summary.sentences(campaign),
            "remarks": [] if is_over else lint.problems(campaign=campaign, at=now()),
            "buttons": self._buttons(campaign) if self.has_change_permission(request, campaign) else "",
            "use_url": _use_url(campaign),
            "stops_url": _stops_url() if campaign.status == Status.STOPPED else None,
            "changes": changes.changes_of(stored)[:VERSIONS_SHOWN],
        }

    def _buttons(self, campaign: Campaign) -> SafeString:
        offered: dict[str, list[tuple[str | Promise, str, Tone, str]]] = {
            Status.DRAFT: [(_("Activate"), "activate", "good", "play_arrow")],
            Status.ACTIVE: [(_("Pause"), "pause", "plain", "pause"), (_("End…"), "end", "danger", "stop")],
            Status.PAUSED: [(_("Resume"), "resume", "good", "play_arrow"), (_("End…"), "end", "danger", "stop")],
            Status.STOPPED: [(_("End…"), "end", "danger", "stop")],
        }
        return format_html_join(
            "",
            "{}",
            (
                (post_button(label, self.post_path(name, campaign.pk), tone=tone, icon=icon),)
                for label, name, tone, icon in offered.get(campaign.status, [])
            ),
        )

    # Buttons

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url(
                "start-programme/", self.start_programme, name="start_programme", permission="campaigns.add_campaign"
            ),
            self.post_url("<int:pk>/activate/", self.activate, name="activate"),
            self.post_url("<int:pk>/pause/", self.pause, name="pause"),
            self.post_url("<int:pk>/resume/", self.resume, name="resume"),
            self.post_url("<int:pk>/end/", self.end, name="end"),
            *super().get_urls(),
        ]

    def start_programme(self, request: HttpRequest) -> HttpResponse:
        with db.transaction():
            people.lock(context.current().schema_name)
            campaign = programmes.start(author=request.user.get_username(), at=now())
            audit(request, action="campaign.start_programme", target=f"campaign:{campaign.pk} {campaign.name}")
        messages.success(request, gettext("“%(name)s” is active. Change what you like.") % {"name": campaign.name})
        return HttpResponseRedirect(page_of(campaign))

    def activate(self, request: HttpRequest, pk: int) -> str | HttpResponse:
        try:
            return self._act(request, pk, lifecycle.activate, _("“%(name)s” is active: it rewards from its start on."))
        except lifecycle.NotReady as failure:
            for error in failure.errors:
                messages.error(request, str(error["detail"]))
            raise

    def pause(self, request: HttpRequest, pk: int) -> str:
        return self._act(request, pk, lifecycle.pause, _("“%(name)s” is paused: it rewards nothing that happens now."))

    def resume(self, request: HttpRequest, pk: int) -> str:
        lifecycle.require_no_trip(campaign=get_object_or_404(Campaign, pk=pk))
        return self._act(request, pk, lifecycle.resume, _("“%(name)s” goes on: it rewards what happens from now on."))

    def end(self, request: HttpRequest, pk: int) -> str | HttpResponse:
        campaign = get_object_or_404(Campaign, pk=pk)
        if "sure" not in request.POST:
            told = {
                **self.admin_site.each_context(request),
                "title": gettext("End “%(name)s”?") % {"name": campaign.name},
                "campaign": campaign,
                "back_url": page_of(campaign),
                "end_url": self.post_path("end", pk),
                "opts": self.opts,
            }
            return TemplateResponse(request, "campaigns/end_campaign.html", told)
        messages.success(request, self._act(request, pk, lifecycle.end, _("“%(name)s” has ended.")))
        return HttpResponseRedirect(page_of(campaign))

    def _act(self, request: HttpRequest, pk: int, verb: type_of_verb, said: str | Promise) -> str:
        campaign = get_object_or_404(Campaign, pk=pk)
        with db.transaction():
            people.lock(context.current().schema_name)
            version = verb(campaign=campaign, author=request.user.get_username(), at=now())
            audit(
                request,
                action=f"campaign.{verb.__name__}",
                target=f"campaign:{campaign.pk} {campaign.name}",
                changes={"version": version.number} if version else {},
            )
        return str(said % {"name": campaign.name})


def mark_of(campaign: Campaign) -> SafeString:
    """Return a campaign's status as a coloured mark."""
    if campaign.is_builtin:
        return format_html('<span class="mark">{}</span>', gettext("Built in"))
    return format_html('<span class="mark {}">{}</span>', TONES[Status(campaign.status)], campaign.get_status_display())


def _is_closed(campaign: Campaign) -> bool:
    return campaign.is_builtin or campaign.status == Status.ENDED


def _asked_by_ladder(request: HttpRequest, campaign: Campaign) -> giving.Ask | None:
    """Return how the ladder's amounts are asked for: by the first rule that pays by it, or did when they were shown."""
    sent = request.POST
    chosen = [giving.split(sent.get(f"rules-{n}-gives", "")) for n in range(RuleInline.max_num) if _climbs(sent, n)]
    rules = campaign.rules.all() if campaign.pk else ()
    chosen += [(rule.reward_kind, rule.reward_what) for rule in rules if rule.amount_kind == "tiers"]
    return giving.ask(kind=chosen[0][0], what=chosen[0][1]) if chosen else None


def _climbs(sent: Mapping[str, Any], number: int) -> bool:
    return sent.get(f"rules-{number}-amount_kind") == "tiers" and not sent.get(f"rules-{number}-DELETE")


def _day(instant: Any) -> str:
    return date_format(timezone.localtime(instant), "DATE_FORMAT") if instant else ""


def _use_url(campaign: Campaign) -> str | None:
    # As with stop rules: what is used of limits is known on a higher floor.
    try:
        return None if campaign.is_builtin else reverse("admin:campaigns_limit_use", args=[campaign.pk])
    except NoReverseMatch:
        return None


def _stops_url() -> str | None:
    # Stop rules belong to a higher floor: where there is none, there is no page of it.
    try:
        return reverse("admin:antifraud_trip_changelist")
    except NoReverseMatch:
        return None

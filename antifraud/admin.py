"""The back office of antifraud: the moderation queue, stop rules and what they stopped, the policy."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from antifraud import measures, moderation, queue, reasons, stops
from antifraud.models import Case, Decision, FraudPolicy, StopRule, Trip
from core.backoffice import (
    VIEWS_TEMPLATE,
    AppendOnlyAdmin,
    ModelAdmin,
    SingletonAdmin,
    StoryAdmin,
    ViewFilter,
    may,
    post_button,
)
from core.errors import Failure
from core.templatetags.backoffice import age
from rewards import portraits

DECIDE = "antifraud.decide_case"
RESUME = "antifraud.change_stoprule"
BULK_MAX = 200
TIMELINE_LINES = 8

Verb = Callable[..., Decision]


class CaseView(ViewFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("Waiting")), ("decided", _("Decided")), ("all", _("All"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        match self.value():
            case "waiting":
                return queryset.filter(status=Case.Status.OPEN)
            case "decided":
                return queryset.exclude(status=Case.Status.OPEN)
        return queryset


class ReasonFilter(admin.SimpleListFilter):
    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*reasons.SHORT.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        if not self.value():
            return queryset
        return queryset.filter(case_rewards__reward__reasons__contains=[{"signal": self.value()}]).distinct()


@admin.register(Case)
class CaseAdmin(StoryAdmin):
    """The queue: one line a case, and one click decides it."""

    list_display = ["who", "what", "points", "why", "state"]
    list_display_links = ["who"]
    list_filter = [CaseView, "campaign", ReasonFilter]
    list_select_related = ["campaign", "decided_by"]
    list_per_page = 50
    list_before_template = VIEWS_TEMPLATE
    story_template = "admin/antifraud/case/story.html"
    actions = ["approve_selected", "reject_selected"]

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("<int:pk>/approve/", self.approve, name="approve", permission=DECIDE),
            self.post_url("<int:pk>/reject/", self.reject, name="reject", permission=DECIDE),
            self.post_url("<int:pk>/undo/", self.undo, name="undo", permission=DECIDE),
            *super().get_urls(),
        ]

    def get_ordering(self, request: HttpRequest) -> list[str]:
        # What has waited longest comes first; of what is decided, the latest.
        is_queue = request.GET.get("show", "waiting") == "waiting"
        return ["opened_at", "pk"] if is_queue else ["-decided_at", "-pk"]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [*self.list_display, "decide"] if self.has_decide_permission(request) else self.list_display

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return may(DECIDE)(request)

    def dress(self, rows: Sequence[Case]) -> None:
        shown = queue.shown_of(rows, at=timezone.now())
        for row in rows:
            row.shown = shown[row.pk]  # type: ignore[attr-defined]

    # Columns

    @admin.display(description=_("who"))
    def who(self, case: Any) -> SafeString:
        lines = ((person.name, person.side_label.lower()) for person in case.shown.people)
        return format_html(
            '<span class="lines">{}</span>',
            format_html_join("", '<span>{} <span class="soft font-normal">{}</span></span>', lines),
        )

    @admin.display(description=_("campaign"), ordering="campaign__name")
    def what(self, case: Case) -> SafeString:
        return format_html('<span class="wraps">{}</span>', case.campaign)

    @admin.display(description=_("points"))
    def points(self, case: Any) -> SafeString:
        return format_html('<span class="num strong">{}</span>', case.shown.points)

    @admin.display(description=_("why"))
    def why(self, case: Any) -> SafeString:
        lines = format_html_join("", "<li>{}</li>", ((sentence,) for sentence in case.shown.reasons))
        return format_html('<ul class="lines" style="min-width: 11rem; white-space: normal">{}</ul>', lines)

    @admin.display(description=_("waiting"), ordering="opened_at")
    def state(self, case: Any) -> SafeString:
        if case.status == Case.Status.OPEN:
            mark = format_html(' <span class="mark mark-bad">{}</span>', gettext("Overdue"))
            return format_html(
                '<span class="nowrap" title="{}">{}</span>{}',
                date_format(timezone.localtime(case.opened_at), "DATETIME_FORMAT"),
                age(case.opened_at),
                mark if case.shown.is_overdue else "",
            )
        return format_html(
            '<span class="mark {}">{}</span> <span class="soft">{}, {}</span>',
            "mark-good" if case.status == Case.Status.APPROVED else "mark-bad",
            case.get_status_display(),
            case.decided_by,
            date_format(timezone.localtime(case.decided_at), "SHORT_DATETIME_FORMAT"),
        )

    @admin.display(description="")
    def decide(self, case: Any) -> SafeString | str:
        return self.buttons(case)

    def buttons(self, case: Any) -> SafeString | str:
        """Return what may be done about a case that `dress` has seen."""
        if case.status == Case.Status.OPEN:
            # What the button decides is what its page showed: more may join the case while it is being read.
            seen = f"?seen={len(case.shown.rewards)}"
            approve = post_button(_("Approve"), self.post_path("approve", case.pk) + seen, tone="good", icon="check")
            reject = post_button(_("Reject"), self.post_path("reject", case.pk) + seen, tone="danger", icon="close")
            return format_html('<span class="acts">{}{}</span>', approve, reject)
        if timezone.now() <= case.shown.undo_until:
            return self._undo_button(case)
        return ""

    def _undo_button(self, case: Case) -> SafeString:
        return post_button(_("Undo"), self.post_path("undo", case.pk), icon="undo")

    # One click

    def approve(self, request: HttpRequest, pk: int) -> SafeString:
        return self._decided(request, pk, moderation.approve, _("Approved: %(points)s points are on their way."))

    def reject(self, request: HttpRequest, pk: int) -> SafeString:
        return self._decided(request, pk, moderation.reject, _("Rejected: %(points)s points will not be given."))

    def undo(self, request: HttpRequest, pk: int) -> str:
        case = self._get(pk)
        moderation.undo(case=case, by=request.user, at=timezone.now())  # type: ignore[arg-type]
        return gettext("Undone: the case waits for a decision again.")

    def _decided(self, request: HttpRequest, pk: int, verb: Verb, sentence: str | Promise) -> SafeString:
        case = self._get(pk)
        points = queue.total_of([case]).points
        note = request.POST.get("note", "").strip()
        verb(case=case, by=request.user, note=note, seen=_number(request.GET.get("seen")), at=timezone.now())
        return format_html(
            '<span class="message-with-act">{} {}</span>', sentence % {"points": points}, self._undo_button(case)
        )

    def _get(self, pk: int) -> Case:
        case = Case.objects.filter(pk=pk).first()
        if case is None:
            raise Http404
        return case

    # Many at once

    @admin.action(description=_("Approve…"), permissions=["decide"])
    def approve_selected(self, request: HttpRequest, cases: QuerySet[Case]) -> HttpResponse | None:
        return self._many(request, cases, moderation.approve, "approve_selected")

    @admin.action(description=_("Reject…"), permissions=["decide"])
    def reject_selected(self, request: HttpRequest, cases: QuerySet[Case]) -> HttpResponse | None:
        return self._many(request, cases, moderation.reject, "reject_selected")

    def _many(self, request: HttpRequest, cases: QuerySet[Case], verb: Verb, action: str) -> HttpResponse | None:
        waiting = cases.filter(status=Case.Status.OPEN).annotate(seen=Count("case_rewards"))
        chosen = list(waiting.order_by("pk")[:BULK_MAX])
        if "confirmed" in request.POST:
            self._decide_many(request, chosen, verb)
            return None
        if not chosen:
            messages.warning(request, gettext("None of these cases is waiting any more."))
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Approve cases") if verb is moderation.approve else gettext("Reject cases"),
            "opts": self.opts,
            "total": queue.total_of(chosen),
            "cases": chosen,
            "action": action,
            "is_approval": verb is moderation.approve,
        }
        return TemplateResponse(request, "admin/antifraud/case/confirm.html", context)

    def _decide_many(self, request: HttpRequest, cases: Sequence[Case], verb: Verb) -> None:
        late: list[str] = []
        for case in cases:
            try:
                seen = _number(request.POST.get(f"seen-{case.pk}"))
                verb(case=case, by=request.user, seen=seen, at=timezone.now())
            except Failure as failure:
                late.append(str(failure))
        decided = len(cases) - len(late)
        if decided:
            done = ngettext("%(count)s case decided.", "%(count)s cases decided.", decided)
            messages.success(request, done % {"count": decided})
        for sentence in dict.fromkeys(late):
            messages.warning(request, sentence)

    # The page of a case

    def story(self, request: HttpRequest, row: Case) -> dict[str, Any]:
        self.dress([row])
        shown: queue.Shown = row.shown  # type: ignore[attr-defined]
        pictures = portraits.portraits_of(person.member_id for person in shown.people)
        may_decide = self.has_decide_permission(request)
        return {
            "case": row,
            "shown": shown,
            "people": [
                {
                    "person": person,
                    "portrait": pictures[person.member_id],
                    "timeline": portraits.timeline_of(member_id=person.member_id, size=TIMELINE_LINES),
                }
                for person in shown.people
            ],
            "decisions": Decision.objects.filter(case=row).select_related("by").order_by("-pk"),
            "buttons": self.buttons(row) if may_decide else "",
            "may_note": row.status == Case.Status.OPEN and may_decide,
        }


@admin.register(StopRule)
class StopRuleAdmin(ModelAdmin):
    """When a campaign is halted."""

    list_display = ["limit", "campaign_name", "is_active"]
    list_display_links = ["limit"]
    list_select_related = ["campaign"]
    fields = ["campaign", "metric", "threshold", "window_minutes", "is_active"]

    @admin.display(description=_("stops at more than"))
    def limit(self, rule: StopRule) -> str:
        return measures.measured(metric=rule.metric, number=rule.threshold, window_minutes=rule.window_minutes)

    @admin.display(description=_("campaign"), ordering="campaign__name")
    def campaign_name(self, rule: StopRule) -> str:
        return str(rule.campaign or gettext("Each campaign by itself"))


@admin.register(Trip)
class TripAdmin(AppendOnlyAdmin):
    """What stop rules have halted, and one click to go on."""

    list_display = ["campaign", "figures", "tripped_at", "state"]
    list_filter = ["campaign"]
    list_select_related = ["campaign", "resumed_by"]
    ordering = ["-pk"]
    fields = ["campaign", "figures", "tripped_at", "stop_rule", "resumed_at", "resumed_by"]
    readonly_fields = ["figures"]

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("<int:pk>/resume/", self.resume, name="resume", permission=RESUME),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [*self.list_display, "go_on"] if may(RESUME)(request) else self.list_display

    @admin.display(description=_("what happened"))
    def figures(self, trip: Trip) -> str:
        return measures.in_words(trip)

    @admin.display(description=_("state"))
    def state(self, trip: Trip) -> SafeString:
        if trip.resumed_at is None:
            return format_html('<span class="mark mark-bad">{}</span>', gettext("Stopped"))
        return format_html(
            '<span class="mark mark-good">{}</span> <span class="soft">{}, {}</span>',
            gettext("Resumed"),
            trip.resumed_by,
            date_format(timezone.localtime(trip.resumed_at), "SHORT_DATETIME_FORMAT"),
        )

    @admin.display(description="")
    def go_on(self, trip: Trip) -> SafeString | str:
        if trip.resumed_at is not None:
            return ""
        return post_button(_("Resume"), self.post_path("resume", trip.pk), tone="primary", icon="play_arrow")

    def resume(self, request: HttpRequest, pk: int) -> str:
        trip = Trip.objects.filter(pk=pk).select_related("campaign").first()
        if trip is None:
            raise Http404
        stops.resume(trip=trip, by=request.user, at=timezone.now())  # type: ignore[arg-type]
        return gettext("“%(name)s” goes on. What was flagged meanwhile waits in the moderation queue.") % {
            "name": trip.campaign.name
        }


@admin.register(FraudPolicy)
class FraudPolicyAdmin(SingletonAdmin):
    """How careful the tenant is."""

    fields = ["flag_from", "refuse_from", "signups_per_hour", "undo_minutes"]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None

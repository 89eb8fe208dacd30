"""The moderation queue: one line a case, one page that tells why, one click that decides."""

from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from antifraud.admin import case_filters
from antifraud.admin.amounts import cost, said
from antifraud.admin.case_filters import CampaignFilter, CaseView, ReasonFilter, SortFilter
from antifraud.admin.many import ManyPages
from antifraud.admin.story import story_of
from antifraud.judging import reasons
from antifraud.models import Case
from antifraud.moderation import queue
from core.backoffice import post_button
from core.templatetags.backoffice import age, whole
from tenants.clock import now

CHIPS_MAX: Final = 3
PARTIES_MAX: Final = 3


@admin.register(Case)
class CaseAdmin(ManyPages):
    """The queue: one line a case, and one click decides it."""

    list_display = ["who", "stake", "why", "state"]
    list_display_links = ["who"]
    list_filter = [CaseView, SortFilter, CampaignFilter, ReasonFilter]
    list_select_related = ["campaign", "decided_by", "assigned_to"]
    list_per_page = 50
    list_before_template = "admin/antifraud/case/above.html"
    # Above the list there is a choice that telephones have, too.
    sortable_by = ()
    story_template = "admin/antifraud/case/story.html"

    class Media:
        css = {"all": ["antifraud/moderation.css"]}
        js = ["antifraud/moderation.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        return queue.with_stakes(super().get_queryset(request))

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return case_filters.order(request)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [*self.list_display, "decide"] if self.has_decide_permission(request) else self.list_display

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        sort = next(each for each in changelist.filter_specs if isinstance(each, SortFilter))
        is_queue = request.GET.get("show", case_filters.WAITING) in case_filters.OF_WAITING
        changelist.sorts = [*sort.choices(changelist)] if is_queue else []
        changelist.may_decide = self.has_decide_permission(request)
        self.view(list(changelist.result_list), request)
        return changelist

    # Columns

    @admin.display(description=_("who"))
    def who(self, case: Any) -> SafeString:
        lines = ((person.name, person.side_label.lower()) for person in case.shown.people[:PARTIES_MAX])
        return format_html(
            '{}<span class="soft font-normal offered">{}</span>',
            format_html_join(
                "", '<span class="party"><b>{}</b> <span class="soft font-normal">{}</span></span>', lines
            ),
            case.campaign,
        )

    @admin.display(description=_("at stake"))
    def stake(self, case: Any) -> SafeString:
        return format_html(
            '<span class="num strong wraps">{}</span><br><span class="num soft">{}</span>',
            said(points=case.shown.points, amounts=case.shown.amounts) or "—",
            cost(case.shown.cost_minor),
        )

    @admin.display(description=_("why"))
    def why(self, case: Any) -> SafeString:
        found = dict.fromkeys(str(each.get("signal", "")) for row in case.shown.rewards for each in row.reasons)
        chips = [(reasons.short(signal),) for signal in found]
        more = len(chips) - CHIPS_MAX
        return format_html(
            '<span class="chips" title="{}">{}{}</span>',
            "\n".join(case.shown.reasons),
            format_html_join("", '<span class="mark">{}</span>', chips[:CHIPS_MAX]),
            format_html('<span class="mark">+{}</span>', whole(more)) if more > 0 else "",
        )

    @admin.display(description=_("decide by"))
    def state(self, case: Any) -> SafeString:
        return _waiting(case) if case.status == Case.Status.OPEN else _decided(case)

    @admin.display(description="")
    def decide(self, case: Any) -> SafeString | str:
        return self.buttons(case)

    # The page of a case

    def story(self, request: HttpRequest, row: Case) -> dict[str, Any]:
        self.view([row], request)
        may_decide = self.has_decide_permission(request)
        shown: queue.Shown = row.shown  # type: ignore[attr-defined]
        is_free = row.status == Case.Status.OPEN and row.assigned_to is None
        return {
            **story_of(case=row, shown=shown, viewer=request.user, may_decide=may_decide),  # type: ignore[arg-type]
            "buttons": self.buttons(row) if may_decide else "",
            "take_button": post_button(_("Take it"), self.post_path("take", row.pk)) if may_decide and is_free else "",
            "may_decide": may_decide,
            "due_mark": due_mark(row) if row.status == Case.Status.OPEN else "",
            "waited": waited(row),
            "assign_url": self.post_path("assign", row.pk),
        }


def _waiting(case: Any) -> SafeString:
    """Return until when an open case should be decided, since when it waits, and whose it is."""
    whose = ("whose", case.assigned_to) if case.assigned_to else ("soft", gettext("nobody's"))
    escalated = format_html('<span class="mark mark-bad">{}</span>', gettext("Escalated"))
    return format_html(
        '<span class="due"><span class="marks">{}{}</span><span title="{}">{} · {}</span></span>',
        escalated if case.shown.is_escalated else "",
        due_mark(case),
        date_format(timezone.localtime(case.opened_at), "DATETIME_FORMAT"),
        format_html('<span class="soft">{}</span>', waited(case)),
        format_html('<span class="{}">{}</span>', *whose),
    )


def waited(case: Case) -> str:
    """Return how long a case has been waiting."""
    if now() - case.opened_at < timedelta(minutes=1):
        return gettext("new")
    return gettext("waits %(age)s") % {"age": age(case.opened_at)}


def due_mark(case: Any) -> SafeString:
    """Return how long there is to decide an open case, or how long that is over."""
    if case.due_at is None:
        return SafeString("")
    if case.shown.is_overdue:
        late = gettext("Overdue: %(age)s") % {"age": age(case.due_at)}
        return format_html('<span class="mark mark-bad">{}</span>', late)
    left = gettext("due in %(time)s") % {"time": timeuntil(case.due_at, now(), depth=1)}
    return format_html('<span class="nowrap">{}</span>', left)


def _decided(case: Any) -> SafeString:
    return format_html(
        '<span class="mark {}">{}</span> <span class="soft">{}, {}</span>',
        "mark-good" if case.status == Case.Status.APPROVED else "mark-bad",
        case.get_status_display(),
        case.decided_by,
        date_format(timezone.localtime(case.decided_at), "SHORT_DATETIME_FORMAT"),
    )

"""What the queue is narrowed down by, with how many cases each choice leaves, and what it is sorted by."""

from datetime import datetime
from typing import Any, Final

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from antifraud.judging import reasons
from antifraud.models import Case
from antifraud.moderation import breakdown, queue
from core.backoffice import ViewFilter
from core.templatetags.backoffice import whole
from tenants.clock import now

OPEN = Case.Status.OPEN
WAITING, MINE, UNASSIGNED, OVERDUE, ESCALATED = "waiting", "mine", "unassigned", "overdue", "escalated"
DECIDED, ALL = "decided", "all"
OF_WAITING: Final = (WAITING, MINE, UNASSIGNED, OVERDUE, ESCALATED)


class CaseView(ViewFilter):
    """Which cases: those that wait, parts of these, or those that do not wait any more."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        self.counts = queue.counts(viewer=request.user, at=now())  # type: ignore[arg-type]
        return [
            (WAITING, _("Waiting")),
            (MINE, _("Mine")),
            (UNASSIGNED, _("Nobody's")),
            (OVERDUE, _("Overdue")),
            (ESCALATED, _("Escalated")),
            (DECIDED, _("Decided")),
            (ALL, _("All")),
        ]

    def choices(self, changelist: Any) -> Any:
        for (value, _label), choice in zip(self.lookup_choices, super().choices(changelist), strict=True):
            count = getattr(self.counts, str(value), None)
            shown = format_html('{} <span class="count">{}</span>', choice["display"], whole(count)) if count else None
            yield choice | {"display": shown or choice["display"]}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        if self.value() == ALL:
            return queryset
        if self.value() == DECIDED:
            return queryset.exclude(status=OPEN)
        return queryset.filter(_asked(self.value(), viewer=request.user, at=now()), status=OPEN)


def _asked(view: str, *, viewer: Any, at: datetime) -> Q:
    """Return what a view of the waiting cases asks for, as `queue.counts` counts it."""
    return {
        WAITING: Q(),
        MINE: Q(assigned_to=viewer),
        UNASSIGNED: Q(assigned_to=None),
        OVERDUE: Q(due_at__lte=at),
        ESCALATED: Q(escalated_at__isnull=False),
    }[view]


class CountedFilter(admin.SimpleListFilter):
    """A filter whose labels say how many waiting cases there are of each choice."""

    parameter_name: str

    def counted(self) -> list[tuple[str, str, int]]:
        """Return each choice with its name and its number of cases."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        found = [(value, f"{name} ({whole(count)})") for value, name, count in self.counted()]
        asked = request.GET.get(self.parameter_name)
        if asked and asked not in {value for value, _name in found}:
            found.append((asked, self.name_of(asked)))
        return found

    def name_of(self, value: str) -> str:
        """Return the name of a choice of which nothing waits."""
        raise NotImplementedError


class ReasonFilter(CountedFilter):
    title = _("reason")
    parameter_name = "reason"

    def counted(self) -> list[tuple[str, str, int]]:
        return [(signal, self.name_of(signal), count) for signal, count in breakdown.of_signals()]

    def name_of(self, value: str) -> str:
        return reasons.short(value)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        if not self.value():
            return queryset
        return queryset.filter(case_rewards__reward__reasons__contains=[{"signal": self.value()}]).distinct()


class CampaignFilter(CountedFilter):
    title = _("campaign")
    parameter_name = "campaign"

    def counted(self) -> list[tuple[str, str, int]]:
        return [(str(pk), name, count) for pk, name, count in breakdown.of_campaigns()]

    def name_of(self, value: str) -> str:
        return f"#{value}"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        value = self.value() or ""
        return queryset.filter(campaign=int(value)) if value.isascii() and value.isdigit() else queryset


SORTS: Final = {"due": _("What is due first"), "age": _("Oldest first"), "value": _("Largest value first")}


class SortFilter(admin.SimpleListFilter):
    """What the waiting cases are sorted by. It leaves all of them in."""

    title = _("sort")
    parameter_name = "sort"
    # It stands above the list.
    template = "admin/nothing.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*SORTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        return queryset

    def choices(self, changelist: Any) -> Any:
        for value, label in SORTS.items():
            yield {
                "selected": (self.value() or "due") == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}, ["p"]),
                "display": label,
            }


def order(request: HttpRequest) -> list[Any]:
    """Return what the queue is sorted by. Of what is decided the latest comes first, of all the newest."""
    match request.GET.get("show", WAITING):
        case "decided":
            return ["-decided_at", "-pk"]
        case "all":
            return ["-pk"]
    match request.GET.get("sort"):
        case "age":
            return ["opened_at", "pk"]
        case "value":
            return [F("stake_minor").desc(), "pk"]
    return [*queue.ORDER]

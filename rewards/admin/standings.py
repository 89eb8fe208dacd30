"""Who stands on which level, and the level that staff gives or takes by hand."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from core.backoffice import (
    Answer,
    AppendOnlyAdmin,
    ViewFilter,
    link,
    list_of,
    may,
    path_to,
    post_button,
)
from core.db import transaction
from core.errors import Failure
from members import people
from members.names import names_of
from rewards.admin.level_forms import GiveForm, TakeForm
from rewards.admin.levels import badge
from rewards.admin.who import actor_of
from rewards.levels import setting, standing, units
from rewards.models import Standing
from tenants import context, periods
from tenants.clock import now

GIVE = "rewards.add_standing"
TAKE = "rewards.change_standing"
FORM_TEMPLATE = "rewards/level_by_hand.html"


class StandingView(ViewFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("All")), ("falling", _("Falling")), ("manual", _("Given by hand"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Standing]) -> QuerySet[Standing]:
        match self.value():
            case "falling":
                return queryset.filter(falls_at__isnull=False)
            case "manual":
                return queryset.filter(is_manual=True)
        return queryset


@admin.register(Standing)
class StandingAdmin(AppendOnlyAdmin):
    """Everybody who stands on a level. The machine moves them; a level by hand is given and taken with a reason."""

    list_display = ["shown", "who", "so_far", "since", "by_hand", "falling"]
    list_display_links = ["shown"]
    list_filter = [StandingView, "level"]
    list_before_template = "rewards/standings_head.html"
    list_select_related = ["level"]
    list_per_page = 50
    ordering = ["-since", "-pk"]
    paginator = InfinitePaginator
    search_fields = ["pk"]
    search_help_text = _("Your id of a member")
    fields = ["who", "shown", "so_far", "since", "by_hand", "falling", "warned_at"]
    readonly_fields = ["who", "shown", "so_far", "by_hand", "falling"]

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("<int:pk>/take/", self.take, name="take", permission=TAKE),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [*self.list_display, "act"] if may(TAKE)(request) else self.list_display

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Standing], search_term: str
    ) -> tuple[QuerySet[Standing], bool]:
        # Not by e-mail or phone: they would end up in logs, as part of the address.
        return (queryset.filter(pk=_member_id(search_term)) if search_term else queryset), False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(GIVE)(request)

    def name_of(self, row: Any) -> str:
        return str(names_of([row.pk])[row.pk])

    def dress(self, rows: Sequence[Any]) -> None:
        names, chosen = names_of(row.pk for row in rows), setting.get()
        for row in rows:
            row.member_name = names[row.pk]
            row.in_words = units.in_words(row.measured, setting=chosen)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            self.dress([found])
        return found

    # Columns

    @admin.display(description=_("member"))
    def who(self, row: Any) -> SafeString:
        return link(row.member_name, path_to("members.member", row.pk))

    @admin.display(description=_("level"), ordering="level__threshold")
    def shown(self, row: Standing) -> SafeString:
        return format_html('<span class="level-name">{}<span>{}</span></span>', badge(row.level), row.level.name)

    @admin.display(description=_("at the last review"), ordering="measured")
    def so_far(self, row: Any) -> str:
        return str(row.in_words)

    @admin.display(description=_("given by hand"), ordering="manual_until")
    def by_hand(self, row: Standing) -> SafeString | str:
        if not row.is_manual:
            return "—"
        until = (
            gettext("until %(day)s") % {"day": _day(row.manual_until)} if row.manual_until else gettext("until taken")
        )
        return format_html('<span class="mark mark-info">{}</span>', until)

    @admin.display(description=_("falls"), ordering="falls_at")
    def falling(self, row: Standing) -> SafeString | str:
        if row.falls_at is None:
            return "—"
        told = gettext("told") if row.warned_at else gettext("not told yet")
        return format_html(
            '<span class="mark mark-warn">{}</span> <span class="soft">{}</span>', _day(row.falls_at), told
        )

    @admin.display(description="")
    def act(self, row: Standing) -> SafeString | str:
        if not row.is_manual:
            return ""
        return post_button(_("Take…"), self.post_path("take", row.pk), icon="undo")

    # By hand

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = GiveForm(request.POST or None, initial={"who": request.GET.get("who", "")})
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            if _done(form, lambda: _give(request, given)):
                messages.success(request, gettext("The level is given."))
                return HttpResponseRedirect(list_of(Standing))
        return self._asked(request, form, title=gettext("Give a level"), button=gettext("Give"))

    def take(self, request: HttpRequest, pk: int) -> Answer:
        row = standing.find(member_id=pk)
        if row is None:
            raise Http404
        form = TakeForm(request.POST if "confirmed" in request.POST else None)
        if form.is_valid() and _done(form, lambda: _take(request, row, form.cleaned_data["reason"])):
            messages.success(request, gettext("The level is taken: the member stands where they would without it."))
            return HttpResponseRedirect(list_of(Standing))
        title = gettext("Take “%(level)s” from %(member)s") % {"level": row.level.name, "member": names_of([pk])[pk]}
        return self._asked(request, form, title=title, button=gettext("Take the level"), is_danger=True)

    def _asked(
        self, request: HttpRequest, form: Form, *, title: str, button: str, is_danger: bool = False
    ) -> HttpResponse:
        request.current_app = self.admin_site.name
        told = {"title": title, "form": form, "button": button, "is_danger": is_danger, "back_url": list_of(Standing)}
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media}
        return TemplateResponse(request, FORM_TEMPLATE, {**frame, **told})


def _member_id(external_id: str) -> int | None:
    member = people.find_by_external_id(external_id)
    return member.pk if member else None


def _give(request: HttpRequest, given: dict[str, Any]) -> None:
    with transaction():
        standing.give(
            member=given["who"],
            level=given["level"],
            until=_midnight(given["until"]) if given["until"] else None,
            by=actor_of(request),
            reason=given["reason"],
            at=now(),
        )


def _take(request: HttpRequest, row: Standing, reason: str) -> None:
    with transaction():
        standing.take(member=row.member, by=actor_of(request), reason=reason, at=now())


def _done(form: Form, act: Callable[[], None]) -> bool:
    try:
        act()
    except Failure as failure:
        form.add_error(None, str(failure))
        return False
    return True


def _midnight(day: date) -> datetime:
    return periods.midnight(day, zone=context.zone())


def _day(at: datetime) -> str:
    return date_format(timezone.localtime(at), "DATE_FORMAT")

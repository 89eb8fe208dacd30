"""The lists in the back office: who is blocked, exempt or our own, and where data centres are."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from antifraud.admin.ban_pages import BanPages
from antifraud.admin.listing_forms import ListingForm, UploadForm
from antifraud.admin.merge_pages import MergePages
from antifraud.lists import lines, list_sheets, listings
from antifraud.models import Listing
from core.backoffice import ViewFilter, audit, link, list_of, path_to
from core.db import current_schema, transaction
from core.errors import Failure
from members import identities
from members.names import names_of
from rewards import sheets
from tenants import context
from tenants.clock import now

WRONG_MAX = 200
EXPORT_MAX = 100_000
ADD, VIEW = "antifraud.add_listing", "antifraud.view_listing"


class ListView(ViewFilter):
    """One list at a time."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*Listing.List.choices, ("all", _("All"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Listing]) -> QuerySet[Listing]:
        return queryset if self.value() == "all" else queryset.filter(list=self.value())


@admin.register(Listing)
class ListingAdmin(MergePages, BanPages):
    """The lines of the lists. One is put and taken out; what it says is changed by putting it again."""

    form = ListingForm
    list_display = ["kind", "about", "then", "ends", "note", "added_by", "added_at"]
    list_display_links = ["kind"]
    list_filter = [ListView, "kind"]
    list_before_template = "admin/antifraud/listing/list_head.html"
    list_per_page = 50
    ordering = ["-pk"]
    fieldsets = [(None, {"fields": ["list", "kind", "value", "answer", "last_day", "note"]})]
    conditional_fields = {"answer": "list == 'block'"}

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("find/", self.find, name="find", permission=VIEW),
            self.post_url("export/", self.export, name="export", permission=ADD),
            path("upload/", self.admin_site.admin_view(self.upload), name="antifraud_listing_upload"),
            *super().get_urls(),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def name_of(self, row: Listing) -> str:
        return f"{row.get_list_display()}: {listings.masked(row)}"

    def dress(self, rows: Sequence[Any]) -> None:
        names = names_of(int(row.lookup) for row in rows if row.kind == Listing.Kind.MEMBER)
        for row in rows:
            row.names = names

    # Columns

    @admin.display(description=_("who or what"))
    def about(self, row: Any) -> SafeString | str:
        if row.kind == Listing.Kind.MEMBER:
            return link(row.names[int(row.lookup)], path_to("members.member", row.lookup))
        return listings.masked(row) or gettext("(erased)")

    @admin.display(description=_("then"))
    def then(self, row: Listing) -> SafeString | str:
        tone = "mark-bad" if row.answer == Listing.Answer.REFUSE else "mark-warn"
        return format_html('<span class="mark {}">{}</span>', tone, row.get_answer_display()) if row.answer else ""

    @admin.display(description=_("until"), ordering="until")
    def ends(self, row: Listing) -> SafeString | str:
        if row.until is None:
            return gettext("for ever")
        told = date_format(timezone.localtime(row.until), "DATETIME_FORMAT")
        return format_html('<span class="mark">{}</span>', gettext("Over")) if row.until <= now() else told

    # One line

    def save_model(self, request: HttpRequest, obj: Listing, form: Any, change: bool) -> None:  # noqa: FBT001
        wish = form.cleaned_data["wish"]
        listings.put(wishes=[wish], by=request.user.get_username(), at=now())
        obj.pk = Listing.objects.values_list("pk", flat=True).get(
            list=wish.list, kind=wish.line.kind, lookup=wish.line.lookup
        )
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Listing) -> None:
        self._remove(request, [obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Listing]) -> None:
        self._remove(request, list(queryset.values_list("pk", flat=True)))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # No form: a line is changed by putting it again, and its value may be sealed.
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        self.dress([row])
        told = {"title": self.name_of(row), "lines": self._said(row), "list_url": f"{list_of(Listing)}?show={row.list}"}
        if self.has_delete_permission(request, row):
            told["delete_url"] = reverse("admin:antifraud_listing_delete", args=[row.pk])
        frame = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, "admin/antifraud/listing/line.html", {**frame, **told})

    def _said(self, row: Listing) -> list[tuple[Any, Any]]:
        added = date_format(timezone.localtime(row.added_at), "DATETIME_FORMAT")
        return [
            (_("who or what"), self.about(row)),
            (_("kind"), row.get_kind_display()),
            (_("then"), self.then(row)),
            (_("until"), self.ends(row)),
            (_("note"), row.note),
            (_("added by"), row.added_by),
            (_("added at"), added),
        ]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        """Write nothing more: the verbs tell the audit log, values masked."""

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:
        """Write nothing more, as above."""

    def response_add(self, request: HttpRequest, obj: Listing, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(request, gettext("In the list now: %(what)s") % {"what": self.name_of(obj)})
        return HttpResponseRedirect(f"{list_of(Listing)}?show={obj.list}")

    def get_deleted_objects(self, objs: Sequence[Listing], request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        names = [self.name_of(row) for row in objs]
        return names, {capfirst(str(self.opts.verbose_name_plural)): len(names)}, set(), []

    def find(self, request: HttpRequest) -> HttpResponse:
        """Find by what was typed, of whatever kind. By POST: an address in a URL would end up in logs."""
        found = Listing.objects.filter(_asked(request.POST.get("what", ""))).values_list("pk", flat=True)[:50]
        if not found:
            messages.warning(request, gettext("That stands in no list."))
            return HttpResponseRedirect(list_of(Listing))
        ids = ",".join(str(each) for each in found)
        return HttpResponseRedirect(f"{list_of(Listing)}?show=all&id__in={ids}")

    # Many lines

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Put a file of lines into a list. Bad rows are told by their numbers, the good ones go in."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
        told: dict[str, Any] = {}
        if request.method == "POST" and form.is_valid():
            try:
                told = self._put(request, form)
            except Failure as failure:
                form.add_error("file", str(failure))
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": gettext("Upload lines of a list")}
        return TemplateResponse(request, "admin/antifraud/listing/upload.html", {**frame, "form": form, **told})

    def export(self, request: HttpRequest) -> HttpResponse:
        """Give what the list shows as a table, values open. It is noted, so it takes a POST."""
        shown = self.get_changelist_instance(request).get_queryset(request).order_by("pk")[:EXPORT_MAX]
        audit(request, action="listing.exported", target="listing:", changes={"filter": request.GET.urlencode()})
        text = sheets.sheet(header=list_sheets.HEADER, rows=list_sheets.rows_of(shown))
        return sheets.download(text=text, name=f"lists-{timezone.localdate(now()):%Y-%m-%d}.csv")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_add = self.has_add_permission(request)
        query = request.GET.urlencode()
        export_url = f"{self.post_path('export')}?{query}" if query else self.post_path("export")
        told = {
            "find_url": self.post_path("find"),
            "export_url": export_url if may_add else "",
            "upload_url": reverse("admin:antifraud_listing_upload") if may_add else "",
        }
        page: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **told})
        return page

    def _put(self, request: HttpRequest, form: UploadForm) -> dict[str, Any]:
        at = now()
        with transaction():
            sheet = form.read(at=at)
            put = listings.put(wishes=sheet.wishes, by=request.user.get_username(), at=at)
        return {"put": put, "sheet": sheet, "wrong": sheet.wrong[:WRONG_MAX], "list_url": list_of(Listing)}

    def _remove(self, request: HttpRequest, ids: list[int]) -> None:
        listings.remove(listing_ids=ids, by=request.user.get_username(), at=now())


def _asked(text: str) -> Q:
    schema, region = current_schema(), identities.region_of(context.current().currency)
    asked = Q(pk__in=[])
    for kind in Listing.Kind.values:
        try:
            line = lines.line_of(kind=kind, text=text, schema=schema, region=region)
        except Failure:  # Not of this kind.
            continue
        asked |= Q(kind=line.kind, lookup=line.lookup)
    return asked

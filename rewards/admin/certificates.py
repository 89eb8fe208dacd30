"""The stock of codes in the back office: what is left of each brand, uploads, and the codes themselves, unread."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from core.backoffice import ModelAdmin, audit, link, list_of, path_to, post_button
from core.db import current_schema
from core.errors import Failure, NotFound
from core.money import TooFine, format_money, to_minor
from members import people
from rewards import entitlements
from rewards.certificates import brands, sheets, stock, uploads
from rewards.models import Entitlement, Gift, StockCode
from tenants import context
from tenants.clock import now

KINDS = (Gift.Kind.CERTIFICATE, Gift.Kind.DISCOUNT)


class UploadForm(forms.Form):
    """A file of codes, and what holds for those of its rows that do not say it."""

    gift = forms.ModelChoiceField(
        label=_("gift"),
        queryset=Gift.objects.filter(kind__in=KINDS, is_active=True).order_by("position", "pk"),
        widget=UnfoldAdminSelectWidget,
    )
    file = forms.FileField(
        label=_("file"),
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("CSV with the columns code, value, expires; the last two may be left out. Up to 100,000 rows."),
    )
    value = forms.DecimalField(
        label=_("value"),
        required=False,
        min_value=0,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("Of the rows that do not say it, in your currency."),
    )
    last_day = forms.DateField(
        label=_("last day"),
        required=False,
        # The browser's own: the admin's calendar needs the scripts of the admin's forms.
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text=_("Of the rows that do not say it. Empty: they do not expire."),
    )

    def clean_value(self) -> int | None:
        value = self.cleaned_data["value"]
        try:
            return None if value is None else to_minor(value, context.current().currency)
        except TooFine as error:
            raise forms.ValidationError(str(error)) from error


class FreeFilter(admin.SimpleListFilter):
    """Whether a code has been given."""

    title = _("state")
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("free", _("Free")), ("given", _("Given"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        return queryset.filter(entitlement__isnull=value == "free") if value else queryset


@admin.register(StockCode)
class StockCodeAdmin(ModelAdmin):
    """Codes that were bought beforehand. They come in by uploads, and are given in their order."""

    list_display = ["number", "gift", "value", "ending", "expires_at", "uploaded_at", "state"]
    list_display_links = ["number"]
    list_filter = [FreeFilter, ("gift", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["gift", "entitlement"]
    list_before_template = "rewards/stock.html"
    ordering = ["-pk"]
    search_fields = ["=batch"]
    search_help_text = _("The number of an upload")
    fields = ["gift", "value", "ending", "expires_at", "batch", "uploaded_at", "state", "button"]
    readonly_fields = fields

    def has_change_permission(self, request: HttpRequest, obj: StockCode | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StockCode | None = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) and (obj is None or obj.entitlement_id is None)

    def delete_model(self, request: HttpRequest, obj: StockCode) -> None:
        people.lock(current_schema())
        # Somebody may have got it since the page was shown.
        if not StockCode.objects.filter(pk=obj.pk, entitlement=None).delete()[0]:
            raise PermissionDenied

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        found: HttpResponse = super().changelist_view(request, {**(extra_context or {}), "shelves": _shelves()})
        return found

    # Columns

    def name_of(self, row: Any) -> str:
        return f"#{row.pk}"

    @admin.display(description=_("number"), ordering="pk")
    def number(self, code: StockCode) -> str:
        return f"#{code.pk}"

    @admin.display(description=_("value"), ordering="value_minor")
    def value(self, code: StockCode) -> str:
        return _money(code.value_minor)

    @admin.display(description=_("code"))
    def ending(self, code: StockCode) -> str:
        return entitlements.masked(_opened(code))

    @admin.display(description=_("state"))
    def state(self, code: StockCode) -> SafeString:
        if code.entitlement_id is None:
            is_over = code.expires_at is not None and code.expires_at <= now()
            label, tone = (_("Expired"), "bad") if is_over else (_("Free"), "good")
            return format_html('<span class="mark mark-{}">{}</span>', tone, label)
        said = gettext("Given as #%(number)s") % {"number": code.entitlement_id}
        is_there = self.admin_site.is_registered(Entitlement)
        return link(said, path_to("rewards.entitlement", code.entitlement_id)) if is_there else format_html("{}", said)

    @admin.display(description="")
    def button(self, code: StockCode) -> SafeString:
        title = _("It is written down who looks.")
        return post_button(_("Show the code"), self.post_path("show", code.pk), icon="visibility", title=title)

    # Pages

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            self.post_url("<int:pk>/show/", self.show, name="show", permission="rewards.change_stockcode"),
            path("upload/<str:upload_id>/", wrap(self.upload_view), name=self._url_name("upload")),
            path("upload/<str:upload_id>/progress/", wrap(self.progress_view), name=self._url_name("progress")),
            self.post_url(
                "upload/<str:upload_id>/start/", self.start, name="start", permission="rewards.add_stockcode"
            ),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a file: codes are never typed in one by one."""
        self._check_may_add(request)
        form = UploadForm(request.POST or None, request.FILES or None, initial={"gift": request.GET.get("gift")})
        if request.method == "POST" and form.is_valid():
            upload_id = _prepared(form)
            if upload_id:
                return HttpResponseRedirect(reverse(f"admin:{self._url_name('upload')}", args=[upload_id]))
        return self._page(request, "rewards/upload.html", title=_("Upload codes"), form=form)

    def upload_view(self, request: HttpRequest, upload_id: str) -> HttpResponse:
        """Show what a file would put into the stock; then how far it is."""
        self._check_may_add(request)
        try:
            told = uploads.progress(upload_id, at=now())
        except NotFound as failure:
            return self._page(request, "rewards/upload_gone.html", title=_("Upload codes"), sentence=str(failure))
        return self._page(
            request,
            "rewards/upload_progress.html",
            title=_("Upload codes"),
            told=told,
            gift=Gift.objects.get(pk=told["gift_id"]),
            values=[(_money(value), count) for value, count in told["values"]],
            wrong=[(row, sheets.SENTENCES[why]) for row, why in told["wrong"]],
            upload_id=upload_id,
            start_url=self.post_path("start", upload_id),
            progress_url=reverse(f"admin:{self._url_name('progress')}", args=[upload_id]),
        )

    def progress_view(self, request: HttpRequest, upload_id: str) -> JsonResponse:
        """Say how far an upload is, to the page that asks every second."""
        self._check_may_add(request)
        try:
            told = uploads.progress(upload_id, at=now())
        except NotFound:
            return JsonResponse({"state": "gone"}, status=404)
        return JsonResponse({name: told.get(name, 0) for name in ("state", "done", "good", "served")})

    def start(self, request: HttpRequest, upload_id: str) -> HttpResponse:
        told = uploads.progress(upload_id, at=now())
        uploads.start(schema=context.current().schema_name, upload_id=upload_id, at=now())
        changes = {"upload": upload_id, "codes": told["good"], "gift": told["gift_id"]}
        audit(request, action="stock.uploaded", target=f"gift:{told['gift_id']}", changes=changes)
        return HttpResponseRedirect(reverse(f"admin:{self._url_name('upload')}", args=[upload_id]))

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show one code, and write down who looked."""
        code = get_object_or_404(StockCode.objects.select_related("gift"), pk=pk)
        audit(request, action="stockcode.shown", target=f"stockcode:{code.pk}", changes={"gift": code.gift.code})
        told = {"code": _opened(code), "back_url": path_to("rewards.stockcode", code.pk), "row": code}
        return self._page(request, "rewards/stock_code.html", title=f"{code.gift} #{code.pk}", **told)

    def _check_may_add(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, template: str, **told: Any) -> TemplateResponse:
        request.current_app = self.admin_site.name
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "list_url": list_of(StockCode)}
        return TemplateResponse(request, template, {**frame, **told})


def _prepared(form: UploadForm) -> str | None:
    """Return the id of the upload, or None when the form has been told what is wrong with it."""
    given = form.cleaned_data
    day: date | None = given["last_day"]
    if given["file"].size > sheets.SIZE_BYTES_MAX:
        form.add_error("file", str(sheets.SheetTooLarge()))
        return None
    try:
        return uploads.prepare(
            schema=context.current().schema_name,
            gift=given["gift"],
            content=given["file"].read(),
            value_minor=given["value"],
            expires_on=day,
            at=now(),
        )
    except Failure as failure:
        form.add_error("file", str(failure))
        return None


def _shelves() -> Sequence[dict[str, Any]]:
    """Return what is left of each gift that has a stock, and who waits for it."""
    gifts = list(Gift.objects.filter(kind__in=KINDS, is_active=True).order_by("position", "pk"))
    ids = [gift.pk for gift in gifts]
    at = now()
    free, waiting, low = stock.free_of(ids, at=at), stock.waiting_for(ids), set(stock.low(at=at))
    return [
        {
            "gift": gift,
            "free": free.get(gift.pk, 0),
            "waiting": waiting.get(gift.pk, 0),
            "is_low": gift.pk in low,
            "values": ", ".join(_money(value) for value in brands.denominations(gift)),
        }
        for gift in gifts
        if gift.pk in free or gift.pk in low or gift.kind == Gift.Kind.CERTIFICATE
    ]


def _opened(code: StockCode) -> str:
    return entitlements.code_of(Entitlement(code=code.code))


def _money(value_minor: int) -> str:
    tenant = context.current()
    return format_money(value_minor, tenant.currency, tenant.language) if value_minor else "—"

"""The gifts: what campaigns give and members buy, with their pictures, prices and stock."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.backoffice import Answer, ModelAdmin, ViewFilter, audit, page_of, post_button
from core.db import after_commit, current_schema, fetch
from core.templatetags.backoffice import whole
from members import people
from rewards import catalogue, pictures, sheets, units
from rewards.admin.gift_form import fieldsets_for, form_for
from rewards.kinds.product import giving as products
from rewards.models import Gift
from tenants.clock import now

ICONS = {
    Gift.Kind.PRODUCT: "package_2",
    Gift.Kind.DISCOUNT: "percent",
    Gift.Kind.CERTIFICATE: "redeem",
    Gift.Kind.POOL: "widgets",
    Gift.Kind.PRIVILEGE: "workspace_premium",
    Gift.Kind.CONTENT: "lock_open",
}
TOLD_OF = {
    Gift.Kind.PRODUCT: _("A thing that is packed and sent, or handed over."),
    Gift.Kind.DISCOUNT: _("A code for the checkout: percent, a sum, or free delivery."),
    Gift.Kind.CERTIFICATE: _("Of a brand: from codes that you upload, or bought from a provider."),
    Gift.Kind.POOL: _("A certificate of which the member chooses the brand."),
    Gift.Kind.PRIVILEGE: _("A right with a name: a chat, early access. Programs ask whether somebody has it."),
    Gift.Kind.CONTENT: _("A file or an address that only its owners are told."),
}
EXPORTED = ("code", "kind", "name", "asset", "price", "stock", "sold", "free_codes", "is_active")


class GiftView(ViewFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("all", _("All")),
            ("catalogue", _("In the catalogue")),
            ("given", _("Only given")),
            ("low", _("Running low")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Gift]) -> QuerySet[Gift]:
        match self.value():
            case "catalogue":
                return queryset.filter(price__isnull=False)
            case "given":
                return queryset.filter(price=None)
            case "low":
                return queryset.filter(pk__in=[row.id for row in fetch(RUNNING_LOW)])
        return queryset


@admin.register(Gift)
class GiftAdmin(ModelAdmin):
    """One form for each kind: who adds a gift says first of which."""

    list_display = ["picture_shown", "named", "kind_shown", "cost_shown", "left", "sold_shown", "state"]
    list_display_links = ["picture_shown", "named"]
    list_filter = [GiftView, "kind", "is_active"]
    list_select_related = ["asset"]
    list_before_template = "rewards/gifts_head.html"
    search_fields = ["name", "code"]
    ordering = ["position", "pk"]
    warn_unsaved_form = True

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("export/", self.export, name="export", permission="rewards.view_gift"),
            self.post_url("<int:pk>/copy/", self.copy, name="copy", permission="rewards.add_gift"),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [*self.list_display, "acts"] if self.has_add_permission(request) else self.list_display

    def dress(self, rows: Sequence[Any]) -> None:
        figures = {row.id: row for row in fetch(FIGURES, {"ids": [row.pk for row in rows]})}
        for row in rows:
            row.figures = figures[row.pk]

    # Columns

    @admin.display(description="")
    def picture_shown(self, gift: Gift) -> SafeString:
        if gift.picture:
            return format_html(
                '<span class="gift-picture"><img src="{}" alt=""></span>', pictures.path_of(gift.picture)
            )
        icon = ICONS[Gift.Kind(gift.kind)]
        return format_html('<span class="gift-picture material-symbols-outlined" aria-hidden="true">{}</span>', icon)

    @admin.display(description=_("gift"), ordering="name")
    def named(self, gift: Gift) -> SafeString:
        return format_html('<span class="wraps">{}<br><span class="soft font-normal">{}</span></span>', gift, gift.code)

    @admin.display(description=_("kind"), ordering="kind")
    def kind_shown(self, gift: Gift) -> str:
        return gift.get_kind_display()

    @admin.display(description=_("price"), ordering="price")
    def cost_shown(self, gift: Gift) -> SafeString | str:
        if gift.price is None or gift.asset is None:
            return format_html('<span class="soft">{}</span>', gettext("not for sale"))
        price = format_html('<b class="num strong nowrap">{}</b>', units.written(gift.price, gift.asset))
        levels = ", ".join(f"{code} {whole(price)}" for code, price in gift.prices.items())
        return format_html('{}<br><span class="soft num">{}</span>', price, levels) if levels else price

    @admin.display(description=_("left"))
    def left(self, gift: Any) -> SafeString | str:
        found = gift.figures
        lines = [whole(gift.stock)] if gift.stock is not None else []
        if found.codes:
            lines.append(gettext("%(count)s codes") % {"count": whole(found.free_codes)})
        shown = format_html_join(" · ", '<span class="num nowrap">{}</span>', ((line,) for line in lines))
        if found.is_low:
            return format_html('{} <span class="mark mark-bad">{}</span>', shown, gettext("low"))
        return shown or "—"

    @admin.display(description=_("sold"))
    def sold_shown(self, gift: Any) -> SafeString:
        return format_html('<span class="num">{}</span>', whole(gift.figures.sold))

    @admin.display(description=_("status"), ordering="is_active")
    def state(self, gift: Gift) -> SafeString:
        tone, label = _state_of(gift)
        return format_html('<span class="mark {}">{}</span>', tone, label)

    @admin.display(description="")
    def acts(self, gift: Gift) -> SafeString:
        title = gettext("Make a copy that is not in use yet")
        return post_button(_("Copy"), self.post_path("copy", gift.pk), icon="content_copy", title=title)

    # The form

    def has_delete_permission(self, request: HttpRequest, obj: Gift | None = None) -> bool:
        # Campaigns, levels and pools name gifts by their codes: what nobody wants any more is taken out of use.
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Gift | None = None) -> list[str]:
        return ["code"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Gift | None = None) -> dict[str, Any]:
        return {} if obj else {"code": ("name",)}

    def get_fieldsets(self, request: HttpRequest, obj: Gift | None = None) -> Any:
        return fieldsets_for(_kind_of(request, obj))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        return super().get_form(request, obj, change, **{**kwargs, "form": form_for(_kind_of(request, obj))})

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if request.GET.get("kind") in Gift.Kind.values or not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)  # type: ignore[no-any-return]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("What kind of gift?"),
            "kinds": [(kind.value, kind.label, ICONS[kind], TOLD_OF[kind]) for kind in TOLD_OF],
        }
        return TemplateResponse(request, "rewards/gift_kinds.html", context)

    def save_model(self, request: HttpRequest, obj: Gift, form: Any, change: bool) -> None:  # noqa: FBT001
        people.lock(current_schema())
        if change:
            obj.stock = _stock_now(obj, seen=form.cleaned_data["stock_seen"], wanted=form.cleaned_data["stock"])
        super().save_model(request, obj, form, change)
        if obj.kind == Gift.Kind.PRODUCT and obj.stock != 0:
            schema = current_schema()
            # Rewards that wait for a piece get it.
            after_commit(lambda: products.serve(schema=schema, gift_ids=[obj.pk]))

    # Buttons

    def copy(self, request: HttpRequest, pk: int) -> Answer:
        gift = get_object_or_404(Gift, pk=pk)
        original = str(gift)
        gift.pk, gift._state.adding = None, True
        gift.code, gift.name = _free_code(gift.code), gettext("%(name)s (copy)")[:100] % {"name": gift.name[:80]}
        gift.is_active = False
        gift.save()
        audit(request, action="gift.copied", target=f"gift:{gift.pk} {gift.code}", changes={"from": original})
        return HttpResponseRedirect(page_of(gift))

    def export(self, request: HttpRequest) -> HttpResponse:
        gifts = list(Gift.objects.select_related("asset").order_by("position", "pk"))
        self.dress(gifts)
        rows = (
            (
                gift.code,
                gift.kind,
                gift.name,
                gift.asset.code if gift.asset else "",
                gift.price,
                gift.stock,
                gift.figures.sold,  # type: ignore[attr-defined]
                gift.figures.free_codes,  # type: ignore[attr-defined]
                int(gift.is_active),
            )
            for gift in gifts
        )
        return sheets.download(text=sheets.sheet(header=EXPORTED, rows=rows), name="catalogue.csv")


def _kind_of(request: HttpRequest, gift: Gift | None) -> str:
    asked = request.GET.get("kind", "")
    return gift.kind if gift else asked if asked in Gift.Kind.values else Gift.Kind.PRODUCT


def _state_of(gift: Gift) -> tuple[str, str]:
    if not gift.is_active:
        return "", gettext("Not in use")
    if gift.price is None:
        return "mark-info", gettext("Only given")
    if gift.stock == 0:
        return "mark-bad", gettext("Sold out")
    if catalogue.why_unavailable(gift, at=now()):
        return "mark-warn", gettext("Not on sale now")
    return "mark-good", gettext("On sale")


def _stock_now(gift: Gift, *, seen: int | None, wanted: int | None) -> int | None:
    """Return how many pieces there are: what has been bought while the form was open stays bought."""
    now = Gift.objects.values_list("stock", flat=True).get(pk=gift.pk)
    if wanted == seen:
        return now
    if wanted is None or seen is None or now is None:
        return wanted
    return max(now + wanted - seen, 0)


def _free_code(code: str) -> str:
    taken = set(Gift.objects.filter(code__startswith=code[:40]).values_list("code", flat=True))
    return next(name for number in range(2, 10_000) if (name := f"{code[:40]}-{number}") not in taken)


FIGURES = """
SELECT g.id,
    (SELECT count(*) FROM rewards_redemption d WHERE d.gift_id = g.id AND d.status = 'captured') AS sold,
    s.codes, s.free_codes,
    g.low_stock IS NOT NULL AND (g.stock < g.low_stock OR (s.codes > 0 AND s.free_codes < g.low_stock)) AS is_low
FROM rewards_gift g
CROSS JOIN LATERAL (
    SELECT count(*) AS codes, count(*) FILTER (WHERE c.entitlement_id IS NULL) AS free_codes
    FROM rewards_stockcode c WHERE c.gift_id = g.id
) s
WHERE g.id = ANY(%(ids)s::bigint[])
"""
RUNNING_LOW = """
SELECT g.id FROM rewards_gift g
WHERE g.low_stock IS NOT NULL AND (
    g.stock < g.low_stock
    OR g.low_stock > (SELECT count(*) FROM rewards_stockcode c WHERE c.gift_id = g.id AND c.entitlement_id IS NULL)
        AND EXISTS (SELECT FROM rewards_stockcode c WHERE c.gift_id = g.id)
)
"""

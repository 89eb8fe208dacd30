"""What members spent: in the catalogue, and on orders."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from campaigns import giving
from core.backoffice import VIEWS_TEMPLATE, Answer, ViewFilter, audit, link, may, page_of, path_to, post_button
from core.db import transaction
from core.templatetags.backoffice import status_mark
from members.names import names_of
from rewards import assets, purchases, reservations, units
from rewards.admin.fulfilment import RUN, FulfilmentPages
from rewards.admin.who import actor_of
from rewards.models import Account, Asset, Entitlement, Posting, Redemption
from tenants.clock import now

Status, Purpose = Redemption.Status, Redemption.Purpose
TONES = {Status.RESERVED: "waiting", Status.CAPTURED: "granted", Status.RELEASED: "", Status.RETURNED: "rejected"}


class PurposeView(ViewFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("purchases", _("Purchases")), ("orders", _("Orders paid with points"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Redemption]) -> QuerySet[Redemption]:
        return queryset.filter(purpose=Purpose.ORDER if self.value() == "orders" else Purpose.PURCHASE)


@admin.register(Redemption)
class RedemptionAdmin(FulfilmentPages):
    """Purchases and orders paid with points, the newest first. What can be called off has its button."""

    list_display = ["number", "created_at", "who", "subject", "paid", "state"]
    list_display_links = ["number"]
    list_filter = [PurposeView, "status", "gift"]
    list_select_related = ["gift", "asset"]
    list_before_template = VIEWS_TEMPLATE
    list_per_page = 50
    ordering = ["-pk"]
    paginator = InfinitePaginator
    search_fields = ["=key", "=order_number"]
    search_help_text = _("The whole key of a request, or the number of an order")
    fieldsets = [
        (None, {"fields": ["state", "who", "subject", "paid", "given_back", "given", "note"]}),
        (_("Times"), {"fields": ["created_at", "expires_at", "settled_at"]}),
        (_("Where it came from"), {"fields": ["key", "actor", "postings"]}),
    ]
    readonly_fields = ["state", "who", "subject", "paid", "given_back", "given", "postings"]

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("<int:pk>/call-off/", self.call_off, name="call_off", permission=RUN),
            self.post_url("<int:pk>/release/", self.release, name="release", permission=RUN),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [*self.list_display, "acts"] if may(RUN)(request) else self.list_display

    def dress(self, rows: Sequence[Any]) -> None:
        names = names_of(row.member_id for row in rows)
        for row in rows:
            row.member_name = names[row.member_id]

    # Columns

    def name_of(self, row: Any) -> str:
        return f"#{row.pk}"

    @admin.display(description=_("number"), ordering="pk")
    def number(self, row: Redemption) -> str:
        return f"#{row.pk}"

    @admin.display(description=_("member"))
    def who(self, row: Any) -> SafeString:
        name = getattr(row, "member_name", None) or names_of([row.member_id])[row.member_id]
        return link(name, path_to("members.member", row.member_id))

    @admin.display(description=_("what for"))
    def subject(self, row: Redemption) -> SafeString | str:
        if row.gift is not None:
            return link(row.gift.name, page_of(row.gift))
        return gettext("Order %(number)s") % {"number": row.order_number} if row.order_number else "—"

    @admin.display(description=_("amount"), ordering="amount")
    def paid(self, row: Redemption) -> SafeString:
        amount = row.amount if row.status in {Status.RESERVED, Status.RELEASED} else row.captured
        shown = format_html('<b class="num strong nowrap">{}</b>', units.written(amount, row.asset))
        if amount == row.amount:
            return shown
        return format_html("{} <s class='soft num'>{}</s>", shown, units.written(row.amount, row.asset))

    @admin.display(description=_("status"), ordering="status")
    def state(self, row: Redemption) -> SafeString:
        return status_mark(TONES[Status(row.status)], row.get_status_display())

    @admin.display(description=_("given back"))
    def given_back(self, row: Redemption) -> str:
        returned = Posting.objects.filter(redemption=row, reason=Posting.Reason.RETURN)
        total = sum(returned.values_list("amount", flat=True))
        return units.written(total, row.asset) if total else "—"

    @admin.display(description=_("what it became"))
    def given(self, row: Redemption) -> SafeString:
        found = Entitlement.objects.filter(redemption=row).select_related("gift").order_by("pk")
        lines = ((each.gift.name, status_mark(each.status, each.get_status_display())) for each in found)
        return format_html_join("", "<p>{} {}</p>", lines) or SafeString("—")

    @admin.display(description=_("postings"))
    def postings(self, row: Redemption) -> SafeString:
        found = Posting.objects.filter(redemption=row).select_related("target").order_by("pk")
        lines = (
            (
                link(_signed(each, row), page_of(each)),
                each.get_reason_display(),
            )
            for each in found
        )
        return format_html_join("", "<p>{} <span class='soft'>{}</span></p>", lines) or SafeString("—")

    @admin.display(description="")
    def acts(self, row: Redemption) -> SafeString | str:
        if row.purpose == Purpose.PURCHASE and row.status == Status.CAPTURED:
            return post_button(_("Call off…"), self.post_path("call_off", row.pk), tone="danger", icon="undo")
        if row.purpose == Purpose.ORDER and row.status == Status.RESERVED:
            return post_button(_("Release"), self.post_path("release", row.pk), icon="lock_open")
        return ""

    # Buttons

    def call_off(self, request: HttpRequest, pk: int) -> Answer:
        row = get_object_or_404(Redemption.objects.select_related("gift", "asset"), pk=pk, purpose=Purpose.PURCHASE)
        reason = request.POST.get("reason", "").strip()
        if not reason:
            return self._asked_why(request, row)
        with transaction():
            purchases.cancel(redemption_id=pk, reason=reason, actor=actor_of(request), at=now())
        return gettext("Called off: %(amount)s went back.") % {"amount": _in_words(row.amount, row.asset)}

    def _asked_why(self, request: HttpRequest, row: Redemption) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Call the purchase of “%(gift)s” off?") % {"gift": row.gift},
            "row": row,
            "who": names_of([row.member_id])[row.member_id],
            "paid": _in_words(row.amount, row.asset),
            "act_url": self.post_path("call_off", row.pk),
        }
        return TemplateResponse(request, "rewards/call_off.html", context)

    def release(self, request: HttpRequest, pk: int) -> str:
        with transaction():
            released = reservations.release(redemption_id=pk, at=now())
            audit(request, action="redemption.released", target=f"redemption:{pk}")
        return gettext("Released: %(amount)s went back.") % {"amount": _in_words(released.amount, released.asset)}


def _in_words(amount: int, asset: Asset) -> str:
    """Return an amount as a part of a sentence: "400 points"."""
    return giving.words(kind=asset.kind, what="" if asset.code == assets.POINTS else asset.code, amount=amount)


def _signed(posting: Posting, row: Redemption) -> str:
    is_back = posting.target.kind == Account.Kind.MEMBER
    return units.signed(posting.amount if is_back else -posting.amount, row.asset)

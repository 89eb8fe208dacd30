"""The ledger in the back office. It is read, by everyone, and changed by nobody."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from core.backoffice import AppendOnlyAdmin, audit, link, path_to
from members.names import names_of
from rewards import sentences, sheets, units
from rewards.admin import ledger_sheet
from rewards.admin.ledger_sheet import member_id_of, other_of
from rewards.models import Account, Asset, Lot, LotUse, Posting
from tenants.clock import now


class AssetFilter(admin.SimpleListFilter):
    """Of one asset; offered where there are several."""

    title = _("asset")
    parameter_name = "asset"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        found = [(asset.code, asset.name) for asset in Asset.objects.order_by("pk")]
        return found if len(found) > 1 else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Posting]) -> QuerySet[Posting]:
        return queryset.filter(source__asset__code=self.value()) if self.value() else queryset


class MemberFilter(admin.SimpleListFilter):
    """Of one member: no choice in the list, but the address that a member's page leads to."""

    title = _("member")
    parameter_name = "member"
    template = "admin/nothing.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("", "")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Posting]) -> QuerySet[Posting]:
        given = self.value() or ""
        if not given.isdecimal() or len(given) > 18:
            return queryset
        accounts = list(Account.objects.filter(member_id=int(given)).values_list("pk", flat=True))
        return queryset.filter(Q(source__in=accounts) | Q(target__in=accounts))


@admin.register(Posting)
class PostingAdmin(AppendOnlyAdmin):
    """The ledger. It is read, by everyone, and changed by nobody."""

    list_display = ["number", "at", "who", "change", "reason", "why", "other"]
    list_display_links = ["number"]
    list_filter = ["reason", AssetFilter, MemberFilter]
    list_before_template = "rewards/ledger_export.html"
    ordering = ["-pk"]
    paginator = InfinitePaginator
    show_full_result_count = False
    search_fields = ["=key"]
    search_help_text = _("The whole key of a posting")
    fieldsets = [
        (None, {"fields": ["at", "who", "change", "reason", "why", "note"]}),
        (_("What it follows from"), {"fields": ["for_reward", "for_redemption", "reversed_posting"]}),
        (_("Accounts and lots"), {"fields": ["taken_from", "given_to", "lot", "lots_used", "key"]}),
    ]
    readonly_fields = ["who", "change", "why", "for_reward", "for_redemption", "reversed_posting"]
    readonly_fields += ["taken_from", "given_to", "lot", "lots_used"]

    def get_urls(self) -> list[URLPattern]:
        export = self.post_url("export/", self.export, name="export", permission="rewards.view_posting")
        return [export, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        return sentences.told(super().get_queryset(request))

    def dress(self, rows: Sequence[Any]) -> None:
        names = names_of(member_id_of(row) for row in rows)
        for row in rows:
            row.member_name = names.get(member_id_of(row) or 0, "")

    def export(self, request: HttpRequest) -> HttpResponse:
        """Give what the list shows as a table: the newest rows, at most ROWS_MAX of them. It is noted: by POST."""
        shown = self.get_changelist_instance(request).get_queryset(request)
        audit(request, action="posting.exported", target="posting:", changes={"filter": request.GET.urlencode()})
        return sheets.download(
            text=ledger_sheet.text_of(shown), name=f"ledger-{timezone.localdate(now()):%Y-%m-%d}.csv"
        )

    # Columns

    def name_of(self, row: Any) -> str:
        return f"#{row.pk}"

    @admin.display(description=_("number"), ordering="pk")
    def number(self, posting: Posting) -> str:
        return f"#{posting.pk}"

    @admin.display(description=_("member"))
    def who(self, posting: Any) -> SafeString | str:
        member_id = member_id_of(posting)
        if member_id is None:
            return "—"
        name = getattr(posting, "member_name", None) or names_of([member_id])[member_id]
        return link(name, path_to("members.member", member_id))

    @admin.display(description=_("change"), ordering="amount")
    def change(self, posting: Posting) -> SafeString:
        return format_html('<b class="num strong nowrap">{}</b>', _change(posting))

    @admin.display(description=_("why"))
    def why(self, posting: Posting) -> SafeString:
        return format_html('<span class="wraps">{}</span>', sentences.of_posting(posting))

    @admin.display(description=_("other account"))
    def other(self, posting: Posting) -> str:
        return str(other_of(posting).get_kind_display())

    @admin.display(description=_("from"))
    def taken_from(self, posting: Posting) -> SafeString | str:
        return self._account(posting, posting.source)

    @admin.display(description=_("to"))
    def given_to(self, posting: Posting) -> SafeString | str:
        return self._account(posting, posting.target)

    def _account(self, posting: Posting, account: Account) -> SafeString | str:
        return str(account.get_kind_display()) if account.member_id is None else self.who(posting)

    @admin.display(description=_("reward"))
    def for_reward(self, posting: Posting) -> SafeString | str:
        if posting.reward is None:
            return "—"
        return link(f"#{posting.reward_id} {posting.reward.campaign}", path_to("rewards.reward", posting.reward_id))

    @admin.display(description=_("redemption"))
    def for_redemption(self, posting: Posting) -> SafeString | str:
        if posting.redemption is None:
            return "—"
        told = f"#{posting.redemption_id} {posting.redemption.get_purpose_display()}"
        try:
            return link(told, path_to("rewards.redemption", posting.redemption_id))
        except NoReverseMatch:
            return told

    @admin.display(description=_("reverses"))
    def reversed_posting(self, posting: Posting) -> SafeString | str:
        return _to_posting(posting.reverses_id) if posting.reverses_id else "—"

    @admin.display(description=_("lot that it opened"))
    def lot(self, posting: Posting) -> str:
        found = Lot.objects.filter(pk=posting.pk).first()
        if found is None:
            return "—"
        told = {"left": units.bare(found.remaining, posting.target.asset), "until": _until(found)}
        return gettext("%(left)s left, %(until)s") % told

    @admin.display(description=_("lots that it used"))
    def lots_used(self, posting: Posting) -> SafeString | str:
        rows = LotUse.objects.filter(posting=posting).select_related("lot").order_by("pk")
        lines = (
            (units.bare(use.amount, posting.source.asset), _to_posting(use.lot_id), _until(use.lot)) for use in rows
        )
        return format_html_join("", '<p>{} · {} <span class="soft">{}</span></p>', lines) or "—"


def _change(posting: Posting) -> str:
    asset = posting.source.asset
    if posting.target.kind == Account.Kind.MEMBER:
        return units.signed(posting.amount, asset)
    is_given = posting.source.kind == Account.Kind.MEMBER
    return units.signed(-posting.amount, asset) if is_given else units.written(posting.amount, asset)


def _to_posting(posting_id: int) -> SafeString:
    return link(f"#{posting_id}", path_to("rewards.posting", posting_id))


def _until(lot: Lot) -> str:
    if lot.expires_at is None:
        return gettext("without a day of its own")
    last = timezone.localtime(lot.expires_at - units.INSTANT)
    return gettext("usable until %(day)s") % {"day": date_format(last, "DATE_FORMAT")}

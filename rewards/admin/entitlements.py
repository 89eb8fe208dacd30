"""What members were given besides units, in the back office: found by member or by code, marked used, cancelled."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from core.backoffice import AppendOnlyAdmin, audit, link, list_of, may, path_to, post_button, without
from core.db import transaction
from core.errors import Failure
from core.money import format_money
from core.templatetags.backoffice import status_mark
from members import search
from members.names import names_of
from rewards import cancelling, entitlements, issuing, purchases, units
from rewards.admin import histories
from rewards.admin.by_hand import require
from rewards.admin.hand_forms import ReasonForm, page
from rewards.admin.who import actor_of
from rewards.models import Entitlement, Gift, Reward
from tenants.clock import now

CHANGE = "rewards.change_entitlement"
TONES = {"issued": "granted", "used": "handled", "unknown": "failed", "cancelled": "rejected", "delivered": "granted"}
Status = Entitlement.Status
FOUND_MAX = 100


@admin.register(Entitlement)
class EntitlementAdmin(AppendOnlyAdmin):
    """Everything that was given, whatever came of it."""

    list_display = ["number", "day", "who", "gift", "code_end", "last_day", "state"]
    list_display_links = ["number"]
    list_filter = ["kind", "status", "gift"]
    list_select_related = ["gift"]
    list_before_template = "rewards/entitlement_find.html"
    ordering = ["-pk"]
    paginator = InfinitePaginator
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["state", "acts", "who", "kind", "gift", "worth", "code_end", "reveal"]}),
        (_("Where it comes from"), {"fields": ["origin", "actor", "key"]}),
        (_("Times"), {"fields": ["created_at", "issued_at", "valid_from", "valid_until", "shown_at"]}),
        (_("What came of it"), {"fields": ["used_at", "used_for", "ended_at", "ended_why", "problem", "history"]}),
    ]
    readonly_fields = ["state", "acts", "who", "worth", "code_end", "reveal", "origin", "history"]

    def get_urls(self) -> list[URLPattern]:
        cancel = self.admin_site.admin_view(self.cancel_view)
        return [
            self.post_url("find/", self.find, name="find", permission="rewards.view_entitlement"),
            path("<int:pk>/cancel/", cancel, name="rewards_entitlement_cancel"),
            self.post_url("<int:pk>/used/", self.mark_used, name="used", permission=CHANGE),
            self.post_url("<int:pk>/reveal/", self.show_code, name="reveal", permission=CHANGE),
            *super().get_urls(),
        ]

    def dress(self, rows: Sequence[Any]) -> None:
        names = names_of(row.member_id for row in rows)
        for row in rows:
            row.member_name = names[row.member_id]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        hidden = set() if may(CHANGE)(request) else {"acts", "reveal"}
        if obj is not None:
            hidden |= set() if obj.code else {"reveal"}
            hidden |= {"acts"} if obj.status in {*entitlements.OVER, Status.USED} else set()
        return without(self.fieldsets, hidden)

    # Columns

    def name_of(self, row: Any) -> str:
        return f"#{row.pk}"

    @admin.display(description=_("number"), ordering="pk")
    def number(self, entitlement: Entitlement) -> str:
        return f"#{entitlement.pk}"

    @admin.display(description=_("member"))
    def who(self, entitlement: Any) -> SafeString:
        name = getattr(entitlement, "member_name", None) or names_of([entitlement.member_id])[entitlement.member_id]
        return link(name, path_to("members.member", entitlement.member_id))

    @admin.display(description=_("code"))
    def code_end(self, entitlement: Entitlement) -> str:
        return entitlements.masked(entitlements.code_of(entitlement)) if entitlement.code else "—"

    @admin.display(description=_("created at"), ordering="created_at")
    def day(self, entitlement: Entitlement) -> str:
        return date_format(timezone.localtime(entitlement.created_at), "SHORT_DATE_FORMAT")

    @admin.display(description=_("valid until"), ordering="valid_until")
    def last_day(self, entitlement: Entitlement) -> str:
        if entitlement.valid_until is None:
            return "—"
        return date_format(timezone.localtime(entitlement.valid_until - units.INSTANT), "SHORT_DATE_FORMAT")

    @admin.display(description=_("status"), ordering="status")
    def state(self, entitlement: Entitlement) -> SafeString:
        tone = TONES.get(entitlement.status, entitlement.status)
        return status_mark(tone, entitlement.get_status_display())

    @admin.display(description="")
    def acts(self, entitlement: Entitlement) -> SafeString | str:
        found = []
        if entitlement.status == Status.ISSUED:
            found.append(post_button(_("Mark used"), self.post_path("used", entitlement.pk), icon="check"))
        if entitlement.status not in {*entitlements.OVER, Status.USED}:
            found.append(link(_("Cancel…"), self.post_path("cancel", entitlement.pk)))
        return format_html('<span class="acts">{}</span>', format_html("{}" * len(found), *found)) if found else "—"

    # Its page

    @admin.display(description=_("value"))
    def worth(self, entitlement: Entitlement) -> str:
        if not entitlement.value_minor:
            return "—"
        return format_money(entitlement.value_minor, entitlement.currency, get_language() or "en")

    @admin.display(description="")
    def reveal(self, entitlement: Entitlement) -> SafeString | str:
        if not entitlement.code:
            return "—"
        title = _("It is noted who has looked.")
        url = self.post_path("reveal", entitlement.pk)
        return post_button(_("Show the code"), url, icon="visibility", title=title)

    @admin.display(description=_("comes from"))
    def origin(self, entitlement: Entitlement) -> SafeString | str:
        if entitlement.reward_id:
            return link(_("Reward #%s") % entitlement.reward_id, path_to("rewards.reward", entitlement.reward_id))
        if entitlement.redemption_id:
            url = path_to("rewards.redemption", entitlement.redemption_id)
            return link(_("Purchase #%s") % entitlement.redemption_id, url)
        return entitlement.actor or "—"

    @admin.display(description=_("history"))
    def history(self, entitlement: Entitlement) -> SafeString:
        return histories.of_entitlement(entitlement)

    # What one does

    def find(self, request: HttpRequest) -> HttpResponse:
        """Find by a member or a whole code that was typed. By POST: in a URL either would end up in logs."""
        typed = request.POST.get("who", "").strip()
        by_member = Q(member_id__in=search.find(typed)) if typed else Q(pk__in=[])
        rows = Entitlement.objects.filter(by_member | Q(code_index__in=_indexes_of(typed))).order_by("-pk")
        found = list(rows.values_list("pk", flat=True)[:FOUND_MAX])
        if not found:
            messages.warning(request, gettext("Nothing was given to anybody known by that, and there is no such code."))
            return HttpResponseRedirect(list_of(Entitlement))
        return HttpResponseRedirect(f"{list_of(Entitlement)}?id__in={','.join(map(str, found))}")

    def mark_used(self, request: HttpRequest, pk: int) -> str:
        with transaction():
            entitlements.lock()
            entitlements.mark_used(entitlement=_get(pk), used_for="", actor=request.user.get_username(), at=now())
        audit(request, action="entitlement.used", target=f"entitlement:{pk}")
        return gettext("Marked as used.")

    def show_code(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the code on a page of its own, never in a message: messages are kept, in a cookie or a session."""
        found = _get(pk)
        audit(request, action="entitlement.revealed", target=f"entitlement:{pk}")
        told = {"code": entitlements.code_of(found) or "—", "back_url": path_to("rewards.entitlement", pk)}
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": f"{found.gift} #{pk}"}
        return TemplateResponse(request, "rewards/stock_code.html", frame | told)

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, and cancel it, with the reward or the purchase that it comes from."""
        require(request, CHANGE)
        found = _get(pk)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            self._cancel(request, found, form.cleaned_data["reason"])
            return HttpResponseRedirect(path_to("rewards.entitlement", pk))
        note = gettext(
            "The reward or the purchase that it comes from is cancelled with it, and what a rule gave along with it."
        )
        title = gettext("Cancel “%(gift)s”") % {"gift": found.gift}
        return page(request, self, title=title, form=form, press=gettext("Cancel it"), note=note)

    def _cancel(self, request: HttpRequest, found: Entitlement, reason: str) -> None:
        try:
            with transaction():
                lost = _call_off(request, found, reason)
        except Failure as failure:
            messages.error(request, str(failure))
            return
        if lost:
            messages.warning(request, gettext("It could not be taken back: it is written down as lost."))
        else:
            messages.success(request, gettext("Cancelled."))


def _call_off(request: HttpRequest, found: Entitlement, reason: str) -> bool:
    """Cancel whatever it comes from, and tell whether it is lost."""
    actor, at = actor_of(request), now()
    if found.reward_id is not None:
        reward = issuing.get(reward_id=found.reward_id)
        return bool(cancelling.cancel(reward=reward, reason=reason, actor=actor, at=at).lost)
    if found.redemption_id is not None:
        purchases.cancel(redemption_id=found.redemption_id, reason=reason, actor=actor, at=at)
        return False
    entitlements.lock()
    for why in entitlements.stop(entitlements=[found], why=reason, actor=actor.name, at=at).values():
        sentence = gettext("It cannot be taken back: %(why)s.") % {"why": Reward.LostWhy(why).label}
        raise entitlements.EntitlementChanged(sentence)
    actor.note(action="entitlement.cancelled", target=f"entitlement:{found.pk}", changes={"reason": reason}, at=at)
    return False


def _get(pk: int) -> Entitlement:
    found = Entitlement.objects.filter(pk=pk).select_related("gift").first()
    if found is None:
        raise Http404
    return found


def _indexes_of(code: str) -> list[str]:
    """Return what a code is found by, as a discount's and as any brand's certificate."""
    brands = Gift.objects.filter(kind=Gift.Kind.CERTIFICATE).values_list("pk", flat=True)
    asked = [(Gift.Kind.DISCOUNT.value, 0), *((Gift.Kind.CERTIFICATE.value, pk) for pk in brands)]
    return [entitlements.index_of(kind=kind, gift_id=gift_id, code=code) for kind, gift_id in asked]

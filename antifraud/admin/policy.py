"""How careful the tenant is: its policy, those of campaigns, and what is tried beside them."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from antifraud.admin.policy_forms import SignalsForm, TenantForm
from antifraud.admin.shadow_pages import ShadowPages
from antifraud.judging import policies
from antifraud.models import FraudPolicy, Listing
from antifraud.moderation import figures
from antifraud.moderation.precision import Precision
from campaigns.models import Campaign
from core.backoffice import audit, changes_of, list_of, page_of, post_button
from core.db import transaction
from tenants.clock import now

PRECISION_DAYS = 30
CAMPAIGNS_MAX = 500


@admin.register(FraudPolicy)
class FraudPolicyAdmin(ShadowPages):
    """The tenant's policy, and from it the others."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.policy_view)
        return [
            path("<int:object_id>/change/", page, name=self._url_name("change")),
            self.post_url("add-campaign/", self.add_campaign, name="add_campaign"),
            self.post_url("<int:pk>/restore/", self.restore, name="restore"),
            self.post_url("<int:pk>/remove/", self.remove, name="remove"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(page_of(policies.tenants()))

    def policy_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show a policy, or change it."""
        row = self.get(request, object_id)
        form = _form(request, row)
        may_change = self.has_change_permission(request)
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            if form.is_valid():
                self._save(request, row, form)
                messages.success(request, gettext("Saved. It counts for what is earned from now on."))
                return HttpResponseRedirect(page_of(row))
        told = {
            "form": form,
            "rows": list(form.rows(precisions())),
            "others": [] if row.campaign_id else list(_others()),
            "campaigns": [] if row.campaign_id else list(_campaigns()),
            "add_url": self.post_path("add_campaign"),
            "buttons": self._buttons(row) if may_change else [],
            "lists_url": f"{list_of(Listing)}?show=exempt",
            "may_change": may_change,
        }
        return self.page(request, row, "admin/antifraud/fraudpolicy/policy.html", title=self.name_of(row), **told)

    def _buttons(self, row: FraudPolicy) -> list[SafeString]:
        restore = post_button(_("Restore defaults"), self.post_path("restore", row.pk), icon="restart_alt")
        if row.campaign_id is None:
            return [restore]
        label = _("Remove: your own policy counts")
        return [restore, post_button(label, self.post_path("remove", row.pk), tone="danger", icon="delete")]

    # One click

    def add_campaign(self, request: HttpRequest) -> HttpResponse:
        """Give a campaign a policy of its own, and go there."""
        campaign = Campaign.objects.filter(pk=_number(request.POST.get("campaign")), is_builtin=False).first()
        if campaign is None:
            raise Http404
        with transaction():
            row = policies.add(campaign=campaign)
            audit(request, action="fraudpolicy.added", target=_target(row))
        return HttpResponseRedirect(page_of(row))

    def restore(self, request: HttpRequest, pk: int) -> str:
        """Say of thresholds and signals again what the row stands over."""
        row = self.get(request, pk)
        before = {"flag_from": row.flag_from, "refuse_from": row.refuse_from, "signals": row.signals}
        with transaction():
            policies.write(row=row, wanted=policies.base_of(row))
            audit(request, action="fraudpolicy.restored", target=_target(row), changes={"before": before})
        return gettext("Thresholds and signals are as they were made.")

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a campaign's own policy away: the tenant's counts for it again."""
        row = self.get(request, pk)
        if row.campaign_id is None:
            raise Http404
        with transaction():
            audit(request, action="fraudpolicy.deleted", target=_target(row), changes={"signals": row.signals})
            row.delete()
        messages.success(request, gettext("The campaign is judged by your own policy again."))
        return HttpResponseRedirect(page_of(policies.tenants()))

    def _save(self, request: HttpRequest, row: FraudPolicy, form: SignalsForm) -> None:
        with transaction():
            policies.write(row=row, wanted=form.wanted())
            if isinstance(form, TenantForm):
                form.fill(row)
                row.save()
            audit(request, action="fraudpolicy.changed", target=_target(row), changes=changes_of(form))


def precisions() -> dict[str, Precision]:
    """Return by signal how often it was right in the last month."""
    at = now()
    found = figures.precisions(since=at - timedelta(days=PRECISION_DAYS), until=at)
    return {each.signal: each for each in found}


def _form(request: HttpRequest, row: FraudPolicy) -> SignalsForm:
    shown = {"shown": policies.live_of(row), "base": policies.base_of(row)}
    sent = request.POST if request.method == "POST" else None
    return SignalsForm(sent, **shown) if row.campaign_id else TenantForm(sent, row=row, **shown)


def _others() -> Any:
    return FraudPolicy.objects.filter(campaign__isnull=False).select_related("campaign").order_by("campaign__name")


def _campaigns() -> Any:
    """Return the campaigns that have no policy of their own."""
    taken = FraudPolicy.objects.filter(campaign__isnull=False).values("campaign")
    return Campaign.objects.filter(is_builtin=False).exclude(pk__in=taken).order_by("name")[:CAMPAIGNS_MAX]


def _target(row: FraudPolicy) -> str:
    return f"fraudpolicy:{row.pk} {row.campaign or ''}".strip()


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 18 else 0

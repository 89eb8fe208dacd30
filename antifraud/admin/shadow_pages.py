"""Trying another policy beside one: what it says, how it compares, and one click to judge by it."""

from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from antifraud.admin.policy_forms import SignalsForm
from antifraud.judging import policies, reasons, shadows
from antifraud.models import FraudPolicy
from antifraud.stops import measures
from core.backoffice import SingletonAdmin, audit, changes_of, page_of, path_to, post_button
from core.db import transaction
from core.errors import Failure
from members.names import names_of
from tenants import context, periods
from tenants.clock import now

PERIOD_DAYS, PERIOD_DAYS_MAX = 30, 366
PAGE_SIZE = 50
ANSWERS = {"allow": _("given"), "flag": _("waits"), "refuse": _("not given")}


class ShadowPages(SingletonAdmin):
    """The pages of what is tried, beside the page of the policy."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/shadow/", view(self.shadow_view), name=self._url_name("shadow")),
            path("<int:pk>/compare/", view(self.compare_view), name=self._url_name("compare")),
            path("<int:pk>/make-live/", view(self.make_live_view), name=self._url_name("make_live")),
            self.post_url("<int:pk>/end-shadow/", self.end_shadow, name="end_shadow"),
            *super().get_urls(),
        ]

    def name_of(self, row: FraudPolicy) -> str:
        return str(row.campaign) if row.campaign else super().name_of(row)

    def get(self, request: HttpRequest, pk: int) -> FraudPolicy:
        """Return a row for whoever may see it."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        row = FraudPolicy.objects.filter(pk=pk).select_related("campaign").first()
        if row is None:
            raise Http404
        return row

    def page(self, request: HttpRequest, row: FraudPolicy, template: str, *, title: str, **told: Any) -> HttpResponse:
        """Return one of a policy's pages."""
        name = self._url_name
        urls = {
            "policy_url": page_of(row),
            "shadow_url": reverse(f"admin:{name('shadow')}", args=[row.pk]),
            "compare_url": reverse(f"admin:{name('compare')}", args=[row.pk]),
            "make_live_url": reverse(f"admin:{name('make_live')}", args=[row.pk]),
            "tenant_url": page_of(policies.tenants()) if row.campaign_id else "",
        }
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "row": row}
        told.setdefault("may_change", self.has_change_permission(request))
        return TemplateResponse(request, template, {**frame, **urls, **told})

    def shadow_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what is tried, or what would be; begin, or change it."""
        row = self.get(request, pk)
        live = policies.live_of(row)
        shown = policies.shadow_of(row) if row.shadow is not None else live
        form = SignalsForm(request.POST if request.method == "POST" else None, shown=shown, base=live)
        if request.method == "POST":
            self._require_change(request)
            if form.is_valid():
                with transaction():
                    policies.try_beside(row=row, wanted=form.wanted(), at=now())
                    audit(request, action="fraudpolicy.tried", target=f"fraudpolicy:{row.pk}", changes=changes_of(form))
                messages.success(request, gettext("It is tried from now on. Nothing is decided by it."))
                return HttpResponseRedirect(reverse(f"admin:{self._url_name('compare')}", args=[pk]))
        end = post_button(_("Try it no more"), self.post_path("end_shadow", pk), icon="stop")
        told = {"form": form, "rows": list(form.rows({})), "is_shadow": True, "end_button": end}
        title = gettext("Try another policy beside this one")
        return self.page(request, row, "admin/antifraud/fraudpolicy/policy.html", title=title, **told)

    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show how what is tried would have decided, over any past period."""
        row = self.get(request, pk)
        since, until = _period(request)
        told: dict[str, Any] = {"since": since, "until": until}
        if row.shadow is not None:
            told |= _compared(request, row, since, until)
        return self.page(
            request, row, "admin/antifraud/fraudpolicy/compare.html", title=gettext("Two policies side by side"), **told
        )

    def make_live_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask once more, and judge by what was tried."""
        row = self.get(request, pk)
        self._require_change(request)
        if request.method == "POST":
            try:
                with transaction():
                    policies.make_live(row=row, at=now())
                    changes = {"flag_from": row.flag_from, "refuse_from": row.refuse_from, "signals": row.signals}
                    audit(request, action="fraudpolicy.made_live", target=f"fraudpolicy:{row.pk}", changes=changes)
            except Failure as failure:
                messages.error(request, str(failure))
            else:
                messages.success(request, gettext("Swapped: what you had is tried beside it now."))
            return HttpResponseRedirect(page_of(row))
        title = gettext("Judge by what was tried")
        return self.page(request, row, "admin/antifraud/fraudpolicy/make_live.html", title=title)

    def end_shadow(self, request: HttpRequest, pk: int) -> str:
        """Try nothing more."""
        row = self.get(request, pk)
        with transaction():
            policies.end_trial(row=row)
            audit(request, action="fraudpolicy.trial_ended", target=f"fraudpolicy:{row.pk}")
        return gettext("No other policy is tried any more. What was recorded stays.")

    def _require_change(self, request: HttpRequest) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied


def _compared(request: HttpRequest, row: FraudPolicy, since: date, until: date) -> dict[str, Any]:
    zone = context.zone()
    found = shadows.compare(
        row=row,
        live=policies.live_of(row),
        shadow=policies.shadow_of(row),
        since=periods.midnight(since, zone=zone),
        until=periods.midnight(until + timedelta(days=1), zone=zone),
    )
    pages = Paginator(found.differing, PAGE_SIZE)
    shown = pages.get_page(request.GET.get("page"))
    names = names_of(each.member_id for each in shown)
    return {
        "found": found,
        "sums": [
            (label, each, measures.written(metric="cost", number=each.cost_minor)) for label, each in _sums(found)
        ],
        "shown": shown,
        "lines": [_line(each, names) for each in shown],
    }


def _sums(found: shadows.Comparison) -> list[tuple[str, shadows.Sum]]:
    return [
        (gettext("More would wait for a moderator"), found.more("flag")),
        (gettext("More would not be given at all"), found.more("refuse")),
        (gettext("Of those that waited, it lets go"), found.fewer("flag")),
        (gettext("Of those not given, it is softer on"), found.fewer("refuse")),
    ]


def _line(each: shadows.Differing, names: dict[int, str]) -> dict[str, Any]:
    reward_url = path_to("rewards.reward", each.reward_id) if each.reward_id else path_to("events.event", each.event_id)
    return {
        "name": names[each.member_id],
        "member_url": path_to("members.member", each.member_id),
        "reward_url": reward_url,
        "case_url": path_to("antifraud.case", each.case_id) if each.case_id else "",
        "signals": [reasons.short(name) for name in each.signals],
        "live": ANSWERS[each.live],
        "shadow": ANSWERS[each.shadow],
        "is_more": each.is_more,
        "status": each.status,
        "cost": _money(each.cost_minor) if each.reward_id else "",
        "at": each.at,
    }


def _money(minor: int) -> str:
    return measures.written(metric="cost", number=minor)


def _period(request: HttpRequest) -> tuple[date, date]:
    """Return the first and the last day that are asked for, by the tenant's clock; the last month unless said."""
    today = now().astimezone(context.zone()).date()
    until = min(_day(request.GET.get("until")) or today, today)
    since = min(_day(request.GET.get("since")) or until - timedelta(days=PERIOD_DAYS - 1), until)
    return max(since, until - timedelta(days=PERIOD_DAYS_MAX - 1)), until


def _day(text: str | None) -> date | None:
    try:
        found = datetime.strptime(text or "", "%Y-%m-%d").date()  # noqa: DTZ007 (a day has no zone)
    except ValueError:
        return None
    return found if found.year >= 2000 else None

"""What is owed in all, as pages: the liability, and the payouts of money."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext

from core import money
from core.backoffice import audit, path_to
from rewards import liability, sheets, units
from rewards.admin.payouts import PayoutPages
from rewards.liability import Liability, Owed
from rewards.models import Account, Gift
from tenants.clock import now

VIEW = "rewards.view_account"
BAR_HEIGHT = 100


@admin.register(Account)
class AccountAdmin(PayoutPages):
    """The list of accounts is told as one page: what lies on them, and what becomes of it."""

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("export/", self.export, name="export", permission=VIEW),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = liability.liability(at=now())
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Liability"),
            "liability": found,
            "figures": _figures(found),
            "assets": [_shown(each, found.currency) for each in found.assets if each.is_anything],
            "things": [_thing(each, found.currency) for each in found.things],
            "export_url": self.post_path("export"),
        }
        return TemplateResponse(request, "rewards/liability.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Go to the account's member: what is on it is told there."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        account = self.get_object(request, object_id)
        if account is None or account.member_id is None:
            raise Http404
        return HttpResponseRedirect(path_to("members.member", account.member_id))

    def export(self, request: HttpRequest) -> HttpResponse:
        """Give the page's figures as CSV, and note that it was done."""
        at = now()
        found = liability.liability(at=at)
        audit(request, action="liability.exported", target="liability")
        text = sheets.sheet(header=liability.HEADER, rows=liability.rows_of(found))
        return sheets.download(text=text, name=f"liability-{at:%Y-%m-%d}.csv")


def _money(amount_minor: int, currency: str) -> str:
    return money.format_money(amount_minor, currency, get_language() or "en")


def _figures(found: Liability) -> list[tuple[str, str, str, str]]:
    worth = [
        ("account_balance_wallet", gettext("Owed now"), found.owed_minor, gettext("usable, or set aside")),
        ("hourglass_top", gettext("On its way"), found.coming_minor, gettext("on hold, promised, with moderators")),
        ("redeem", gettext("Besides units"), found.things_minor, gettext("certificates, codes, products")),
        ("timer_off", gettext("Expected breakage"), found.breakage_minor, gettext("will expire at today's rate")),
    ]
    return [(icon, title, _money(amount, found.currency), note) for icon, title, amount, note in worth]


def _shown(owed: Owed, currency: str) -> dict[str, Any]:
    return {
        "name": owed.asset.name,
        "rate": _rate(owed, currency),
        "breakage": "—" if owed.breakage_bps is None else f"{number_format(owed.breakage_bps / 100, 1)} %",
        "rows": [_row(owed, label, amount, currency) for label, amount in _rows(owed)],
        "months": _bars(owed),
        "has_months": any(month.expiring or month.maturing for month in owed.months),
    }


def _rows(owed: Owed) -> list[tuple[str, int]]:
    told = [
        (gettext("Usable now"), owed.outstanding - owed.expired),
        (gettext("Set aside for orders and payouts"), owed.escrow),
        (gettext("Owed in all"), owed.owed),
        (gettext("On hold"), owed.pending),
        (gettext("With moderators"), owed.flagged),
        (gettext("Promised"), owed.promised),
        (gettext("Owed by members"), owed.debts),
        (gettext("Its last day is over: goes tonight"), owed.expired),
        (gettext("Expires later than in twelve months"), owed.later),
        (gettext("Expires after days of rest"), owed.idle),
        (gettext("Never expires"), owed.never),
        (gettext("Expected breakage"), owed.breakage_expected),
    ]
    # The first three are the answer to what the page is for; of the rest there is often nothing.
    return [*told[:3], *(each for each in told[3:] if each[1])]


def _row(owed: Owed, label: str, amount: int, currency: str) -> tuple[str, str, str]:
    return label, units.bare(amount, owed.asset), _money(owed.worth_minor(amount), currency)


def _rate(owed: Owed, currency: str) -> str:
    worth = _money(owed.worth_minor(10**owed.asset.scale), currency)
    return gettext("One is worth %(worth)s") % {"worth": worth}


def _bars(owed: Owed) -> list[dict[str, Any]]:
    most = max((max(month.expiring, month.maturing) for month in owed.months), default=0) or 1
    return [
        {
            "begins": month.begins,
            "expiring": units.bare(month.expiring, owed.asset),
            "maturing": units.bare(month.maturing, owed.asset),
            "expiring_height": round(BAR_HEIGHT * month.expiring / most),
            "maturing_height": round(BAR_HEIGHT * month.maturing / most),
        }
        for month in owed.months
    ]


def _thing(thing: liability.Things, currency: str) -> dict[str, Any]:
    return {
        "label": Gift.Kind(thing.kind).label,
        "waiting": thing.waiting,
        "waiting_worth": _money(thing.waiting_minor, currency),
        "unused": thing.unused,
        "unused_worth": _money(thing.unused_minor, currency),
    }

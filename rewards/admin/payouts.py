"""The payouts of money: who is owed, what is set aside, what the bank was given and what came back from it."""

import secrets
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.backoffice import AppendOnlyAdmin, may
from core.db import transaction
from members.names import names_of
from rewards import payout_sheets, payouts, redemptions, sheets, units
from rewards.admin.who import actor_of
from rewards.models import Asset, Redemption
from rewards.payout_sheets import InvalidSheet
from tenants.clock import now

# Nobody changes accounts: whoever might is an admin, and admins pay.
PAY = "rewards.change_account"
SHOWN_MAX = 25
SET_ASIDE_SHOWN_MAX = 200
ERRORS_SHOWN_MAX = 20
FILE_SIZE_BYTES_MAX = 2 * 1024 * 1024

Status = Redemption.Status

WHY_NOT: dict[str, Promise] = {
    "small": _("Less than the smallest payout"),
    "flagged": _("Before a moderator"),
    "blocked": _("Blocked"),
}


class PayoutPages(AppendOnlyAdmin):
    """What the page of an asset of money shows, and what its buttons do."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path("payouts/", self.admin_site.admin_view(self.payouts_view), name="rewards_account_payouts"),
            self.post_url("payouts/<int:asset_id>/prepare/", self.prepare, name="prepare", permission=PAY),
            self.post_url("payouts/<int:asset_id>/export/", self.export_payouts, name="export_payouts", permission=PAY),
            self.post_url("payouts/import/", self.import_payouts, name="import_payouts", permission=PAY),
            self.post_url("payouts/<int:payout_id>/settle/", self.settle, name="settle", permission=PAY),
            self.post_url("payouts/<int:payout_id>/fail/", self.fail, name="fail", permission=PAY),
            *super().get_urls(),
        ]

    def payouts_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        assets = list(Asset.objects.filter(kind=Asset.Kind.MONEY).order_by("pk"))
        chosen = next((each for each in assets if each.code == request.GET.get("asset")), assets[0] if assets else None)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Payouts"),
            "assets": assets,
            "asset": chosen,
            "may_pay": may(PAY)(request),
            "assets_url": reverse("admin:rewards_asset_changelist"),
            **(self._shown(chosen) if chosen else {}),
        }
        return TemplateResponse(request, "rewards/payouts.html", context)

    def _shown(self, asset: Asset) -> dict[str, Any]:
        at = now()
        totals = payouts.totals(asset=asset, at=at)
        held = payouts.standings(asset=asset, at=at, limit=SHOWN_MAX)
        waiting = payouts.list_payouts(asset_id=asset.pk, status=Status.RESERVED).order_by("pk")
        done = payouts.list_payouts(asset_id=asset.pk).exclude(status=Status.RESERVED).order_by("-settled_at", "-pk")
        rows, past = list(waiting[:SET_ASIDE_SHOWN_MAX]), list(done[:SHOWN_MAX])
        names = names_of([*(each.member_id for each in held), *(each.member_id for each in (*rows, *past))])
        return {
            "totals": totals,
            "cards": _cards(asset, totals),
            "minimum": units.written(asset.payout_min, asset) if asset.payout_min else "",
            "held": [_held(each, asset, names) for each in held],
            "waiting": [self._payout(each, names) for each in rows],
            "waiting_count": waiting.count(),
            "past": [self._payout(each, names) for each in past],
            # Each time the page is shown is a run of its own; a button pressed twice is one.
            "prepare_url": f"{self.post_path('prepare', asset.pk)}?run={secrets.token_hex(8)}",
            "export_url": self.post_path("export_payouts", asset.pk),
            "import_url": self.post_path("import_payouts"),
        }

    def _payout(self, row: Redemption, names: dict[int, str]) -> dict[str, Any]:
        return {
            "row": row,
            "name": names[row.member_id],
            "amount": units.written(row.amount, row.asset),
            "settle_url": self.post_path("settle", row.pk),
            "fail_url": self.post_path("fail", row.pk),
        }

    # Buttons

    def prepare(self, request: HttpRequest, asset_id: int) -> str:
        asset = _get_asset(asset_id)
        with transaction():
            made = payouts.prepare(asset=asset, key=request.GET.get("run", ""), by=actor_of(request), at=now())
        if not made:
            return gettext("Nobody can be paid now.")
        told = ngettext(
            "%(amount)s is set aside for %(count)s member.", "%(amount)s is set aside for %(count)s members.", len(made)
        )
        return told % {"amount": units.written(sum(each.amount for each in made), asset), "count": len(made)}

    def export_payouts(self, request: HttpRequest, asset_id: int) -> HttpResponse:
        asset, at = _get_asset(asset_id), now()
        with transaction():
            text = payout_sheets.export(asset=asset, by=actor_of(request), at=at)
        return sheets.download(text=text, name=f"payouts-{asset.code}-{at:%Y-%m-%d}.csv")

    def import_payouts(self, request: HttpRequest) -> str:
        file = request.FILES.get("file")
        if file is None or (file.size or 0) > FILE_SIZE_BYTES_MAX:
            raise InvalidSheet
        with transaction():
            came = payout_sheets.settle(content=file.read(), by=actor_of(request), at=now())
        told = gettext("Paid: %(settled)s. Known before: %(known)s. Rows with an error: %(errors)s.") % {
            "settled": came.settled,
            "known": came.known,
            "errors": len(came.errors),
        }
        return " ".join([told, *_errors(came.errors)])

    def settle(self, request: HttpRequest, payout_id: int) -> str:
        found = redemptions.get(redemption_id=payout_id, purpose=payouts.PAYOUT)
        reference = request.POST.get("reference", "")
        with transaction():
            payouts.settle(redemption=found, reference=reference, by=actor_of(request), at=now())
        return gettext("Paid: %(amount)s.") % {"amount": units.written(found.amount, found.asset)}

    def fail(self, request: HttpRequest, payout_id: int) -> str:
        found = redemptions.get(redemption_id=payout_id, purpose=payouts.PAYOUT)
        with transaction():
            payouts.fail(redemption=found, reason=request.POST.get("reason", ""), by=actor_of(request), at=now())
        return gettext("%(amount)s is back with the member.") % {"amount": units.written(found.amount, found.asset)}


def _errors(errors: Sequence[tuple[int, str | Promise]]) -> list[str]:
    shown = [
        gettext("Row %(number)s: %(problem)s") % {"number": number, "problem": problem}
        for number, problem in errors[:ERRORS_SHOWN_MAX]
    ]
    return [*shown, "…"] if len(errors) > ERRORS_SHOWN_MAX else shown


def _cards(asset: Asset, totals: payouts.Totals) -> list[tuple[str, str, str, str]]:
    amounts = [
        ("savings", gettext("Owed, not payable yet"), totals.owed, totals.members_owed),
        ("payments", gettext("Payable"), totals.payable, totals.members_payable),
        ("inventory_2", gettext("Set aside"), totals.set_aside, None),
        ("task_alt", gettext("Paid"), totals.paid, None),
    ]
    return [
        (
            icon,
            title,
            units.written(amount, asset),
            "" if members is None else gettext("Members: %(count)s") % {"count": members},
        )
        for icon, title, amount, members in amounts
    ]


def _held(standing: payouts.Standing, asset: Asset, names: dict[int, str]) -> dict[str, Any]:
    return {
        "member_id": standing.member_id,
        "name": names[standing.member_id],
        "amount": units.written(standing.amount, asset),
        "is_payable": standing.status == "payable",
        "why_not": WHY_NOT.get(standing.status, ""),
    }


def _get_asset(asset_id: int) -> Asset:
    found = Asset.objects.filter(pk=asset_id).first()
    if found is None:
        raise Http404
    return found

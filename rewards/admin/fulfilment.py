"""What has to be packed and sent: the queue of whoever does it, the oldest first."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.backoffice import AppendOnlyAdmin, audit, may
from core.db import transaction
from members.names import names_of
from rewards import addresses, fulfilment, pictures, sheets, units
from rewards.admin.who import actor_of
from rewards.fulfilment import Shipment
from rewards.models import Entitlement
from tenants.clock import now

# Nobody edits redemptions: whoever might runs the catalogue.
RUN = "rewards.change_redemption"
# Analysts look at numbers: where somebody lives is not theirs to see.
SEE_ADDRESSES = (RUN, "antifraud.decide_case")
PARCELS_A_PAGE = 50
EXPORT_MAX = 5_000

VIEWS: dict[str, tuple[Promise, tuple[str, ...]]] = {
    "placed": (_("To be packed"), ("placed",)),
    "waiting": (_("Out of stock"), ("waiting",)),
    "sent": (_("On its way"), ("sent",)),
    "delivered": (_("Delivered"), ("delivered",)),
    "cancelled": (_("Called off"), ("cancelled",)),
}


class FulfilmentPages(AppendOnlyAdmin):
    """The queue's page, and what its buttons do."""

    def get_urls(self) -> list[URLPattern]:
        def button(route: str, name: str, act: Any) -> URLPattern:
            return self.post_url(f"fulfilment/{route}", act, name=name, permission=RUN)

        return [
            path("fulfilment/", self.admin_site.admin_view(self.queue_view), name="rewards_redemption_fulfilment"),
            button("sent/", "send", self.send),
            button("delivered/", "deliver", self.deliver),
            button("<int:parcel_id>/call-off/", "call_parcel_off", self.call_parcel_off),
            button("<int:parcel_id>/came-back/", "parcel_came_back", self.parcel_came_back),
            button("export/", "export_parcels", self.export_parcels),
            *super().get_urls(),
        ]

    def queue_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        view = request.GET.get("show", "")
        view = view if view in VIEWS else "placed"
        page = Paginator(_parcels(view), PARCELS_A_PAGE).get_page(request.GET.get("p"))
        may_see = may(*SEE_ADDRESSES)(request)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Parcels"),
            "view": view,
            "views": _views(view),
            "page": page,
            "parcels": self._dressed(list(page.object_list), with_addresses=may_see),
            "may_run": may(RUN)(request),
            "may_see": may_see,
            "urls": {name: self.post_path(name) for name in ("send", "deliver", "export_parcels")},
        }
        return TemplateResponse(request, "rewards/fulfilment.html", context)

    def _dressed(self, parcels: Sequence[Entitlement], *, with_addresses: bool) -> list[dict[str, Any]]:
        names = names_of(parcel.member_id for parcel in parcels)
        return [
            {
                "row": parcel,
                "member": names[parcel.member_id],
                "member_url": reverse("admin:members_member_change", args=[parcel.member_id]),
                "from": _origin(parcel),
                "picture": pictures.path_of(parcel.gift.picture),
                "needs_address": "address" in parcel.details,
                "address": addresses.unseal(parcel.details.get("address", "")) if with_addresses else {},
                "shipment": [parcel.details[name] for name in Shipment._fields if parcel.details.get(name)],
                "call_off_url": self.post_path("call_parcel_off", parcel.pk),
                "came_back_url": self.post_path("parcel_came_back", parcel.pk),
            }
            for parcel in parcels
        ]

    # Buttons

    def send(self, request: HttpRequest) -> str:
        shipment = Shipment(*(request.POST.get(name, "") for name in Shipment._fields))
        with transaction():
            sent = fulfilment.mark_sent(ids=_chosen(request), shipment=shipment, actor=actor_of(request), at=now())
        return ngettext("%(count)s parcel is on its way.", "%(count)s parcels are on their way.", len(sent)) % {
            "count": len(sent)
        }

    def deliver(self, request: HttpRequest) -> str:
        with transaction():
            done = fulfilment.mark_delivered(ids=_chosen(request), actor=actor_of(request), at=now())
        return ngettext("%(count)s parcel is delivered.", "%(count)s parcels are delivered.", len(done)) % {
            "count": len(done)
        }

    def call_parcel_off(self, request: HttpRequest, parcel_id: int) -> str:
        with transaction():
            fulfilment.cancel(parcel_id=parcel_id, reason=reason_of(request), actor=actor_of(request), at=now())
        return gettext("Called off: the piece is back, and so is what was paid. A reward is cancelled.")

    def parcel_came_back(self, request: HttpRequest, parcel_id: int) -> str:
        with transaction():
            fulfilment.take_back(parcel_id=parcel_id, reason=reason_of(request), actor=actor_of(request), at=now())
        return gettext("Noted: it came back. The piece is in stock, what was paid is back, and a reward is cancelled.")

    def export_parcels(self, request: HttpRequest) -> HttpResponse:
        view = request.POST.get("show", "placed")
        parcels = list(_parcels(view if view in VIEWS else "placed")[:EXPORT_MAX])
        rows = fulfilment.rows_of(parcels, with_addresses=True)
        audit(request, action="parcel.exported", target=f"parcels:{view}"[:200], changes={"count": len(parcels)})
        return sheets.download(text=sheets.sheet(header=fulfilment.HEADINGS, rows=rows), name="parcels.csv")


def reason_of(request: HttpRequest) -> str:
    """Return the reason that was typed, or that none was."""
    return request.POST.get("reason", "").strip()[:300] or gettext("No reason given")


def _parcels(view: str) -> Any:
    found = fulfilment.queue().filter(status__in=VIEWS[view][1])
    return found if view in {"placed", "waiting", "sent"} else found.order_by("-created_at", "-pk")


def _views(chosen: str) -> list[dict[str, Any]]:
    counts = {view: _parcels(view).count() for view in ("placed", "waiting", "sent")}
    return [
        {"value": view, "label": label, "count": counts.get(view), "selected": view == chosen}
        for view, (label, _statuses) in VIEWS.items()
    ]


def _origin(parcel: Entitlement) -> str:
    if parcel.redemption is not None:
        return gettext("Bought for %(amount)s") % {
            "amount": units.written(parcel.redemption.amount, parcel.redemption.asset)
        }
    if parcel.reward is not None:
        return parcel.reward.campaign.name
    return gettext("Given by %(name)s") % {"name": parcel.actor} if parcel.actor else ""


def _chosen(request: HttpRequest) -> list[int]:
    return [
        int(each) for each in request.POST.getlist("parcel") if each.isascii() and each.isdigit() and len(each) < 19
    ]

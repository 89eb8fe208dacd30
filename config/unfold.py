"""How the back offices look: titles, colours and the order of the menu. Unfold reads the two dictionaries below."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from tenants.models import Tenant

Text = str | Promise

_INDIGO = {
    "50": "oklch(96.6% .016 272)",
    "100": "oklch(93.4% .032 272)",
    "200": "oklch(87.5% .062 272)",
    "300": "oklch(79% .104 272)",
    "400": "oklch(69% .154 272)",
    "500": "oklch(59.5% .198 272)",
    "600": "oklch(51.5% .218 272)",
    "700": "oklch(45.5% .203 272)",
    "800": "oklch(39.5% .168 272)",
    "900": "oklch(35% .126 272)",
    "950": "oklch(25.5% .088 272)",
}

_BOTH: dict[str, Any] = {
    "SITE_URL": None,
    "SITE_SYMBOL": "diversity_3",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("backoffice/icon.svg")},
    ],
    "BORDER_RADIUS": "8px",
    "COLORS": {"primary": _INDIGO},
    "STYLES": [lambda _request: static("backoffice/backoffice.css")],
    "SCRIPTS": [lambda _request: static("backoffice/backoffice.js")],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ACCOUNT": {"navigation": [{"title": _("My settings"), "link": lambda _request: reverse("admin:staff_own")}]},
}

UNFOLD: dict[str, Any] = _BOTH | {
    "SITE_TITLE": "config.unfold.title",
    "SITE_HEADER": "config.unfold.header",
    "SITE_SUBHEADER": "config.unfold.subheader",
    "ENVIRONMENT": "config.unfold.environment",
    "ENVIRONMENT_TITLE_PREFIX": "config.unfold.title_prefix",
    "DASHBOARD_CALLBACK": "analytics.front_page.context",
    "SIDEBAR": {"navigation": "config.unfold.menu"},
}

UNFOLD_PLATFORM: dict[str, Any] = _BOTH | {
    "SITE_TITLE": "Sarafan",
    "SITE_HEADER": "Sarafan",
    "SITE_SUBHEADER": _("The platform"),
    "SITE_SYMBOL": "hub",
    "SIDEBAR": {"navigation": "config.unfold.platform_menu"},
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a menu: a model's list, shown to those who may see it, under the name that the list has."""

    label: str
    icon: str
    # Which figure of `_waiting` stands beside it.
    waits: str = ""
    # Another page than the list, by the name of its address.
    page: str = "changelist"
    # What the page is called, where it is not the list of the model's rows.
    title: Text = ""

    def shown(self, request: HttpRequest, site: AdminSite) -> dict[str, Any] | None:
        """Return the line as Unfold wants it, or None when this user has no business there."""
        from core.templatetags.backoffice import whole  # noqa: PLC0415 (settings import this module)

        model = apps.get_model(self.label)
        if not site.is_registered(model) or not site._registry[model].has_view_or_change_permission(request):
            return None
        opts = model._meta
        line: dict[str, Any] = {
            "title": self.title or capfirst(str(opts.verbose_name_plural)),
            "icon": self.icon,
            "link": reverse(f"admin:{opts.app_label}_{opts.model_name}_{self.page}", current_app=site.name),
        }
        line["active"] = self._is_here(request, line["link"])
        waiting = _waiting(request)[self.waits] if self.waits else 0
        return line | {"badge": whole(waiting), "badge_variant": "danger"} if waiting else line

    def _is_here(self, request: HttpRequest, link: str) -> bool:
        """Tell whether the request is on this page or below it. A list's other pages have lines of their own."""
        pages = {each.page for _title, entries in MENU for each in entries if each.label == self.label}
        below = {page for page in pages if page != "changelist" and f"/{page}/" in request.path}
        return request.path.startswith(link) and (not below or self.page in below)


# Whatever waits for somebody, in one statement: the menu is on every page.
_WAITING = """
SELECT
    (SELECT count(*) FROM antifraud_case WHERE status = 'open') AS cases,
    (SELECT count(*) FROM antifraud_trip WHERE resumed_at IS NULL) AS trips,
    (SELECT count(*) FROM rewards_adjustment WHERE status = 'waiting') AS adjustments,
    (SELECT count(*) FROM rewards_entitlement WHERE kind = 'product' AND status = 'placed') AS parcels,
    (SELECT count(*) FROM integrations_endpoint WHERE status = 'disabled') AS webhooks,
    (SELECT count(*) FROM rewards_provider WHERE problem <> '' AND is_active) AS providers,
    (SELECT count(*) FROM ({low}) low) AS stocks
"""


def _waiting(request: HttpRequest) -> dict[str, int]:
    """Return the figures of the menu's marks, read once for a request."""
    from core.db import fetch  # noqa: PLC0415
    from rewards.certificates.stock import LOW  # noqa: PLC0415
    from tenants.clock import now  # noqa: PLC0415, TID251 (settings import this module; the menu is an edge)

    kept: dict[str, int] | None = getattr(request, "backoffice_waiting", None)
    if kept is None:
        (row,) = fetch(_WAITING.replace("{low}", LOW), {"at": now()})
        kept = row._asdict()
        request.backoffice_waiting = kept  # type: ignore[attr-defined]
    return kept


# In the order of use: what waits, what one works on, what one looks up, what one sets once.
MENU: tuple[tuple[Text, tuple[Entry, ...]], ...] = (
    ("", (Entry("antifraud.Case", "gavel", "cases"),)),
    (
        _("Programme"),
        (
            Entry("campaigns.Campaign", "campaign"),
            Entry("members.Member", "group"),
            Entry("referrals.Referral", "share"),
            Entry("rewards.Reward", "redeem"),
            Entry("rewards.Level", "military_tech"),
            Entry("rewards.Standing", "leaderboard"),
            Entry("events.Event", "bolt"),
        ),
    ),
    (
        capfirst(_("gifts")),
        (
            Entry("rewards.Gift", "storefront"),
            Entry("rewards.Redemption", "shopping_cart"),
            Entry("rewards.Redemption", "package_2", "parcels", page="fulfilment", title=_("Parcels")),
            Entry("rewards.Entitlement", "local_activity"),
            Entry("rewards.StockCode", "inventory_2", "stocks"),
        ),
    ),
    (
        _("Money"),
        (
            Entry("rewards.Account", "account_balance_wallet", title=_("Liability")),
            Entry("rewards.Account", "payments", page="payouts", title=_("Payouts")),
            Entry("rewards.Adjustment", "edit_note", "adjustments"),
            Entry("rewards.Posting", "account_balance"),
        ),
    ),
    (
        _("Safety"),
        (
            Entry("campaigns.Limit", "speed", title=_("Limits")),
            Entry("antifraud.StopRule", "rule"),
            Entry("antifraud.Trip", "front_hand", "trips"),
            Entry("antifraud.Listing", "checklist"),
            Entry("antifraud.Case", "query_stats", page="figures", title=_("How moderation goes")),
        ),
    ),
    (
        _("Settings"),
        (
            Entry("referrals.AttributionPolicy", "ads_click"),
            Entry("antifraud.FraudPolicy", "shield"),
            Entry("rewards.Asset", "toll"),
            Entry("rewards.RewardPolicy", "tune"),
            Entry("rewards.Provider", "hub", "providers"),
            Entry("tenants.ApiKey", "key"),
            Entry("integrations.Endpoint", "webhook", "webhooks"),
            Entry("integrations.Delivery", "outbox"),
            Entry("integrations.Endpoint", "science", page="sandbox", title=_("Sandbox")),
            Entry("staff.Staff", "badge"),
            Entry("staff.AuditEntry", "history"),
        ),
    ),
)
PLATFORM_MENU: tuple[tuple[Text, tuple[Entry, ...]], ...] = (
    (
        "",
        (
            Entry("tenants.Tenant", "storefront"),
            Entry("tenants.Domain", "language"),
            Entry("tenants.ApiKey", "key"),
            Entry("staff.Staff", "badge"),
            Entry("staff.AuditEntry", "history"),
        ),
    ),
)


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    """Return a tenant's menu for this user."""
    from core.backoffice import tenant_site  # noqa: PLC0415 (settings import this module)

    home = {"title": _("Dashboard"), "icon": "monitoring", "link": reverse("admin:index")}
    return [{"title": "", "items": [home]}, *_menu(request, tenant_site, MENU)]


def platform_menu(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the platform's menu for this user."""
    from core.backoffice import platform_site  # noqa: PLC0415 (settings import this module)

    return _menu(request, platform_site, PLATFORM_MENU)


def _menu(
    request: HttpRequest, site: AdminSite, groups: tuple[tuple[Text, tuple[Entry, ...]], ...]
) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] | None = getattr(request, "backoffice_menu", None)
    if kept is None:
        kept = [*_groups(request, site, groups)]
        # Unfold asks more than once for one page, and the badges cost statements.
        request.backoffice_menu = kept  # type: ignore[attr-defined]
    return kept


def _groups(
    request: HttpRequest, site: AdminSite, groups: tuple[tuple[Text, tuple[Entry, ...]], ...]
) -> Iterator[dict[str, Any]]:
    for number, (title, entries) in enumerate(groups):
        items = [line for entry in entries if (line := entry.shown(request, site))]
        if items:
            yield {"title": title, "separator": number > 0, "items": items}


# What a tenant's pages are called


def header(_request: HttpRequest) -> str:
    """Return the name at the top of the menu: the tenant's own."""
    return _tenant().name


def subheader(_request: HttpRequest) -> str:
    """Return the line below it."""
    return gettext("Sandbox: nothing here is real") if _is_sandbox() else "Sarafan"


def title(_request: HttpRequest) -> str:
    """Return what the browser's tab shows after the page's own title."""
    return f"{_tenant().name} · Sarafan"


def title_prefix(_request: HttpRequest) -> str:
    """Return what the browser's tab begins with."""
    return f"[{gettext('Sandbox')}]" if _is_sandbox() else ""


def environment(_request: HttpRequest) -> list[str] | None:
    """Return the mark beside every page's title, or None on the live site."""
    return [gettext("Sandbox"), "warning"] if _is_sandbox() else None


def _is_sandbox() -> bool:
    return _tenant().environment == "sandbox"


def _tenant() -> "Tenant":
    from tenants import context  # noqa: PLC0415 (settings import this module)

    return context.current()

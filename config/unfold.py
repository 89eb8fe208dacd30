"""How the back offices look: titles, colours and the order of the menu. Unfold reads the two dictionaries below."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
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
    """One line of a menu: a model's list, shown to those who may see it."""

    label: str
    title: Text
    icon: str
    count: Callable[[], int] | None = None

    def shown(self, request: HttpRequest, site: AdminSite) -> dict[str, Any] | None:
        """Return the line as Unfold wants it, or None when this user has no business there."""
        model = apps.get_model(self.label)
        if not site.is_registered(model) or not site._registry[model].has_view_or_change_permission(request):
            return None
        opts = model._meta
        line = {
            "title": self.title,
            "icon": self.icon,
            "link": reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist", current_app=site.name),
        }
        waiting = self.count() if self.count else 0
        return line | {"badge": str(waiting), "badge_variant": "danger"} if waiting else line


def _open_cases() -> int:
    found: int = apps.get_model("antifraud.Case").objects.filter(status="open").count()
    return found


def _open_trips() -> int:
    found: int = apps.get_model("antifraud.Trip").objects.filter(resumed_at=None).count()
    return found


# In the order of use: what waits, what one works on, what one looks up, what one sets once.
MENU: tuple[tuple[Text, tuple[Entry, ...]], ...] = (
    ("", (Entry("antifraud.Case", _("Moderation"), "gavel", _open_cases),)),
    (
        _("Programme"),
        (
            Entry("campaigns.Campaign", _("Campaigns"), "campaign"),
            Entry("members.Member", _("Members"), "group"),
            Entry("referrals.Referral", _("Referrals"), "share"),
            Entry("rewards.Reward", _("Rewards"), "redeem"),
            Entry("rewards.Posting", _("Ledger"), "account_balance"),
            Entry("events.Event", _("Events"), "bolt"),
        ),
    ),
    (
        _("Safety"),
        (
            Entry("antifraud.StopRule", _("Stop rules"), "rule"),
            Entry("antifraud.Trip", _("Stopped campaigns"), "front_hand", _open_trips),
        ),
    ),
    (
        _("Settings"),
        (
            Entry("referrals.AttributionPolicy", _("Attribution"), "ads_click"),
            Entry("antifraud.FraudPolicy", _("Antifraud policy"), "shield"),
            Entry("rewards.Asset", _("Points"), "toll"),
            Entry("tenants.ApiKey", _("API keys"), "key"),
            Entry("staff.Staff", _("Staff"), "badge"),
            Entry("staff.AuditEntry", _("Audit log"), "history"),
        ),
    ),
)
PLATFORM_MENU: tuple[tuple[Text, tuple[Entry, ...]], ...] = (
    (
        "",
        (
            Entry("tenants.Tenant", _("Tenants"), "storefront"),
            Entry("tenants.Domain", _("Domains"), "language"),
            Entry("tenants.ApiKey", _("API keys"), "key"),
            Entry("staff.Staff", _("Staff"), "badge"),
            Entry("staff.AuditEntry", _("Audit log"), "history"),
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

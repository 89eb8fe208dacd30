"""The two back offices: a tenant's, and the platform's."""

from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite


class TenantAdminSite(UnfoldAdminSite):  # type: ignore[misc]  # Unfold has no types
    """A tenant's back office, at /admin/ of the tenant's own host."""

    index_title = _("Dashboard")

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Deleting many at once would pass by the audit log's old values, and by PROTECT's explanation.
        self.disable_action("delete_selected")


class PlatformAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """The platform's own back office, at /admin/ of the platform's host. Its tables are the public schema's."""

    settings_name = "UNFOLD_PLATFORM"

    def __init__(self, name: str = "platform") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Go to the first list of the menu: of the platform as a whole there is nothing else to tell."""
        lines = [line for group in self.get_sidebar_list(request) for line in group["items"]]
        if not lines:
            raise PermissionDenied
        return HttpResponseRedirect(lines[0]["link"])


# `config.apps.BackofficeConfig` makes Django's default site a TenantAdminSite.
tenant_site = cast("TenantAdminSite", admin.site)
platform_site = PlatformAdminSite()

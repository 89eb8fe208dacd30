"""What a tenant's host answers."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from core.backoffice import tenant_site
from integrations.widget import urls as widget
from referrals.urls import links
from rewards.urls import files

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("api/", include("config.urls_api")),
    path("admin/", tenant_site.urls),
    *links,
    *files,
    *widget.files,
]

# Django imports them by name.
handler400 = "core.http.bad_request"
handler403 = "core.http.permission_denied"
handler404 = "core.http.page_not_found"
handler500 = "core.http.server_error"

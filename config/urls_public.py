"""What the platform's own host answers."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from core.backoffice import platform_site

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/admin/")),
    path("api/", include("config.urls_api")),
    path("admin/", platform_site.urls),
]

# Django imports them by name.
handler400 = "core.http.bad_request"
handler403 = "core.http.permission_denied"
handler404 = "core.http.page_not_found"
handler500 = "core.http.server_error"

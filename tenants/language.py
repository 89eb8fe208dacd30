"""In which language and time zone a person is answered: one's own choice, then the tenant's, then the browser's."""

from collections.abc import Callable
from contextlib import suppress
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone, translation

from core.backoffice import BACK_OFFICE
from tenants.requests import TenantRequest


class LanguageMiddleware:
    """
    Stand after AuthenticationMiddleware. Django's LocaleMiddleware, which knows neither user nor tenant, is not used.

    TenantMiddleware has chosen the tenant's language already: in the back office a user may override it, and the
    platform's own host, which has no tenant, asks the browser. Elsewhere nobody's session is looked at, so that caches
    may keep what is the same for everybody.
    """

    def __init__(self, get_response: Callable[[TenantRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: TenantRequest) -> HttpResponse:
        if request.path.startswith(BACK_OFFICE):
            self._choose(request)
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", translation.get_language())
        return response

    def _choose(self, request: TenantRequest) -> None:
        language = getattr(request.user, "language", "")
        if not language and request.tenant is None:
            language = translation.get_language_from_request(request)
        if language in dict(settings.LANGUAGES):
            translation.activate(language)
        zone = getattr(request.user, "time_zone", "")
        if zone:
            # A name that a newer list of time zones has dropped leaves the tenant's in place.
            with suppress(ZoneInfoNotFoundError, ValueError):
                timezone.activate(ZoneInfo(zone))

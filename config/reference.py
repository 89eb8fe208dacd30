"""Where the API's reference is read: the document itself, and a page to try it out."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class Document(SpectacularAPIView):
    """The OpenAPI document. In English throughout, as half of its words are names in the API."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override("en"):
            return super().dispatch(request, *args, **kwargs)


class Page(SpectacularSwaggerSplitView):
    """Swagger UI. Its scripts come as files of ours: the security policy forbids the inline ones of its usual page."""

    url_name = "schema"

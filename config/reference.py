"""Where the API's reference is read: the document itself, and a page to try it out."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


@cache
def document() -> Any:
    """Return the OpenAPI document, as others must leave it."""
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


class Once(SchemaGenerator):
    """Describes the API once for each process: it is the same for everybody, and takes seconds."""

    def get_schema(self, request: Any = None, public: bool = False) -> Any:  # noqa: FBT001, FBT002 (its own signature)
        return document()


class Document(SpectacularAPIView):
    """The OpenAPI document. In English throughout, as half of its words are names in the API."""

    generator_class = Once

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override("en"):
            return super().dispatch(request, *args, **kwargs)


class Page(SpectacularSwaggerSplitView):
    """Swagger UI. Its scripts come as files of ours: the security policy forbids the inline ones of its usual page."""

    url_name = "schema"

"""Where the back office's pages are, and the way back to the one that somebody came from."""

from typing import Final
from urllib.parse import urlsplit

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import escape_leading_slashes, url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString

# Where config.urls_tenant and config.urls_public put it.
BACK_OFFICE: Final = "/admin/"


def page_of(obj: Model, *, site: str = "admin") -> str:
    """Return the path of a row's own page."""
    opts = obj._meta
    return reverse(f"{site}:{opts.app_label}_{opts.model_name}_change", args=[obj.pk])


def path_to(label: str, pk: object) -> str:
    """Return the path of a row's own page, without the row: `path_to("members.member", 7)`."""
    return reverse(f"admin:{label.replace('.', '_')}_change", args=[pk])


def list_of(model: type[Model], *, site: str = "admin") -> str:
    """Return the path of a model's list."""
    opts = model._meta
    return reverse(f"{site}:{opts.app_label}_{opts.model_name}_changelist")


def link(text: object, url: str) -> SafeString:
    """Return a link as the back office shows them."""
    return format_html('<a class="text-primary-600 hover:underline dark:text-primary-500" href="{}">{}</a>', url, text)


def back(request: HttpRequest, *, otherwise: str) -> str:
    """
    Return where the request came from, filters and page included, if that was one of our own pages.

    A page that stands between says in the field `back` where that was.
    """
    came_from = request.POST.get("back") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        return otherwise
    parts = urlsplit(came_from)
    # Two slashes at the beginning would lead to another host.
    path = escape_leading_slashes(parts.path)
    return f"{path}?{parts.query}" if parts.query else path

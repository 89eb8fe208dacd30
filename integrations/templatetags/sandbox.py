"""What every page of a sandbox's back office says while its clock is ahead."""

from typing import Any

from django import template
from django.urls import reverse

from integrations.sandbox import marks
from tenants import clock

register = template.Library()


@register.inclusion_tag("admin/integrations/sandbox/banner.html")
def sandbox_clock() -> dict[str, Any]:
    """Show how far the clock is ahead, if it is."""
    ahead = clock.ahead()
    if not ahead:
        return {}
    url = reverse("admin:integrations_endpoint_sandbox")
    return {"ahead": marks.span(ahead), "now": clock.now(), "url": url}  # noqa: TID251 (an edge)

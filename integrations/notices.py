"""What the front page of the back office says of webhooks (settings.FRONT_PAGE_NOTICES)."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext

from core.backoffice import may, page_of
from integrations.models import Endpoint
from integrations.webhooks.health import NOTES


def of_webhooks(request: HttpRequest) -> list[dict[str, Any]]:
    """Return a notice for each webhook that was disabled, for those who look after webhooks."""
    if not may("integrations.change_endpoint")(request):
        return []
    return [
        {
            "icon": "webhook",
            "title": gettext("A webhook was disabled: %(name)s") % {"name": each.description or each.url},
            "text": NOTES.get(each.status_note, ""),
            "url": page_of(each),
        }
        for each in Endpoint.objects.filter(status=Endpoint.Status.DISABLED).order_by("pk")
    ]

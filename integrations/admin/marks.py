"""How a webhook and a delivery stand, in the colours of the back office."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.templatetags import backoffice
from integrations.models import Delivery, Endpoint
from integrations.webhooks.health import NOTES
from integrations.webhooks.outcomes import ERRORS

TONES = {"delivered": "good", "waiting": "info", "failed": "bad"}


def state_of(webhook: Endpoint) -> SafeString:
    """Return whether a webhook works."""
    match webhook.status:
        case Endpoint.Status.DISABLED:
            why = NOTES.get(webhook.status_note, "")
            return format_html('<span class="mark mark-bad" title="{}">{}</span>', why, gettext("Disabled"))
        case Endpoint.Status.PAUSED:
            return format_html('<span class="mark">{}</span>', gettext("Paused"))
    if webhook.failing_since:
        return format_html(
            '<span class="mark mark-warn" title="{}">{}</span>', when(webhook.failing_since), gettext("Failing")
        )
    return format_html('<span class="mark mark-good">{}</span>', gettext("Active"))


def outcome_of(delivery: Delivery) -> SafeString:
    """Return what became of a delivery."""
    is_again = delivery.status == Delivery.Status.WAITING and delivery.error
    label, tone = (
        (_("Will be tried again"), "warn") if is_again else (delivery.get_status_display(), TONES[delivery.status])
    )
    return format_html('<span class="mark mark-{}">{}</span>', tone, label)


def answer_of(status: int | None, error: str) -> str:
    """Return what came back of an attempt: a status, or why there is none."""
    if status is not None:
        return str(status)
    return str(ERRORS.get(error, "—"))


def when(at: datetime | None) -> str:
    """Return an instant in the reader's way."""
    return date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else "—"


def ago(at: datetime | None) -> SafeString | str:
    """Return how long ago something was, with the instant for the mouse."""
    return format_html('<span class="nowrap" title="{}">{}</span>', when(at), backoffice.ago(at)) if at else "—"

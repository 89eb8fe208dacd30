"""What the back office's templates say in more places than one."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

register = template.Library()

# Of rewards, events and campaigns alike.
TONES = {
    "granted": "good",
    "handled": "good",
    "active": "good",
    "approved": "good",
    "rewarded": "good",
    "flagged": "warn",
    "waiting": "info",
    "pending": "info",
    "failed": "bad",
    "rejected": "bad",
    "refused": "bad",
    "stopped": "bad",
}
OUTCOMES = {
    "rewarded": _("Rewarded"),
    "flagged": _("Flagged"),
    "refused": _("Refused"),
    "missed": _("Nothing"),
    "attributed": _("Credited"),
    "taken_back": _("Taken back"),
}
ICONS = {
    "order.paid": "shopping_bag",
    "order.refunded": "undo",
    "order.cancelled": "cancel",
    "member.joined": "person_add",
    "invite.sent": "send",
    "check_in": "where_to_vote",
    # What a member is known by.
    "telegram": "send",
    "email": "mail",
    "email_alike": "mail",
    "phone": "call",
    "card": "credit_card",
    "device": "smartphone",
    "ip": "lan",
}


@register.simple_tag
def status_mark(status: str, label: object) -> SafeString:
    """Return a status as a coloured mark."""
    return format_html('<span class="mark mark-{}">{}</span>', TONES.get(status, "plain"), label)


@register.simple_tag
def moment_icon(moment: Any) -> str:
    """Return the icon of a line of a timeline."""
    return {"reward": "redeem", "referral": "share"}.get(moment.what) or ICONS.get(moment.kind, "bolt")


@register.filter
def icon(kind: str) -> str:
    """Return the icon of a kind of event or of identity."""
    return ICONS.get(kind, "bolt")


@register.simple_tag
def outcome_mark(outcome: str) -> SafeString:
    """Return what came of a rule as a coloured mark."""
    return status_mark(outcome, OUTCOMES.get(outcome, outcome)) if outcome else SafeString("")


@register.filter
def whole(number: int) -> str:
    """Return a whole number as the reader's language groups its digits."""
    return str(number_format(number, force_grouping=True))


@register.simple_tag
def age(since: datetime) -> str:
    """Return how long ago something was, in one unit."""
    return _span_since(since) or gettext("just now")


def ago(since: datetime) -> str:
    """Return the same as people say it of an instant: "3 minutes ago"."""
    span = _span_since(since)
    return gettext("%(span)s ago") % {"span": span} if span else gettext("just now")


def _span_since(since: datetime) -> str:
    now = import_string(settings.CLOCK)()
    return timesince(since, now, depth=1) if now - since >= timedelta(minutes=1) else ""

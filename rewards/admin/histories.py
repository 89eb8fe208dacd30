"""What happened to a reward or an entitlement, as the back office tells it: time, what, who, why."""

from collections.abc import Iterable
from typing import Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from events.models import Event
from rewards.models import Entitlement, Reward

WORDS: Final[dict[str, str | Promise]] = {
    "reward.issued": _("Issued by hand"),
    "reward.granted": _("Granted"),
    "reward.pending": _("On hold"),
    "reward.flagged": _("Flagged for review"),
    "reward.promised": _("Promised"),
    "reward.approved": _("Approved by a moderator"),
    "reward.rejected": _("Rejected by a moderator"),
    "reward.reopened": _("The decision was undone"),
    "reward.cancelled": _("Cancelled"),
    "reward.reversed": _("Taken back"),
    "entitlement.issued": _("Handed out"),
    "entitlement.placed": _("To be packed"),
    "entitlement.sent": _("Sent"),
    "entitlement.delivered": _("Delivered"),
    "entitlement.used": _("Used"),
    "entitlement.released": _("Given back with its order"),
    "entitlement.cancelled": _("Cancelled"),
    "entitlement.expired": _("Expired"),
}


def of_reward(reward: Reward) -> SafeString:
    """Return the story of a reward, and of what it became, the oldest first."""
    told = Event.objects.filter(cause_id=reward.event_id, data__reward_id=reward.pk)
    return _story(told.order_by("occurred_at", "pk"))


def of_entitlement(entitlement: Entitlement) -> SafeString:
    """Return the story of an entitlement, the oldest first."""
    told = Event.objects.filter(
        member_id=entitlement.member_id,
        kind__in=[kind for kind in WORDS if kind.startswith("entitlement.")],
        data__entitlement_id=entitlement.pk,
    )
    return _story(told.order_by("occurred_at", "pk"))


def _story(events: Iterable[Event]) -> SafeString:
    lines = (
        (
            date_format(timezone.localtime(event.occurred_at), "SHORT_DATETIME_FORMAT"),
            WORDS.get(event.kind, event.kind),
            _details(event),
        )
        for event in events
    )
    row = '<p><span class="soft nowrap">{}</span> {} <span class="soft">{}</span></p>'
    return format_html_join("", row, lines) or SafeString("—")


def _details(event: Event) -> SafeString:
    parts = [event.data.get(name, "") for name in ("actor", "reason", "why", "order")]
    return format_html("{}", " · ".join(dict.fromkeys(str(part) for part in parts if part)))

"""What was sent to webhooks, and what came back."""

import json
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.backoffice import VIEWS_TEMPLATE, StoryAdmin, ViewFilter, may, page_of, path_to, post_button
from core.db import transaction
from integrations.admin import marks
from integrations.models import Delivery
from integrations.webhooks import kinds, resending, secrets, signing
from integrations.webhooks.outcomes import ATTEMPT, ERRORS
from rewards.actors import Actor
from tenants import clock
from tenants.clock import now

CHANGE = "integrations.change_endpoint"


class DeliveryView(ViewFilter):
    """By what became of them."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("All")), *Delivery.Status.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        return queryset if self.value() == "all" else queryset.filter(status=self.value())


class KindFilter(admin.SimpleListFilter):
    """By the kind of fact."""

    title = _("fact")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind.name, kind.label) for kind in (*kinds.ALL.values(), kinds.TEST)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Delivery)
class DeliveryAdmin(StoryAdmin):
    """The log of what was sent."""

    list_display = ["fact", "outcome", "webhook", "answered", "tried", "took", "written"]
    list_display_links = ["fact"]
    list_filter = [DeliveryView, "endpoint", KindFilter]
    list_select_related = ["endpoint"]
    list_before_template = VIEWS_TEMPLATE
    search_fields = ["=message_id"]
    search_help_text = _("The whole id of a message, such as msg_…")
    ordering = ["-pk"]
    story_template = "admin/integrations/delivery/story.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("<int:pk>/resend/", self.resend, name="resend", permission=CHANGE),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        found: QuerySet[Delivery] = super().get_queryset(request)
        is_one = request.resolver_match and "object_id" in request.resolver_match.kwargs
        return found if is_one else found.defer("body", "answer", "tries")

    def name_of(self, row: Delivery) -> str:
        return row.message_id

    # Columns

    @admin.display(description=_("fact"))
    def fact(self, delivery: Delivery) -> SafeString:
        return format_html(
            '<span class="strong">{}</span><br><code class="soft wrap-anywhere">{}</code>',
            kinds.label_of(delivery.kind),
            delivery.message_id,
        )

    @admin.display(description=_("state"))
    def outcome(self, delivery: Delivery) -> SafeString:
        return marks.outcome_of(delivery)

    @admin.display(description=_("webhook"))
    def webhook(self, delivery: Delivery) -> SafeString:
        name = delivery.endpoint.description or delivery.endpoint.url
        return format_html('<span class="wrap-anywhere">{}</span>', name)

    @admin.display(description=_("answer"))
    def answered(self, delivery: Delivery) -> str:
        return marks.answer_of(delivery.answer_status, delivery.error)

    @admin.display(description=_("attempts"))
    def tried(self, delivery: Delivery) -> int:
        return delivery.attempts

    @admin.display(description=_("took"))
    def took(self, delivery: Delivery) -> SafeString | str:
        if delivery.latency_ms is None:
            return "—"
        return format_html('<span class="nowrap">{} {}</span>', delivery.latency_ms, _("ms"))

    @admin.display(description=_("created at"))
    def written(self, delivery: Delivery) -> SafeString | str:
        return marks.ago(delivery.created_at)

    # One delivery

    def story(self, request: HttpRequest, row: Delivery) -> dict[str, Any]:
        resend = post_button(_("Send again"), self.post_path("resend", row.pk), tone="primary", icon="replay")
        return {
            "delivery": row,
            "kind": kinds.label_of(row.kind),
            "outcome": marks.outcome_of(row),
            "answer": marks.answer_of(row.answer_status, row.error),
            "error": ERRORS.get(row.error, ""),
            "headers": _headers(row),
            "body": _readable(row.body),
            "tries": [
                {**each, "answer": marks.answer_of(each["status"], each["error"])} for each in _with_instants(row.tries)
            ],
            "webhook_url": page_of(row.endpoint),
            "fact_url": row.event_id and path_to("events.event", row.event_id),
            "button": resend if may(CHANGE)(request) else "",
        }

    def resend(self, request: HttpRequest, pk: int) -> Promise:
        delivery = get_object_or_404(Delivery.objects.select_related("endpoint"), pk=pk)
        by = Actor("staff", request.user.get_username())
        with transaction():
            resending.resend(delivery=delivery, by=by, at=now())
        return _("It is sent again now.")


def _headers(row: Delivery) -> dict[str, str]:
    """Return what the last attempt was signed with, as the secrets that are in force now sign it."""
    if row.attempted_at is None or not row.body:
        return {}
    at = clock.real(row.attempted_at)
    in_force = secrets.in_force(row.endpoint, at=row.attempted_at)
    signed = signing.headers_of(message_id=row.message_id, body=row.body.encode(), secrets=in_force, at=at)
    counted = {ATTEMPT: str(row.attempts)} if row.attempts else {}
    return {"content-type": "application/json", **counted, **signed}


def _readable(body: str) -> str:
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False) if body else ""


def _with_instants(tries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "at": datetime.fromisoformat(each["at"])} for each in tries]

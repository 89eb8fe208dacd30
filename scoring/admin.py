"""The page of an event: what was sent and what came of it, which only this floor can put into words."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from core.backoffice import VIEWS_TEMPLATE, StoryAdmin, ViewFilter, audit, may, post_button
from core.db import transaction
from core.templatetags.backoffice import status_mark, whole
from events import retry
from events.kinds import ALL, label_of
from events.models import Event
from members import identities
from members.models import Identity
from members.names import names_of
from rewards.models import Reward
from scoring import why
from tenants import context
from tenants.clock import now

RETRY = "events.change_event"
CONSEQUENCES_MAX = 50


class EventView(ViewFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("reported", _("Reported")),
            ("failed", _("Failed")),
            ("sarafan", _("Recorded by Sarafan")),
            ("all", _("All")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        match self.value():
            case "reported":
                return queryset.filter(source=Event.Source.API)
            case "failed":
                return queryset.filter(status=Event.Status.FAILED)
            case "sarafan":
                return queryset.filter(source=Event.Source.SARAFAN)
        return queryset


class KindFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, kind.label) for name, kind in ALL.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        asked = self.value()
        if not asked:
            return queryset
        return queryset.filter(kind__startswith=asked[:-1]) if asked.endswith("*") else queryset.filter(kind=asked)


@admin.register(Event)
class EventAdmin(StoryAdmin):
    """The log. It is read, by everyone, and changed by nobody; what failed may be tried again."""

    list_display = ["number", "occurred_at", "what", "who", "outcome", "state"]
    list_display_links = ["number"]
    list_filter = [EventView, "status", KindFilter]
    list_before_template = VIEWS_TEMPLATE
    list_per_page = 50
    ordering = ["-pk"]
    paginator = InfinitePaginator
    show_full_result_count = False
    search_fields = ["key"]
    search_help_text = _("The whole key of an event, or the id of an order")
    story_template = "admin/events/event/story.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("<int:pk>/retry/", self.retry, name="retry", permission=RETRY),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [*self.list_display, "act"] if may(RETRY)(request) else self.list_display

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        # Both are indexed, unlike a search for parts.
        asked = Q(key=search_term) | Q(business_key=f"order.paid:{search_term}")
        return (queryset.filter(asked) if search_term else queryset), False

    def dress(self, rows: Sequence[Any]) -> None:
        names = names_of(row.member_id for row in rows)
        for row in rows:
            row.member_name = names.get(row.member_id, "—")

    # Columns

    @admin.display(description=_("number"), ordering="pk")
    def number(self, event: Event) -> str:
        return f"#{event.pk}"

    @admin.display(description=_("what happened"), ordering="kind")
    def what(self, event: Event) -> SafeString:
        label, order = label_of(event.kind), event.data.get("order_id", "")
        told = format_html('{} <span class="soft">{}</span>', label, order)
        if label == event.kind:
            # One of the tenant's own has no other name.
            return told
        return format_html('<span>{}<br><code class="soft small">{}</code></span>', told, event.kind)

    @admin.display(description=_("member"))
    def who(self, event: Any) -> SafeString:
        return format_html('<span class="wraps wrap-anywhere">{}</span>', event.member_name)

    @admin.display(description=_("outcome"))
    def outcome(self, event: Event) -> SafeString | str:
        points = why.points_of(event.trace, outcome="rewarded")
        flagged = why.points_of(event.trace, outcome="flagged")
        others = why.others_of(event.trace)
        parts = []
        if points:
            given = ngettext("%(points)s point", "%(points)s points", points) % {"points": whole(points)}
            parts.append(format_html('<b class="strong">{}</b>', given))
        if flagged:
            waiting = gettext("%(points)s flagged") % {"points": whole(flagged)}
            parts.append(format_html('<span class="mark mark-warn">{}</span>', waiting))
        if others:
            more = ngettext("%(count)s other reward", "%(count)s other rewards", others) % {"count": whole(others)}
            parts.append(format_html('<b class="strong">{}</b>', more))
        return format_html(" ".join("{}" for _part in parts), *parts) if parts else "—"

    @admin.display(description=_("status"), ordering="status")
    def state(self, event: Event) -> SafeString:
        return status_mark(event.status, event.get_status_display())

    @admin.display(description="")
    def act(self, event: Event) -> SafeString | str:
        if event.status != Event.Status.FAILED:
            return ""
        return post_button(_("Try again"), self.post_path("retry", event.pk), icon="refresh")

    def retry(self, request: HttpRequest, pk: int) -> str:
        event = Event.objects.filter(pk=pk).first()
        if event is None:
            raise Http404
        with transaction():
            retry.retry(event=event, at=now())
            audit(request, action="event.retried", target=f"event:{event.pk} {event}")
        return gettext("The event is tried again now.")

    # The page of an event

    def name_of(self, row: Event) -> str:
        return f"{label_of(row.kind)} #{row.pk}"

    def story(self, request: HttpRequest, row: Event) -> dict[str, Any]:
        trace = why.rendered(row.trace)
        names = names_of([row.member_id, *(entry.get("member_id") for entry in trace)])
        return {
            "event": row,
            "kind": label_of(row.kind),
            "member_name": names.get(row.member_id or 0, ""),
            "identities": [_masked(each) for each in row.identities],
            "payload": json.dumps(row.data, ensure_ascii=False, indent=2),
            "trace": [{**entry, "who": names.get(entry.get("member_id") or 0, "")} for entry in trace],
            "rewards": Reward.objects.filter(event=row).order_by("pk"),
            "consequences": [
                {"pk": each.pk, "label": label_of(each.kind)}
                for each in Event.objects.filter(cause=row).order_by("pk")[:CONSEQUENCES_MAX]
            ],
            "retry_button": self.act(row) if may(RETRY)(request) else "",
        }


def _masked(identity: Mapping[str, str]) -> dict[str, str]:
    schema = context.current().schema_name
    shown = identities.masked(schema=schema, kind=identity["kind"], value=identity["value"])
    return {"label": str(Identity.Kind(identity["kind"]).label), "value": shown}

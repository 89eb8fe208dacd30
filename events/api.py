"""Where a tenant's programs report what happened."""

from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.db import current_schema
from core.errors import Failure, FieldError, Invalid
from core.http import CursorPage, problem_document
from events import inbox, openapi, progress, reports, retry
from events.inbox import Taken
from events.models import Event
from events.reports import Report, Sender
from members.api.expansions import MEMBER
from members.identities import region_of
from members.models import Identity
from tenants import audit
from tenants.clock import now
from tenants.keys import KnownKey
from tenants.views import TenantView


class InvalidBatch(Invalid):
    """Not `{"events": […]}` with 1 to 500 of them."""

    message = _("Send one event, or an object with a list of 1 to 500 of them in events.")


class Events(TenantView):
    """`/api/v1/events`. Reporting is the busiest path there is, so it is checked by hand and needs no serializer."""

    # Recording is one statement, and each event has a key of its own.
    is_atomic = False
    required_scope = {"POST": "events:write", "GET": "events:read"}
    pagination_class = CursorPage
    expandable = {"member": MEMBER._replace(by="member.id"), **import_string(settings.EVENT_EXPANSIONS)}

    class Filters(serializers.Serializer[None]):
        status = serializers.ChoiceField(Event.Status.choices, required=False)
        kind = serializers.CharField(required=False, max_length=60)
        key = serializers.CharField(required=False, max_length=200, help_text="The key that you reported it under.")
        member = serializers.CharField(required=False, max_length=200, help_text="Your id of the member.")
        since = serializers.DateTimeField(required=False, help_text="Received at this instant or later.")
        until = serializers.DateTimeField(required=False, help_text="Received before this instant.")

    def events_in(self, request: Request) -> int:
        if request.method != "POST":
            return 0
        body = request.data
        reported = body.get("events") if isinstance(body, dict) else None
        # What is too long to be a batch is refused whole.
        return len(reported) if isinstance(reported, list) and len(reported) <= openapi.BATCH_MAX else 1

    @extend_schema(
        operation_id="report_events",
        summary="Report what happened: one event, or up to 500",
        description="An event is recorded before the answer is sent, and handled a moment later. Its key makes it safe "
        "to send again: the same key with the same body is answered as it was the first time. Of a batch the good "
        "events are taken, and each bad one is reported at its place; 422 says that none was taken.",
        request={"application/json": openapi.REQUEST},
        responses=openapi.RESPONSES,
        examples=openapi.EXAMPLES,
    )
    def post(self, request: Request) -> HttpResponse:
        body, sender = request.data, _sender_of(request)
        if isinstance(body, dict) and "events" in body:
            return _take_batch(request._request, body, sender, now())
        return _take_one(request, body, sender, now())

    @extend_schema(
        operation_id="list_events",
        summary="List events, newest first",
        description="Rows are without their data, which may be large: get_event has those of one event.",
        parameters=[Filters],
        responses=progress.EventProgress(many=True),
    )
    def get(self, request: Request) -> Response:
        wanted = self.valid(self.Filters, request)
        events = progress.list_events()
        if "member" in wanted:
            whose = Identity.objects.filter(kind=Identity.Kind.EXTERNAL_ID, lookup=wanted.pop("member"), resolves=True)
            events = events.filter(member__in=whose.values("member"))
        if "key" in wanted:
            # Facts have keys of their own, which may look like anybody's.
            events = events.filter(source=Event.Source.API)
        columns = {COLUMNS[name]: value for name, value in wanted.items()}
        return self.page(events.filter(**columns), request, progress.EventProgress)


COLUMNS = {"status": "status", "kind": "kind", "key": "key", "since": "received_at__gte", "until": "received_at__lt"}


class EventRetry(TenantView):
    """`/api/v1/events/{event_id}/retry`."""

    required_scope = "events:write"

    @extend_schema(
        operation_id="retry_event",
        summary="Try a failed event again",
        description="It waits again, with all its attempts before it. Mend first what it failed for.",
        request=None,
        responses={202: progress.EventProgress},
    )
    def post(self, request: Request, event_id: int) -> Response:
        event, at = progress.get_event(event_id), now()
        retry.retry(event=event, at=at)
        audit.record(
            actor_kind="key",
            actor=str(request.auth),
            action="event.retried",
            target=f"event:{event.pk} {event}",
            changes={},
            at=at,
        )
        return Response(progress.EventProgress(progress.get_event(event_id)).data, status=202)


def _sender_of(request: Request) -> Sender:
    key = cast("KnownKey", request.auth)
    return Sender(
        schema=current_schema(),
        region=region_of(key.tenant.currency),
        may_backfill="events:backfill" in key.scopes,
    )


def _take_one(request: Request, body: Any, sender: Sender, at: datetime) -> HttpResponse:
    report = reports.read(body=body, sender=sender, at=at)
    (outcome,) = inbox.record(reports=[report], at=at)
    if isinstance(outcome, Failure):
        raise outcome
    # Both addresses of the API, the tenant's own and the platform's, have the event at the same place.
    location = f"{request.path}/{outcome.id}"
    return JsonResponse(_shown(outcome), status=202, headers={"Location": location})


def _take_batch(request: HttpRequest, body: dict[str, Any], sender: Sender, at: datetime) -> HttpResponse:
    outcomes: dict[int, Taken | Failure] = {}
    read: dict[int, Report] = {}
    bodies = _bodies_of(body)
    for index, each in enumerate(bodies):
        try:
            read[index] = reports.read(body=each, sender=sender, pointer=f"/events/{index}", at=at)
        except Failure as failure:
            outcomes[index] = failure
    outcomes |= zip(read, inbox.record(reports=list(read.values()), at=at), strict=True)
    shown = [_shown_at(index, bodies[index], outcomes[index], request) for index in range(len(bodies))]
    is_any_taken = any(isinstance(each, Taken) for each in outcomes.values())
    return JsonResponse({"events": shown}, status=202 if is_any_taken else 422)


def _bodies_of(body: dict[str, Any]) -> list[Any]:
    bodies = body["events"]
    if len(body) > 1:
        detail = _("Beside events there is nothing else in a batch.")
        raise InvalidBatch(errors=[FieldError(pointer="", detail=detail)])
    if not isinstance(bodies, list) or not 1 <= len(bodies) <= openapi.BATCH_MAX:
        raise InvalidBatch(pointer="/events")
    return bodies


def _shown_at(index: int, body: Any, outcome: Taken | Failure, request: HttpRequest) -> dict[str, Any]:
    if isinstance(outcome, Taken):
        return {"index": index, **_shown(outcome)}
    key = body.get("key") if isinstance(body, dict) else None
    known = key if isinstance(key, str) else None
    return {"index": index, "key": known, "error": problem_document(outcome, request)}


def _shown(taken: Taken) -> dict[str, Any]:
    # A repeat gets the first answer again, so that a sender need not tell the two apart.
    first = {"id": taken.id, "key": taken.key, "status": Event.Status.WAITING.value}
    return first | {"replayed": True} if taken.is_repeat else first

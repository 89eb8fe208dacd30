"""How far an event has come, as the API tells it."""

from typing import Any

from django.db.models import OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.errors import NotFound
from events.models import Event
from members import names
from members.models import Member


class UnknownEvent(NotFound):
    """No event of this tenant has that id."""

    message = _("There is no such event.")


class MemberOfEvent(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="member_id")
    external_id = serializers.CharField(allow_null=True)


class EventProgress(serializers.Serializer[Any]):
    """One event and what became of it. A row of `list_events`."""

    id = serializers.IntegerField()
    key = serializers.CharField()
    kind = serializers.CharField()
    source = serializers.ChoiceField(  # type: ignore[assignment]  # REST framework's fields have a `source` too
        Event.Source.choices, help_text="Who told it: you, or Sarafan itself."
    )
    member = MemberOfEvent(source="*", allow_null=True, help_text="Whom it is about: known once it is handled.")
    occurred_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    status = serializers.ChoiceField(Event.Status.choices)
    error = serializers.CharField(allow_null=True, help_text="Why the last attempt at handling it failed.")
    handled_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: Event) -> dict[str, Any]:
        found = super().to_representation(instance)
        found["error"] = instance.error or None
        if instance.member_id is None:
            found["member"] = None
        return found


def list_events() -> QuerySet[Event]:
    """Return events, each with the `external_id` of its member, and without what is only looked at one by one."""
    named = Event.objects.annotate(external_id=names.external_id_of(OuterRef("member")))
    return named.defer("data", "identities", "trace")


def get_event(event_id: int) -> Event:
    """
    Return one event as `list_events` does, with its data, its trace and its member.

    :raises UnknownEvent: if the tenant has none with that id.
    """
    found = list_events().defer(None).defer("identities").select_related("member").filter(id=event_id).first()
    if found is None:
        raise UnknownEvent
    return found


def data_of(event: Event) -> dict[str, Any] | None:
    """Return what an event tells; None once whom it is about is erased, for nobody knows what was put into it."""
    is_erased = event.member is not None and event.member.status == Member.Status.ERASED
    return None if is_erased else event.data

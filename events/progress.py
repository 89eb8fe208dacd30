"""How far an event has come, as the API tells it."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.errors import NotFound
from events.models import Event
from members.models import Identity


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
    own = Identity.objects.filter(member=OuterRef("member"), kind=Identity.Kind.EXTERNAL_ID, resolves=True)
    external_ids = own.values("lookup")
    return Event.objects.annotate(external_id=Subquery(external_ids[:1])).defer("data", "identities", "trace")


def get_event(event_id: int) -> Event:
    """
    Return one event as `list_events` does, with its trace.

    :raises UnknownEvent: if the tenant has none with that id.
    """
    found = list_events().defer(None).defer("data", "identities").filter(id=event_id).first()
    if found is None:
        raise UnknownEvent
    return found

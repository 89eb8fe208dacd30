"""The event that a row of the API names, as `?expand=event` shows it."""

from collections.abc import Mapping, Sequence

from core.http.expansions import Expansion
from events import progress
from events.models import Event


def look_up(ids: Sequence[int]) -> Mapping[int, Event]:
    """Return events as lists show them, by their numbers."""
    return progress.list_events().in_bulk(list(ids))


EVENT = Expansion(by="event_id", scope="events:read", look_up=look_up, shape=progress.EventProgress)

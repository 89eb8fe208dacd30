"""Gives a failed event another chance."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from core.db import after_commit, current_schema, in_transaction
from core.errors import Conflict
from events import doorbell
from events.models import Event


class NotFailed(Conflict):
    """There is nothing to try again: it waits, or it was handled, perhaps by somebody's click a moment ago."""

    message = _("This event has not failed, so there is nothing to try again.")


@in_transaction
def retry(*, event: Event, at: datetime) -> None:
    """
    Put a failed event back among those that wait, due at `at`, with all its attempts before it.

    :raises NotFailed: unless it is failed.
    """
    won = Event.objects.filter(id=event.id, status=Event.Status.FAILED).update(
        status=Event.Status.WAITING, attempts=0, next_at=at, error=""
    )
    if not won:
        raise NotFailed
    schema = current_schema()
    after_commit(lambda: doorbell.ring(schema))

"""Sending again: one delivery, or all that happened since some time, out of the log of events, a piece at a time."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from celery import current_app
from django.utils.translation import gettext_lazy as _

from core.db import after_commit, current_schema, execute, fetch, in_transaction
from core.errors import Conflict, Invalid, NotFound
from integrations.models import Delivery, Endpoint
from integrations.webhooks import endpoints
from integrations.webhooks.outbox import MESSAGE_ID
from rewards.actors import Actor

logger = logging.getLogger(__name__)

TASK: Final = "integrations.tasks.resend"
# As long as deliveries are kept.
SINCE_MAX: Final = timedelta(days=30)
# So many numbers of the log are gone through in one transaction, whatever stands under them.
PIECE: Final = 5_000
# Events are numbered nearly in the order in which they are received: a transaction takes no longer than this.
DISORDER: Final = timedelta(hours=1)
# Whoever was to go on and has not for so long is no more.
STALLED: Final = timedelta(seconds=60)

type_of_which = Literal["undelivered", "all"]


class UnknownDelivery(NotFound):
    """The webhook has no such delivery, or has it no more."""

    message = _("There is no such delivery. They are kept for 30 days.")


class InvalidSince(Invalid):
    """It is not to be sent again from then on."""

    message = _("What happened in the last 30 days can be sent again.")


class ResendUnderway(Conflict):
    """The one before is not through the log yet."""

    message = _("The log is still being gone through for this webhook: wait until that is done.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """
    How far it is with sending again what was recorded from `since` to `until`.

    The log is gone through by its numbers, from after `first_id` to `last_id`; it is through up to `after_id`, `count`
    facts of that are sent again, and the last piece was at `moved_at`.
    """

    since: datetime
    until: datetime
    which: type_of_which
    first_id: int
    after_id: int
    last_id: int
    moved_at: datetime
    count: int = 0

    @property
    def is_done(self) -> bool:
        """Tell whether all of it is sent again."""
        return self.after_id >= self.last_id

    @property
    def done_percent(self) -> int:
        """Say how much of the log it is through, rounded down."""
        return 100 if self.is_done else 100 * (self.after_id - self.first_id) // (self.last_id - self.first_id)

    def as_json(self) -> dict[str, Any]:
        """Return it as `Endpoint.resending` keeps it."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(self).items()
        }


def find_course(endpoint: Endpoint) -> Course | None:
    """Return how far the last sending again of a webhook is."""
    told = endpoint.resending
    if told is None:
        return None
    instants = {name: datetime.fromisoformat(told[name]) for name in ("since", "until", "moved_at")}
    return Course(**{**told, **instants})


@in_transaction
def resend(*, delivery: Delivery, by: Actor, at: datetime) -> None:
    """
    Send one delivery now, whatever became of it, with its whole schedule before it. It keeps its id and its bytes.

    :raises endpoints.WebhookNotActive:
    """
    endpoint = endpoints.require_active(delivery.endpoint)
    execute(AGAIN, {"id": delivery.pk, "at": at})
    _note(endpoint, {"message": delivery.message_id}, by=by, at=at)
    endpoints.wake()


@in_transaction
def resend_since(
    *,
    endpoint: Endpoint,
    since: datetime,
    which: type_of_which,
    by: Actor,
    at: datetime,
    until: datetime | None = None,
) -> Course:
    """
    Send again what has happened since some time, until now or until then, and return how far that is.

    Those are "all" of the webhook's kinds, or the "undelivered": what it was never to be sent is among them. The first
    piece goes at once, the others by and by.

    :raises InvalidSince:
    :raises ResendUnderway:
    :raises endpoints.WebhookNotActive:
    """
    if not at - SINCE_MAX <= since <= at:
        raise InvalidSince(pointer="/since")
    if until is not None and not since <= until <= at:
        raise InvalidSince(_("It ends after its beginning, and not after now."), pointer="/until")
    fresh = endpoints.require_active(endpoint)
    before = find_course(fresh)
    if before and not before.is_done:
        raise ResendUnderway(extra={"done_percent": before.done_percent})
    begun = _begun(since=since, until=until or at, which=which, at=at)
    _note(fresh, {"since": since, "until": until, "which": which}, by=by, at=at)
    course = _moved(fresh, begun, at=at)
    if not course.is_done:
        schema, endpoint_id, after_id = current_schema(), fresh.pk, course.after_id
        after_commit(lambda: leave(schema=schema, endpoint_id=endpoint_id, after_id=after_id))
    return course


@in_transaction
def go_on(*, endpoint_id: int, after_id: int, at: datetime) -> Course | None:
    """
    Send the piece after this number again, and return how far it is then.

    None where there is nothing more, as of a webhook that was deleted, or where somebody else has gone on from there:
    of several to whom the rest was left, as the first was slow to come, one goes on.
    """
    endpoint = Endpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id).first()
    course = find_course(endpoint) if endpoint else None
    if endpoint is None or course is None or course.is_done or course.after_id != after_id:
        return None
    return _moved(endpoint, course, at=at)


def find_stalled(*, at: datetime) -> dict[int, int]:
    """Return the current tenant's webhooks for which nobody goes on as somebody was to, and after which number."""
    unfinished = [(each.pk, find_course(each)) for each in Endpoint.objects.filter(resending__isnull=False)]
    return {
        pk: course.after_id
        for pk, course in unfinished
        if course and not course.is_done and course.moved_at <= at - STALLED
    }


def leave(*, schema: str, endpoint_id: int, after_id: int) -> None:
    """Leave the rest, after this number, to a worker. It never fails: the sweep finds what has stalled."""
    rest = {"schema_name": schema, "endpoint_id": endpoint_id, "after_id": after_id}
    try:
        current_app.send_task(TASK, kwargs=rest, retry=False)
    except Exception:
        logger.exception("The rest could not be left to a worker.", extra={"webhook": endpoint_id})


def _begun(*, since: datetime, until: datetime, which: type_of_which, at: datetime) -> Course:
    last_id = _number_before(until + DISORDER, last_id=int(fetch(LAST)[0].id))
    first_id = _number_before(since - DISORDER, last_id=last_id)
    return Course(
        since=since, until=until, which=which, first_id=first_id, after_id=first_id, last_id=last_id, moved_at=at
    )


def _number_before(instant: datetime, *, last_id: int) -> int:
    """Return a number of the log after which all that was received since stands, found by halves."""
    low, high = 0, last_id
    while low < high:
        middle = (low + high) // 2
        following = fetch(FOLLOWING, {"id": middle})
        if following and following[0].received_at < instant:
            low = following[0].id
        else:
            high = middle
    # A log need not begin at one: that of a sandbox which was cleared does not.
    following = fetch(FOLLOWING, {"id": low})
    return int(following[0].id) - 1 if following else low


def _moved(endpoint: Endpoint, course: Course, *, at: datetime) -> Course:
    """Go through the next piece of the log, and keep how far that is. What was purged comes back under its old id."""
    through = min(course.after_id + PIECE, course.last_id)
    told = {"since": course.since, "until": course.until, "after_id": course.after_id, "through": through}
    about = {"id": endpoint.pk, "kinds": list(endpoint.kinds), "all": course.which == "all", "at": at}
    found = int(fetch(PIECE_OF, {**told, **about})[0].count)
    moved = replace(course, after_id=through, count=course.count + found, moved_at=at)
    Endpoint.objects.filter(pk=endpoint.pk).update(resending=moved.as_json())
    if found:
        endpoints.wake()
    return moved


def _note(endpoint: Endpoint, told: Mapping[str, object], *, by: Actor, at: datetime) -> None:
    by.note(action="webhook.resent", target=f"webhook:{endpoint.pk} {endpoint.url}"[:200], changes=told, at=at)


AGAIN: Final = """
UPDATE integrations_delivery
SET status = 'waiting', attempts = 0, next_at = %(at)s, claimed_until = NULL, delivered_at = NULL
WHERE id = %(id)s
"""

LAST: Final = "SELECT coalesce(max(id), 0) AS id FROM events_event"
FOLLOWING: Final = "SELECT id, received_at FROM events_event WHERE id > %(id)s ORDER BY id LIMIT 1"
PIECE_OF: Final = """
WITH fact AS (
    SELECT fact.id, fact.kind, fact.occurred_at
    FROM events_event fact LEFT JOIN integrations_delivery d ON d.endpoint_id = %(id)s AND d.event_id = fact.id
    WHERE fact.id > %(after_id)s AND fact.id <= %(through)s AND fact.source = 'sarafan'
        AND fact.received_at >= %(since)s AND fact.received_at <= %(until)s AND fact.kind = ANY(%(kinds)s::text[])
        AND (%(all)s OR d.status IS DISTINCT FROM 'delivered')
        AND (d.claimed_until IS NULL OR d.claimed_until <= %(at)s)
), again AS (
    INSERT INTO integrations_delivery AS d (endpoint_id, event_id, kind, message_id, body, status, attempts, next_at,
        tries, answer, error, created_at)
    SELECT endpoint.id, fact.id, fact.kind, {MESSAGE_ID}, '', 'waiting', 0, %(at)s, '[]', '', '', %(at)s
    FROM fact CROSS JOIN (SELECT %(id)s::bigint AS id) endpoint ORDER BY fact.id
    ON CONFLICT (endpoint_id, event_id) WHERE event_id IS NOT NULL DO UPDATE
    SET status = 'waiting', attempts = 0, next_at = %(at)s, claimed_until = NULL, delivered_at = NULL
)
SELECT count(*) AS count FROM fact
""".replace("{MESSAGE_ID}", MESSAGE_ID)

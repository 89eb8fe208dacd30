"""Sending again: one delivery, or all that happened since some time, out of the log of events."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from celery import current_app
from django.utils.translation import gettext_lazy as _

from core.db import after_commit, current_schema, execute, fetch, in_transaction
from core.errors import Invalid, NotFound
from integrations.models import Delivery, Endpoint
from integrations.webhooks import endpoints
from integrations.webhooks.outbox import MESSAGE_ID
from rewards.actors import Actor

logger = logging.getLogger(__name__)

TASK: Final = "integrations.tasks.resend"
# As long as deliveries are kept.
SINCE_MAX: Final = timedelta(days=30)
PAGE: Final = 1_000

type_of_which = Literal["undelivered", "all"]


class UnknownDelivery(NotFound):
    """The webhook has no such delivery, or has it no more."""

    message = _("There is no such delivery. They are kept for 30 days.")


class InvalidSince(Invalid):
    """It is not to be sent again from then on."""

    message = _("What happened in the last 30 days can be sent again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Which facts are to be sent again: those recorded from `since` to `until`, after the event `after_id`."""

    since: datetime
    until: datetime
    which: type_of_which = "undelivered"
    after_id: int = 0

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> "Range":
        """Return what `as_json` has told."""
        instants = {name: datetime.fromisoformat(told[name]) for name in ("since", "until")}
        return cls(**{**told, **instants})

    def as_json(self) -> dict[str, Any]:
        """Return it as a message to a worker carries it."""
        told = {"since": self.since.isoformat(), "until": self.until.isoformat()}
        return {**told, "which": self.which, "after_id": self.after_id}

    def params(self, endpoint: Endpoint) -> dict[str, Any]:
        """Return it as the statements below ask for it."""
        told = {"since": self.since, "until": self.until, "after_id": self.after_id, "all": self.which == "all"}
        return {**told, "id": endpoint.pk, "kinds": list(endpoint.kinds)}


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
def resend_since(*, endpoint: Endpoint, since: datetime, which: type_of_which, by: Actor, at: datetime) -> int:
    """
    Send again what has happened since some time, and return how many facts that is.

    Those are "all" of the webhook's kinds, or the "undelivered": what it was never to be sent is among them. The first
    page goes at once, the others by and by.

    :raises InvalidSince:
    :raises endpoints.WebhookNotActive:
    """
    if not at - SINCE_MAX <= since <= at:
        raise InvalidSince(pointer="/since")
    fresh = endpoints.require_active(endpoint)
    wanted = Range(since=since, until=at, which=which)
    count = int(fetch(COUNT, {**wanted.params(fresh), "at": at})[0].count)
    _note(fresh, {"since": since, "which": which, "count": count}, by=by, at=at)
    send_page(endpoint=fresh, wanted=wanted, at=at)
    return count


@in_transaction
def send_page(*, endpoint: Endpoint, wanted: Range, at: datetime) -> None:
    """
    Let up to PAGE facts be sent again, the oldest first, and leave the rest to the next turn.

    What was purged comes back under its old id.
    """
    ids = [row.event_id for row in fetch(PAGE_OF, {**wanted.params(endpoint), "limit": PAGE, "at": at})]
    endpoints.wake()
    if len(ids) == PAGE:
        schema, rest = current_schema(), replace(wanted, after_id=max(ids))
        after_commit(lambda: _leave(schema, endpoint.pk, rest))


def _leave(schema: str, endpoint_id: int, rest: Range) -> None:
    told = {"schema_name": schema, "endpoint_id": endpoint_id, "wanted": rest.as_json()}
    try:
        current_app.send_task(TASK, kwargs=told, retry=False)
    except Exception:
        logger.exception("The rest could not be left to a worker.", extra={"webhook": endpoint_id})


def _note(endpoint: Endpoint, told: Mapping[str, object], *, by: Actor, at: datetime) -> None:
    by.note(action="webhook.resent", target=f"webhook:{endpoint.pk} {endpoint.url}"[:200], changes=told, at=at)


AGAIN: Final = """
UPDATE integrations_delivery
SET status = 'waiting', attempts = 0, next_at = %(at)s, claimed_until = NULL, delivered_at = NULL
WHERE id = %(id)s
"""

# The blocks of the log that can hold these instants are found by its index.
_FACTS: Final = """
events_event fact CROSS JOIN (SELECT %(id)s::bigint AS id) endpoint
LEFT JOIN integrations_delivery d ON d.endpoint_id = endpoint.id AND d.event_id = fact.id
WHERE fact.source = 'sarafan' AND fact.received_at >= %(since)s AND fact.received_at <= %(until)s
    AND fact.kind = ANY(%(kinds)s::text[]) AND fact.id > %(after_id)s
    AND (%(all)s OR d.status IS DISTINCT FROM 'delivered') AND (d.claimed_until IS NULL OR d.claimed_until <= %(at)s)
"""
COUNT: Final = "SELECT count(*) FROM {FACTS}".replace("{FACTS}", _FACTS)
PAGE_OF: Final = """
WITH fact AS (SELECT fact.id, fact.kind, fact.occurred_at FROM {FACTS} ORDER BY fact.id LIMIT %(limit)s), again AS (
    INSERT INTO integrations_delivery AS d (endpoint_id, event_id, kind, message_id, body, status, attempts, next_at,
        tries, answer, error, created_at)
    SELECT endpoint.id, fact.id, fact.kind, {MESSAGE_ID}, '', 'waiting', 0, %(at)s, '[]', '', '', %(at)s
    FROM fact CROSS JOIN (SELECT %(id)s::bigint AS id) endpoint ORDER BY fact.id
    ON CONFLICT (endpoint_id, event_id) WHERE event_id IS NOT NULL DO UPDATE
    SET status = 'waiting', attempts = 0, next_at = %(at)s, claimed_until = NULL, delivered_at = NULL
)
SELECT id AS event_id FROM fact
""".replace("{FACTS}", _FACTS).replace("{MESSAGE_ID}", MESSAGE_ID)

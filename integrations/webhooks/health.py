"""Whether a webhook works: since when it fails, and when that is long enough to send there no more."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from core.db import execute, fetch, in_transaction
from core.errors import type_of_text
from events import facts
from events.facts import Fact
from integrations.webhooks import schedule
from integrations.webhooks.outcomes import Outcome
from tenants import audit

logger = logging.getLogger(__name__)

# Why one was disabled: what stands in `status_note`, and what people read.
NOTES: Final[Mapping[str, type_of_text]] = {
    "gone": _("The receiver answered 410: it wants to hear no more."),
    "failing": _("For 24 hours nothing that was sent there arrived."),
}


@in_transaction
def note(*, endpoint_id: int, outcome: Outcome, at: datetime) -> None:
    """Note an attempt's outcome on its webhook, and disable it when it is gone or has failed for a day."""
    if outcome.is_delivered:
        execute(WORKS, {"id": endpoint_id})
        return
    rows = fetch(FAILS, {"id": endpoint_id, "at": at})
    if not rows:
        return
    if outcome.is_gone:
        _disable(endpoint_id, "gone", at=at)
    elif at - rows[0].failing_since >= schedule.PATIENCE:
        _disable(endpoint_id, "failing", at=at)


def _disable(endpoint_id: int, why: str, *, at: datetime) -> None:
    for row in fetch(DISABLE, {"id": endpoint_id, "why": why}):
        # The log of changes comes last, as ever: whoever deletes another webhook waits for it with that one in hand.
        facts.record(facts=[_fact_of(endpoint_id, row.url, why, at=at)], at=at)
        audit.record(
            actor_kind="system",
            actor="",
            action="webhook.disabled",
            target=f"webhook:{endpoint_id} {row.url}"[:200],
            changes={"why": why, "failing_since": row.failing_since},
            at=at,
        )
        logger.warning("A webhook was disabled.", extra={"webhook": endpoint_id, "why": why})


def _fact_of(endpoint_id: int, url: str, why: str, *, at: datetime) -> Fact:
    # What follows on the host may be a secret of the receiver's, and the other webhooks are other people's.
    parts = urlsplit(url)
    data = {"webhook_id": endpoint_id, "url": f"{parts.scheme}://{parts.netloc}", "why": why}
    return Fact("webhook.disabled", f"webhook:{endpoint_id}:disabled:{at.isoformat()}", data)


# Written only where it changes: a webhook's row is in the way of everybody who sends there.
WORKS: Final = """
UPDATE integrations_endpoint SET failing_since = NULL WHERE id = %(id)s AND failing_since IS NOT NULL
"""
FAILS: Final = """
WITH known AS (SELECT id, failing_since FROM integrations_endpoint WHERE id = %(id)s FOR NO KEY UPDATE), marked AS (
    UPDATE integrations_endpoint e SET failing_since = %(at)s
    FROM known WHERE e.id = known.id AND known.failing_since IS NULL
)
SELECT coalesce(failing_since, %(at)s) AS failing_since FROM known
"""
DISABLE: Final = """
UPDATE integrations_endpoint SET status = 'disabled', status_note = %(why)s
WHERE id = %(id)s AND status = 'active' RETURNING url, failing_since
"""

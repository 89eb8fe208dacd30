"""Limits over all campaigns, and counters that are forgotten: theirs when they change, those of another time zone."""

from datetime import date, datetime
from typing import Final

from antifraud.limits import places
from antifraud.limits.counter_checks import PERIODS, is_local
from campaigns.models import Limit
from core.db import execute, fetch, in_transaction, transaction
from members import people
from tenants import context

FORGET = "DELETE FROM antifraud_counter WHERE scope = ANY(%(scopes)s::text[]) AND scope_id = %(id)s"
FORGET_PERIODS = """
DELETE FROM antifraud_counter c USING unnest(%(periods)s::text[], %(starts)s::timestamptz[]) AS gone (period, start)
WHERE c.period = gone.period AND c.period_start = gone.start
"""
SCOPES: Final = ["limit", *sorted(places.OWN_SCOPE)]


@in_transaction
def save(*, limit: Limit) -> None:
    """
    Save a limit over all campaigns. What it counts from then on starts from the rewards there are.

    Its counters are made anew: while it was of another period, or of somebody else, they have counted nothing.
    """
    people.lock(context.current().schema_name)
    limit.save()
    execute(FORGET, {"scopes": SCOPES, "id": limit.pk})


@in_transaction
def delete(*, limit: Limit) -> None:
    """Delete a limit over all campaigns, and what it has counted."""
    people.lock(context.current().schema_name)
    execute(FORGET, {"scopes": SCOPES, "id": limit.pk})
    limit.delete()


def night(*, schema: str, day: date, at: datetime) -> None:
    """
    Forget what was counted by the clock of another zone, out of which the tenant has moved.

    It has not been kept up since, and would be taken for true should the tenant move back.
    """
    gone = [span for span in fetch(PERIODS) if not is_local(span, zone=context.zone())]
    if gone:
        with transaction():
            people.lock(schema)
            columns = {"periods": [span.period for span in gone], "starts": [span.period_start for span in gone]}
            execute(FORGET_PERIODS, columns)

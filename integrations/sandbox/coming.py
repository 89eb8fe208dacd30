"""What time brings: at which instants something falls due in the current tenant, and doing all that is due at one."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from antifraud.judging import second_look
from antifraud.moderation import escalation
from antifraud.stops import patrol
from core.db import fetch, transaction
from events import claims, handling
from integrations.sandbox.turns import SandboxBusy
from rewards import maturing, night, reservations
from tenants import context, periods

BATCH_SIZE: Final = 500
MINUTE: Final = timedelta(minutes=1)
# Who is at the tenant already is done soon, with the very same.
BUSY_TRIES: Final = 100
BUSY_SECONDS: Final = 0.05


def next_instant(*, after: datetime, until: datetime) -> datetime:
    """
    Return the next instant at which something falls due: a midnight, or a minute as the clock strikes.

    Whatever is due within a minute is done at its end, as it is in real life.
    """
    zone = context.zone()
    due = fetch(NEXT, {"after": after})[0].due
    tonight = periods.midnight(after.astimezone(zone).date() + timedelta(days=1), zone=zone)
    return min(until, tonight, *([] if due is None else [_whole_minute(due)]))


def bring(*, schema: str, at: datetime) -> int:
    """
    Do all that is due in the current tenant at an instant, and return how many nights that took: one or none.

    :raises SandboxBusy: when others are at the tenant and do not end.
    """
    handle_waiting(schema=schema, at=at)
    _while_due(maturing.is_due, lambda: maturing.release_due(schema=schema, limit=BATCH_SIZE, at=at), at)
    release = transaction(reservations.release_due)
    _while_due(reservations.is_any_due, lambda: release(schema=schema, limit=BATCH_SIZE, at=at), at)
    nights = _do_the_night(schema, at)
    _while_due(escalation.is_any_due, lambda: escalation.escalate_due(limit=BATCH_SIZE, at=at), at)
    if second_look.is_due(at=at):
        second_look.look(at=at)
    if patrol.is_due(at=at):
        patrol.walk(at=at)
    # Rules may start from what was just done.
    handle_waiting(schema=schema, at=at)
    return nights


def handle_waiting(*, schema: str, at: datetime) -> None:
    """
    Handle whatever events wait in the current tenant by now.

    :raises SandboxBusy: when others are at the tenant and do not end.
    """
    for _try in range(BUSY_TRIES):
        try:
            while claims.is_any_waiting(at=at) and handling.handle_batch(schema=schema, at=at):
                pass
        except claims.Busy:
            time.sleep(BUSY_SECONDS)
        else:
            return
    raise SandboxBusy


def _while_due(is_due: Callable[..., bool], act: Callable[[], int], at: datetime) -> None:
    while is_due(at=at) and act():
        pass


def _do_the_night(schema: str, at: datetime) -> int:
    if not night.find_due(at=at):
        return 0
    for _try in range(BUSY_TRIES):
        if night.run(schema=schema, at=at) or not night.find_due(at=at):
            return 1
        time.sleep(BUSY_SECONDS)
    raise SandboxBusy


def _whole_minute(at: datetime) -> datetime:
    begun = at.replace(second=0, microsecond=0)
    return at if begun == at else begun + MINUTE


# What nights do has no instants of its own.
NEXT: Final = """
SELECT LEAST(
    (SELECT min(matures_at) FROM rewards_reward WHERE status = 'pending' AND awaits = '' AND matures_at > %(after)s),
    (SELECT min(expires_at) FROM rewards_redemption WHERE status = 'reserved' AND expires_at > %(after)s),
    (SELECT min(due_at) FROM antifraud_case WHERE status = 'open' AND escalated_at IS NULL AND due_at > %(after)s),
    (SELECT min(resume_at) FROM antifraud_trip WHERE resumed_at IS NULL AND resume_at > %(after)s),
    (SELECT min(next_at) FROM events_event WHERE status = 'waiting' AND next_at > %(after)s)
) AS due
"""

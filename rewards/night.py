"""
The night of a tenant: what is done once for each local day, from its own midnight on, in the order of settings.NIGHT.

Each step is `(*, schema, day, at) -> None`, does what is due in transactions of its own, and can be done again. How
far a night came stands in the reward policy, so that whoever comes after a crash goes on with the step that was cut
short. A day whose night nobody was there for is not made up for: today's does all that is due.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string

from core.db import execute, fetch, transaction
from members import people
from rewards import entitlements, maturing, reservations
from tenants import context

# Of the advisory locks. Held for the whole night, which consists of many transactions: by the session, not by one.
LOCK_CLASS: Final = 7004
BATCH_SIZE: Final = 500

type_of_step = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Progress:
    """Which day's night there is to do, and how many of its steps are done."""

    day: date
    step: int


def find_due(*, at: datetime) -> Progress | None:
    """
    Return what there is to do of the current tenant's night, or None. Costs one small statement, so ask before `run`.

    A day that was begun once is never begun again, though the tenant may have moved its clock back meanwhile.
    """
    (row,) = fetch(PROGRESS)
    today = at.astimezone(context.zone()).date()
    if row.night_date is None or row.night_date < today:
        return Progress(today, 0)
    return None if row.night_done_at else Progress(row.night_date, row.night_step)


def run(*, schema: str, at: datetime) -> bool:
    """Do the current tenant's night, or the rest of it, and tell whether that was for us to do."""
    with _alone(schema) as is_ours:
        due = find_due(at=at) if is_ours else None
        if due is None:
            return False
        execute(BEGIN, {"day": due.day, "step": due.step})
        for step, act in list(enumerate(_steps()))[due.step :]:
            act(schema=schema, day=due.day, at=at)
            execute(ADVANCE, {"step": step + 1})
        execute(FINISH, {"at": at})
        return True


def activate(*, schema: str, day: date, at: datetime) -> None:
    """Grant whatever has been pending long enough."""
    _until_none(maturing.release_due, schema, at)


def lapse(*, schema: str, day: date, at: datetime) -> None:
    """Let promises, what is set aside, and entitlements end whose time is over."""
    _until_none(maturing.lapse_due, schema, at)
    _until_none(transaction(reservations.release_due), schema, at)
    _until_none(entitlements.expire_due, schema, at)


def _until_none(verb: Callable[..., int], schema: str, at: datetime) -> None:
    while verb(schema=schema, limit=BATCH_SIZE, at=at):
        pass


@contextmanager
def _alone(schema: str) -> Iterator[bool]:
    ours = {"lock_class": LOCK_CLASS, "lock_key": people.lock_key(schema)}
    (row,) = fetch("SELECT pg_try_advisory_lock(%(lock_class)s, %(lock_key)s) AS is_ours", ours)
    try:
        yield row.is_ours
    finally:
        if row.is_ours:
            execute("SELECT pg_advisory_unlock(%(lock_class)s, %(lock_key)s)", ours)


@cache
def _steps_of(paths: tuple[str, ...]) -> tuple[type_of_step, ...]:
    return tuple(import_string(path) for path in paths)


def _steps() -> tuple[type_of_step, ...]:
    return _steps_of(tuple(settings.NIGHT))


PROGRESS = "SELECT night_date, night_step, night_done_at FROM rewards_rewardpolicy WHERE id = 1"
BEGIN = """
UPDATE rewards_rewardpolicy SET night_date = %(day)s, night_step = %(step)s, night_done_at = NULL WHERE id = 1
"""
ADVANCE = "UPDATE rewards_rewardpolicy SET night_step = %(step)s WHERE id = 1"
FINISH = "UPDATE rewards_rewardpolicy SET night_done_at = %(at)s WHERE id = 1"

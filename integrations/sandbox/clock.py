"""
The sandbox's clock: advanced, never set back but by clearing the sandbox, and all that it brings done on the way.

It goes from one instant at which something falls due to the next, as time itself does: a reward that matures in a
week is granted then, and expires counted from then. Each step is committed by itself. Whatever breaks off, the clock
stands where it has come to, and what was due by then is done.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext_lazy as _

from core.db import fetch, transaction
from core.errors import Conflict, Invalid
from integrations.sandbox import coming
from rewards.actors import Actor
from tenants import sandboxes

STEP_MAX: Final = timedelta(days=366)
AHEAD_MAX: Final = timedelta(days=5 * 365 + 1)
# Of a request, whose caller waits.
SECONDS_MAX: Final = 20.0


class InvalidAdvance(Invalid):
    """Not one of: so many days, so many hours, an instant; or too far for one call."""

    message = _("Give one of advance_days, advance_hours and to: at most 366 days at once.")


class OnlyForward(Conflict):
    """What has happened has happened."""

    message = _("The clock only goes forward. Clear the sandbox to set it back to real time.")


class TooFarAhead(Conflict):
    """Further than anybody plans."""

    message = _("The clock can be five years ahead at most. Clear the sandbox to set it back to real time.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """What the clock says, and how far that is ahead of everybody's."""

    now: datetime
    ahead: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """How far the clock has come, and what has happened on the way: facts by kind, and what expired of each asset."""

    time: Time
    passed: timedelta
    is_there: bool
    nights: int
    facts: Mapping[str, int]
    expired: Mapping[str, int]


def read(*, at: datetime) -> Time:
    """
    Return what the current sandbox's clock says.

    :raises sandboxes.SandboxOnly: in a live tenant.
    """
    return Time(now=at, ahead=sandboxes.get_current().clock_ahead)


def advance(*, to: datetime, by: Actor, seconds_max: float = SECONDS_MAX, at: datetime) -> Advanced:
    """
    Advance the current sandbox's clock, do what that brings, and tell what has happened.

    The caller has the turn, and had it when it read `at`: else somebody may have moved the clock in between. After
    `seconds_max` it stands between two steps; asked for the same instant again, it goes on.

    :raises sandboxes.SandboxOnly: in a live tenant.
    :raises InvalidAdvance: | OnlyForward | TooFarAhead | turns.SandboxBusy
    """
    check(to=to, at=at)
    sandbox = sandboxes.get_current()
    really_at = at - sandbox.clock_ahead
    (first,) = fetch(LAST)
    ends = time.monotonic() + seconds_max
    reached, nights = at, 0
    coming.bring(schema=sandbox.schema_name, at=at)
    while reached < to:
        reached = coming.next_instant(after=reached, until=to)
        with transaction():
            sandboxes.set_clock(sandbox=sandbox, ahead=reached - really_at)
        nights += coming.bring(schema=sandbox.schema_name, at=reached)
        if time.monotonic() > ends:
            break
    _note(sandbox.slug, at, reached, by)
    return Advanced(
        time=Time(now=reached, ahead=reached - really_at),
        passed=reached - at,
        is_there=reached >= to,
        nights=nights,
        facts={row.kind: row.count for row in fetch(HAPPENED, {"after": first.id})},
        expired={row.asset: row.amount for row in fetch(EXPIRED, {"after": first.id})},
    )


def arrived(*, at: datetime) -> Advanced:
    """Return what is told of a way that was gone to its end before, by whoever was broken off there."""
    return Advanced(time=read(at=at), passed=timedelta(), is_there=True, nights=0, facts={}, expired={})


def check(*, to: datetime, at: datetime) -> None:
    """
    Refuse an instant that the current sandbox's clock cannot be advanced to.

    :raises sandboxes.SandboxOnly: in a live tenant.
    :raises InvalidAdvance: | OnlyForward | TooFarAhead
    """
    ahead = sandboxes.get_current().clock_ahead
    if to <= at:
        raise OnlyForward
    if to - at > STEP_MAX:
        raise InvalidAdvance
    if ahead + (to - at) > AHEAD_MAX:
        raise TooFarAhead


@transaction
def _note(slug: str, at: datetime, reached: datetime, by: Actor) -> None:
    changes = {"clock": [at.isoformat(), reached.isoformat()]}
    by.note(action="sandbox.clock_advanced", target=f"sandbox:{slug}", changes=changes, at=reached)


LAST: Final = "SELECT coalesce(max(id), 0) AS id FROM events_event"
HAPPENED: Final = """
SELECT kind, count(*)::int AS count FROM events_event WHERE source = 'sarafan' AND id > %(after)s
GROUP BY kind ORDER BY kind
"""
EXPIRED: Final = """
SELECT data ->> 'asset' AS asset, sum((data ->> 'amount')::bigint)::bigint AS amount FROM events_event
WHERE source = 'sarafan' AND id > %(after)s AND kind = 'points.expired' GROUP BY 1 ORDER BY 1
"""

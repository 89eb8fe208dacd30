"""
First answers: a request that is sent again with its Idempotency-Key does nothing, and is answered as the first was.

After draft-ietf-httpapi-idempotency-key-header-07 and Stripe's practice (docs.stripe.com/api/idempotent_requests): the
key belongs to the tenant and the address it is sent to, holds for a day, and stands for one body. The day is one of
real time: an advance of a sandbox's clock must not have a repetition done twice. The answer is written in the
transaction that does the work, so whatever crashes, both are there or neither is.

Work of many transactions keeps a plan first: what it set out to do, so that whoever repeats it after a crash goes on to
the same end. The answer then takes the plan's place.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from core import sealing
from core.db import current_schema, execute, fetch, in_transaction, json_text
from core.errors import Conflict, Invalid, Unprocessable
from tenants.staff.models import Answer

# Of the advisory locks. It is taken first, by whoever does not wait for it, and held until the commit.
LOCK_CLASS: Final = 7005

KEPT_FOR: Final = timedelta(hours=24)
# Visible ASCII, as a header has it.
KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
# What the first answer told beside its body.
HEADERS: Final = ("Content-Type", "Location")
SEALED_AS: Final = "answer"
# Among the headers of what is no answer yet: what the work set out to do. An HTTP status must stand there.
PLAN: Final = "Plan"
PLANNED: Final = 202


class InvalidIdempotencyKey(Invalid):
    """Not a key that can be kept."""

    message = _("An Idempotency-Key has 1 to 255 visible ASCII characters, such as a UUID.")


class IdempotencyKeyInUse(Conflict):
    """The first request with this key is not answered yet."""

    message = _("The first request with this Idempotency-Key is still at work. Send it again in a moment.")


class IdempotencyKeyReused(Unprocessable):
    """The key came with another body before."""

    message = _("This Idempotency-Key was sent with another body. Give each request a key of its own.")


class Asked(NamedTuple):
    """A request with a key: what is asked of where, with a body of this value."""

    key: str
    method: str
    path: str
    body: Any

    @property
    def lookup(self) -> str:
        return hashlib.sha256("\n".join((self.method, self.path, self.key)).encode()).hexdigest()

    @property
    def fingerprint(self) -> str:
        # Neither spaces nor the order of names make another body.
        text = json_text(_sorted(self.body))
        return sealing.fingerprint(schema=current_schema(), payload=text.encode())


class Answered(NamedTuple):
    """An answer, as it was or is to be sent."""

    status: int
    headers: Mapping[str, str]
    body: str


@in_transaction
def begin(*, asked: Asked, at: datetime) -> Answered | None:
    """
    Return the first answer to what is asked, or None, and then nobody else is at it until this transaction ends.

    :raises InvalidIdempotencyKey:
    :raises IdempotencyKeyInUse: when somebody else is at it.
    :raises IdempotencyKeyReused: when the first request had another body.
    """
    _take("pg_try_advisory_xact_lock", asked)
    first = _find(asked, at)
    if first is None or PLAN in first.headers:
        return None
    body = sealing.unseal(schema=current_schema(), kind=SEALED_AS, value=first.body)
    return Answered(first.status, first.headers, body)


@contextmanager
def alone(*, asked: Asked) -> Iterator[None]:
    """
    Keep others from what is asked for as long as the block lasts, whatever transactions it has.

    :raises InvalidIdempotencyKey: | IdempotencyKeyInUse
    """
    schema = current_schema()
    _take("pg_try_advisory_lock", asked)
    try:
        yield
    finally:
        execute(UNLOCK, {"class": LOCK_CLASS, "name": f"{schema}:{asked.lookup}"})


def find_plan(*, asked: Asked, at: datetime) -> str | None:
    """
    Return what the first request with this key set out to do, if it was broken off.

    :raises IdempotencyKeyReused: when that had another body.
    """
    first = _find(asked, at)
    return None if first is None else first.headers.get(PLAN)


@in_transaction
def keep_plan(*, asked: Asked, plan: str, at: datetime) -> None:
    """Keep what the work sets out to do, before it begins."""
    keep(asked=asked, answered=Answered(PLANNED, {PLAN: plan}, ""), at=at)


@in_transaction
def keep(*, asked: Asked, answered: Answered, at: datetime) -> None:
    """Keep the first answer, with the work that it tells of. One that is older than a day makes room."""
    execute(
        KEEP,
        {
            "lookup": asked.lookup,
            "key": asked.key,
            "method": asked.method,
            "path": asked.path[:500],
            "fingerprint": asked.fingerprint,
            "status": answered.status,
            "headers": json_text(
                {name: answered.headers[name] for name in (*HEADERS, PLAN) if name in answered.headers}
            ),
            "body": sealing.seal(schema=current_schema(), kind=SEALED_AS, value=answered.body),
            "at": at,
        },
    )


def forget_old(*, at: datetime) -> int:
    """Forget what was answered more than a day ago in the current schema, and return how much that was."""
    return execute("DELETE FROM staff_answer WHERE created_at <= %(before)s", {"before": at - KEPT_FOR})


def _take(function: str, asked: Asked) -> None:
    if not KEY.fullmatch(asked.key):
        raise InvalidIdempotencyKey
    (turn,) = fetch(TRY.format(function), {"class": LOCK_CLASS, "name": f"{current_schema()}:{asked.lookup}"})
    if not turn.is_ours:
        raise IdempotencyKeyInUse


def _find(asked: Asked, at: datetime) -> Answer | None:
    first = Answer.objects.filter(lookup=asked.lookup, created_at__gt=at - KEPT_FOR).first()
    if first is not None and first.fingerprint != asked.fingerprint:
        raise IdempotencyKeyReused
    return first


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _sorted(value[name]) for name in sorted(value, key=str)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


TRY = "SELECT {}(%(class)s, hashtext(%(name)s)) AS is_ours"
UNLOCK = "SELECT pg_advisory_unlock(%(class)s, hashtext(%(name)s))"

KEEP = """
INSERT INTO staff_answer (lookup, key, method, path, fingerprint, status, headers, body, created_at)
VALUES (%(lookup)s, %(key)s, %(method)s, %(path)s, %(fingerprint)s, %(status)s, %(headers)s::jsonb, %(body)s, %(at)s)
ON CONFLICT (lookup) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
    headers = excluded.headers, body = excluded.body, created_at = excluded.created_at
"""

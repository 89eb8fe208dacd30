"""One at a time: while a sandbox's clock is being advanced nobody else advances it, and nobody clears the sandbox."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.utils.translation import gettext_lazy as _

from core.db import execute, fetch, in_transaction
from core.errors import Conflict
from members import people

# Of the advisory locks. It is taken first, by whoever does not wait for it.
LOCK_CLASS: Final = 7006


class SandboxBusy(Conflict):
    """Somebody else is at it, or something takes long in there."""

    message = _("The sandbox is being cleared or its clock advanced, or it is busy. Try again in a moment.")


@contextmanager
def alone(*, schema: str) -> Iterator[None]:
    """
    Keep others from clearing or advancing a sandbox for as long as the block lasts, whatever transactions it has.

    :raises SandboxBusy:
    """
    _take("pg_try_advisory_lock", schema)
    try:
        yield
    finally:
        execute("SELECT pg_advisory_unlock(%(class)s, %(key)s)", {"class": LOCK_CLASS, "key": people.lock_key(schema)})


@in_transaction
def alone_until_commit(*, schema: str) -> None:
    """
    Keep others from clearing or advancing a sandbox until the transaction ends.

    :raises SandboxBusy:
    """
    _take("pg_try_advisory_xact_lock", schema)


def _take(function: str, schema: str) -> None:
    params = {"class": LOCK_CLASS, "key": people.lock_key(schema)}
    (row,) = fetch(f"SELECT {function}(%(class)s, %(key)s) AS is_ours", params)
    if not row.is_ours:
        raise SandboxBusy

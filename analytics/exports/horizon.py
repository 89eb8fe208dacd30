"""
How far a table may be exported by its ids, so that no row is passed over for good.

An id is drawn before its row is committed, so the row 5 may come to light after the row 6 was sent, and whoever goes on
after 6 never sees it. No number of a transaction tells (a transaction may have been given one long before it draws an
id, or long after), but the sequence does: whoever draws from it holds a lock on it from before that until after their
commit. So: note the last id drawn, see who holds the lock, and wait for them. They are done in a moment, and whoever
comes meanwhile draws higher ids. What is read from then on is whole up to the id that was noted.
"""

import time
from http import HTTPStatus
from typing import Final

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException

from core.db import fetch
from tenants.context import connection

SECONDS_MAX: Final = 3.0
PAUSE_SECONDS: Final = 0.02


class StillWriting(APIException):
    """Somebody takes long to write rows that come before others: 503, for which there is no family of failures."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = _("Rows of this table are being written just now. Ask again in a moment, from where you are.")
    default_code = "still_writing"
    wait = 5


def find(*, table: str, seconds_max: float = SECONDS_MAX) -> int:
    """
    Return an id of a table of the current schema, up to which whatever is read from now on has every row there will be.

    :raises StillWriting: when somebody who was at it before is not done within `seconds_max`.
    """
    sequence = fetch(SEQUENCE, {"table": connection.ops.quote_name(table)})[0].name
    # In this order: whoever has drawn an id up to here holds the lock by now, or is committed by now.
    last_id = int(fetch(DRAWN.format(sequence))[0].id)
    writers, ends = _writers(sequence), time.monotonic() + seconds_max
    while writers:
        if time.monotonic() > ends:
            raise StillWriting
        time.sleep(PAUSE_SECONDS)
        writers &= _writers(sequence)
    return last_id


def _writers(sequence: str) -> set[str]:
    return {row.virtualtransaction for row in fetch(WRITERS, {"sequence": sequence})}


SEQUENCE: Final = "SELECT pg_get_serial_sequence(%(table)s, 'id') AS name"
DRAWN: Final = "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS id FROM {}"
# nextval takes this lock (lock_and_open_sequence in PostgreSQL's sequence.c), and nobody lets go of it before the end
# of their transaction, not even where a savepoint is rolled back. What is prepared for a commit in two phases holds it
# without a process.
WRITERS: Final = """
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND relation = %(sequence)s::regclass
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND pid IS DISTINCT FROM pg_backend_pid()
"""

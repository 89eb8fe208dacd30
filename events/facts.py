"""Facts of our own, such as reward.granted: recorded in the same log, each with the event that caused it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from core import db

DEPTH_MAX = 5


class Fact(NamedTuple):
    """Something we did. `key` is made from what it follows from, so that it is recorded once."""

    kind: str
    key: str
    data: Mapping[str, Any]
    member_id: int | None = None
    cause_id: int | None = None
    depth: int = 0


# A fact that nobody consumes is handled the moment it is written: it costs this insert and nothing more.
INSERT_FACTS = """
INSERT INTO events_event (source, key, kind, fingerprint, identities, occurred_at, received_at, data, is_history,
    cause_id, depth, member_id, status, attempts, error, handled_at, trace)
SELECT 'sarafan', f.key, f.kind, '', '[]', %(at)s, %(at)s, f.data, false, f.cause_id, f.depth, f.member_id,
    'handled', 0, '', %(at)s, '[]'
FROM ROWS FROM (unnest(%(fact_keys)s::text[], %(fact_kinds)s::text[], %(fact_cause_ids)s::bigint[],
        %(fact_depths)s::smallint[], %(fact_member_ids)s::bigint[]), jsonb_array_elements(%(fact_data)s::jsonb))
    AS f (key, kind, cause_id, depth, member_id, data)
ON CONFLICT (source, key) DO NOTHING
"""


@db.in_transaction
def record(*, facts: Sequence[Fact], at: datetime) -> None:
    """Record what we did, in one statement. A fact whose key is there already is the same fact."""
    if facts:
        db.execute(INSERT_FACTS, columns_of(facts, at=at))


def columns_of(facts: Sequence[Fact], *, at: datetime) -> dict[str, object]:
    """Return the parameters of INSERT_FACTS."""
    return {
        "at": at,
        "fact_keys": [fact.key for fact in facts],
        "fact_kinds": [fact.kind for fact in facts],
        "fact_data": db.json_text([fact.data for fact in facts]),
        "fact_cause_ids": [fact.cause_id for fact in facts],
        "fact_depths": [fact.depth for fact in facts],
        "fact_member_ids": [fact.member_id for fact in facts],
    }

"""
Facts of our own, such as reward.granted: recorded in the same log, each with the event that caused it.

Most are handled the moment they are written. One of `kinds.FACTS` that a rule of the tenant starts from waits for the
scorer like a reported event, unless too long a chain of causes has led to it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

from core import db
from events import doorbell
from events.kinds import FACTS

# So long a chain ends: what stands there is told, and starts no rule, so that no campaigns feed each other for ever.
DEPTH_MAX = 5
TOO_DEEP = "chain_too_long"


class Fact(NamedTuple):
    """Something we did. `key` is made from what it follows from, so that it is recorded once."""

    kind: str
    key: str
    data: Mapping[str, Any]
    member_id: int | None = None
    cause_id: int | None = None
    depth: int = 0


class Link(NamedTuple):
    """That something about a member follows from an event, and how long the chain is by then."""

    depth: int
    cause_id: int
    member_id: int


# A part of a statement: it says whether a fact waits now, and whether one is to be told outside. What follows from
# history is history as well.
TELL = """
told AS (
    INSERT INTO events_event (source, key, kind, fingerprint, identities, occurred_at, received_at, data, is_history,
        cause_id, depth, member_id, status, attempts, error, handled_at, trace)
    SELECT 'sarafan', key, kind, '', '[]', %(at)s, %(at)s, data,
        starts_rule AND coalesce((SELECT is_history FROM events_event cause WHERE cause.id = fact.cause_id), false),
        cause_id, depth, member_id,
        CASE WHEN starts_rule AND depth < %(depth_max)s THEN 'waiting' ELSE 'handled' END, 0, '',
        CASE WHEN starts_rule AND depth < %(depth_max)s THEN NULL ELSE %(at)s END,
        CASE WHEN starts_rule AND depth >= %(depth_max)s THEN %(too_deep)s ELSE '[]' END::jsonb
    FROM (
        SELECT *, {starts_rule} AS starts_rule
        FROM ROWS FROM (unnest(%(fact_keys)s::text[], %(fact_kinds)s::text[], %(fact_cause_ids)s::bigint[],
                %(fact_depths)s::smallint[], %(fact_member_ids)s::bigint[]), jsonb_array_elements(%(fact_data)s::jsonb))
            AS f (key, kind, cause_id, depth, member_id, data)
        {once}
    ) fact
    ON CONFLICT (source, key) DO NOTHING
    RETURNING id, kind, occurred_at, status
)
{outbox}
SELECT EXISTS (SELECT FROM told WHERE status = 'waiting') AS starts_rule, EXISTS (SELECT FROM outbox) AS is_awaited
"""


@db.in_transaction
def record(*, facts: Sequence[Fact], at: datetime) -> None:
    """
    Record what we did, in one statement. A fact whose key is there already is the same fact.

    If a rule starts from one of them, the tenant's worker is woken once they are committed, and whoever tells them
    outside if somebody asked for it (`settings.FACT_OUTBOX`).
    """
    if facts:
        record_with(clauses="WITH", params={}, facts=facts, at=at)


@db.in_transaction
def tell(*, kind: str, key: str, data: Mapping[str, Any], member_id: int | None = None, at: datetime) -> None:
    """Record one fact for a floor below, which knows no `Fact` (`settings.FACT_RECORDER`)."""
    record(facts=[Fact(kind, key, data, member_id)], at=at)


@db.in_transaction
def record_with(*, clauses: str, params: Mapping[str, object], facts: Sequence[Fact], at: datetime) -> None:
    """Record facts in one statement with other writes: `clauses` open it, `WITH a AS (…),`."""
    # Where there is nothing to ask, asking would take longer than the insert.
    may_start = any(fact.kind in FACTS for fact in facts)
    (told,) = db.fetch(clauses + _tell(may_start=may_start), {**params, **_columns_of(facts, at=at)})
    schema = db.current_schema()
    if told.starts_rule:
        db.after_commit(lambda: doorbell.ring(schema))
    if told.is_awaited:
        db.after_commit(lambda: import_string(settings.FACT_OUTBOX_BELL)(schema))


def links_of(facts: Iterable[Fact]) -> list[Link]:
    """Return what facts about members follow from."""
    return [Link(each.depth, each.cause_id, each.member_id) for each in facts if each.cause_id and each.member_id]


def following(*, facts: Sequence[Fact], links: Iterable[Link]) -> list[Fact]:
    """Return the facts as following from what the longest of the links to their members follows from, if any does."""
    longest = {link.member_id: link for link in sorted(links)}
    return [
        fact._replace(cause_id=link.cause_id, depth=link.depth) if (link := longest.get(fact.member_id or 0)) else fact
        for fact in facts
    ]


def _columns_of(facts: Sequence[Fact], *, at: datetime) -> dict[str, object]:
    return {
        "at": at,
        "depth_max": DEPTH_MAX,
        "too_deep": db.json_text([{"outcome": "missed", "code": TOO_DEEP, "params": {"max": DEPTH_MAX}}]),
        "fact_triggers": list(FACTS),
        "fact_keys": [fact.key for fact in facts],
        "fact_kinds": [fact.kind for fact in facts],
        "fact_data": db.json_text([fact.data for fact in facts]),
        "fact_cause_ids": [fact.cause_id for fact in facts],
        "fact_depths": [fact.depth for fact in facts],
        "fact_member_ids": [fact.member_id for fact in facts],
    }


@cache
def _tell(*, may_start: bool) -> str:
    triggers = import_string(settings.FACT_TRIGGERS)
    starts_rule = f"f.kind = ANY(%(fact_triggers)s::text[]) AND f.kind IN ({triggers})" if may_start else "false"
    # OFFSET keeps the planner from asking once for every column.
    told = TELL.replace("{starts_rule}", starts_rule).replace("{once}", "OFFSET 0" if may_start else "")
    return told.replace("{outbox}", import_string(settings.FACT_OUTBOX))

"""
What this machine can do at best: the limits that the real thing is compared with.

L2 inserts events and does nothing else. L3 is the least that turns a paid order into points by one rule and is still
safe: one writer, no event twice, no budget or limit exceeded, money conserved, everything in one transaction of a fixed
number of statements. It has tables of its own, with keys and checks as one would write them by hand.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from benchmarks import stage
from core.db import execute, fetch, json_text, transaction
from events.reports import Report

BATCH = 200
AT = datetime(2026, 3, 17, 12, tzinfo=UTC)

# --- L2 -------------------------------------------------------------------------------------------------------------

# A copy with all that the real table has; only the triggers are missing, which an insert does not meet.
INBOX = "CREATE TABLE ref_inbox (LIKE events_event INCLUDING ALL)"
INSERT = """
INSERT INTO ref_inbox (source, key, kind, fingerprint, identities, business_key, occurred_at, received_at, data,
    is_history, depth, status, attempts, error, trace)
SELECT 'api', key, 'order.paid', fingerprint, identities, business_key, %(at)s, %(at)s, data, false, 0, 'waiting', 0,
    '', '[]'
FROM ROWS FROM (unnest(%(keys)s::text[], %(fingerprints)s::text[], %(business_keys)s::text[]),
    jsonb_array_elements(%(identities)s::jsonb), jsonb_array_elements(%(data)s::jsonb))
    AS e (key, fingerprint, business_key, identities, data)
ON CONFLICT DO NOTHING
"""


@contextmanager
def tables() -> Iterator[None]:
    """Have the tables of both in the current schema."""
    execute(INBOX)
    execute(TABLES, {"members": stage.MEMBERS})
    try:
        yield
    finally:
        execute(DROP)


def batches(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Return what `insert` is to insert, 500 at a time."""
    return [_columns(reports[first : first + 500]) for first in range(0, len(reports), 500)]


def insert(batches: Sequence[dict[str, Any]]) -> None:
    """L2: insert events and do nothing else."""
    for batch in batches:
        execute(INSERT, batch)


def forget_inserted() -> None:
    """Let `insert` begin with an empty table again."""
    execute("TRUNCATE ref_inbox")


def _columns(reports: Sequence[Report]) -> dict[str, Any]:
    return {
        "at": AT,
        "keys": [each.key for each in reports],
        "fingerprints": [each.fingerprint for each in reports],
        "identities": json_text([[one._asdict() for one in each.identities] for each in reports]),
        "business_keys": [each.business_key for each in reports],
        "data": json_text([each.data for each in reports]),
    }


# --- L3 -------------------------------------------------------------------------------------------------------------

TABLES = """
CREATE TABLE ref_event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source_id int NOT NULL, key text NOT NULL,
    fingerprint text NOT NULL, kind text NOT NULL, member_ref text NOT NULL, occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(), state smallint NOT NULL DEFAULT 0,
    attempts smallint NOT NULL DEFAULT 0, next_at timestamptz, last_error text, payload jsonb NOT NULL,
    UNIQUE (source_id, key)) WITH (fillfactor = 80);
CREATE INDEX ON ref_event (id) WHERE state = 0 AND next_at IS NULL;
CREATE INDEX ON ref_event (next_at) WHERE state = 0 AND next_at IS NOT NULL;
CREATE TABLE ref_member (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ref text UNIQUE, status text NOT NULL);
CREATE TABLE ref_budget (campaign_id int PRIMARY KEY, lim bigint NOT NULL, spent bigint NOT NULL,
    CHECK (spent <= lim)) WITH (fillfactor = 50);
CREATE TABLE ref_counter (rule_id int, member_id bigint, period_start timestamptz, used bigint NOT NULL,
    lim bigint NOT NULL, PRIMARY KEY (rule_id, member_id, period_start), CHECK (used <= lim));
CREATE TABLE ref_grant (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL REFERENCES ref_event, rule_id int NOT NULL,
    member_id bigint NOT NULL REFERENCES ref_member, occurrence text NOT NULL,
    state text NOT NULL, amount bigint NOT NULL CHECK (amount > 0), UNIQUE (rule_id, member_id, occurrence));
CREATE TABLE ref_transfer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    grant_id bigint UNIQUE REFERENCES ref_grant, kind text NOT NULL, created_at timestamptz NOT NULL,
    reverses_id bigint UNIQUE REFERENCES ref_transfer);
CREATE TABLE ref_account (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member_id bigint UNIQUE
    REFERENCES ref_member, balance bigint NOT NULL DEFAULT 0, version bigint NOT NULL DEFAULT 0,
    CHECK (member_id IS NULL OR balance >= 0)) WITH (fillfactor = 50);
CREATE TABLE ref_entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transfer_id bigint NOT NULL REFERENCES ref_transfer, account_id bigint NOT NULL REFERENCES ref_account,
    amount bigint NOT NULL CHECK (amount <> 0), balance_after bigint NOT NULL, seq bigint NOT NULL,
    UNIQUE (account_id, seq));
CREATE TABLE ref_outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text NOT NULL,
    payload jsonb NOT NULL, created_at timestamptz NOT NULL);
INSERT INTO ref_budget VALUES (1, 1000000000000, 0);
INSERT INTO ref_account DEFAULT VALUES;
INSERT INTO ref_member (ref, status) SELECT 'member-' || n, 'active' FROM generate_series(0, %(members)s - 1) n;
INSERT INTO ref_account (member_id) SELECT id FROM ref_member
"""
DROP = """
DROP TABLE ref_inbox, ref_outbox, ref_entry, ref_transfer, ref_account, ref_grant, ref_counter, ref_budget, ref_member,
    ref_event
"""
FILL = """
INSERT INTO ref_event (source_id, key, fingerprint, kind, member_ref, occurred_at, payload)
SELECT 1, key, fingerprint, 'order.paid', member_ref, %(at)s, payload
FROM ROWS FROM (unnest(%(keys)s::text[], %(fingerprints)s::text[], %(refs)s::text[]),
    jsonb_array_elements(%(data)s::jsonb))
    AS e (key, fingerprint, member_ref, payload)
"""

LIMITS = """
SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '2s'; SET LOCAL idle_in_transaction_session_timeout = '10s'
"""
LOCK = "SELECT pg_try_advisory_xact_lock(7009, 1) AS is_ours"
CLAIM = """
SELECT id, member_ref, occurred_at, payload FROM ref_event WHERE state = 0 AND next_at IS NULL
ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
MEMBERS = "SELECT id, ref, status FROM ref_member WHERE ref = ANY(%s::text[])"
BUDGET = "SELECT lim - spent AS free FROM ref_budget WHERE campaign_id = 1 FOR UPDATE"
COUNTERS = """
INSERT INTO ref_counter AS c (rule_id, member_id, period_start, used, lim)
SELECT 1, member_id, %s, 0, 100000 FROM unnest(%s::bigint[]) AS n (member_id) ORDER BY member_id
ON CONFLICT (rule_id, member_id, period_start) DO UPDATE SET used = c.used RETURNING member_id, lim - used AS free
"""
GRANT = """
INSERT INTO ref_grant (event_id, rule_id, member_id, occurrence, state, amount)
SELECT event_id, 1, member_id, occurrence, 'granted', amount
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[]) AS g (event_id, member_id, occurrence, amount)
ORDER BY member_id, occurrence ON CONFLICT DO NOTHING RETURNING id, event_id, member_id, amount
"""
ACCOUNTS = """
SELECT id, member_id, balance, version FROM ref_account WHERE member_id = ANY(%s::bigint[]) OR id = 1
ORDER BY id FOR NO KEY UPDATE
"""
SPEND = "UPDATE ref_budget SET spent = spent + %s WHERE campaign_id = 1"
COUNT = """
INSERT INTO ref_counter AS c (rule_id, member_id, period_start, used, lim)
SELECT 1, member_id, %s, used, 100000 FROM unnest(%s::bigint[], %s::bigint[]) AS n (member_id, used) ORDER BY member_id
ON CONFLICT (rule_id, member_id, period_start) DO UPDATE SET used = c.used + EXCLUDED.used
"""
TRANSFER = """
INSERT INTO ref_transfer (grant_id, kind, created_at)
SELECT id, 'grant', %s FROM unnest(%s::bigint[]) AS g (id) RETURNING id, grant_id
"""
BALANCE = """
UPDATE ref_account a SET balance = d.balance, version = d.version
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS d (id, balance, version) WHERE a.id = d.id
"""
ENTER = """
INSERT INTO ref_entry (transfer_id, account_id, amount, balance_after, seq)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
"""
TELL = """
INSERT INTO ref_outbox (topic, payload, created_at)
SELECT 'reward.granted', payload, %s FROM jsonb_array_elements(%s::jsonb) AS o (payload)
"""
MARK = "UPDATE ref_event SET state = 1 WHERE id = ANY(%s::bigint[])"


def fill(reports: Sequence[Report]) -> None:
    """Leave orders waiting for L3."""
    execute(
        FILL,
        {
            "at": AT,
            "keys": [each.key for each in reports],
            "fingerprints": [each.fingerprint for each in reports],
            "refs": [each.identities[0].lookup for each in reports],
            "data": json_text([each.data for each in reports]),
        },
    )


def score() -> None:
    """L3: score what waits by one rule, 5 percent of the amount."""
    while _score_batch():
        pass


@transaction
def _score_batch() -> int:
    execute(LIMITS)
    if not fetch(LOCK)[0].is_ours:
        return 0
    claimed = fetch(CLAIM, [BATCH])
    if not claimed:
        return 0
    members = {row.ref: row for row in fetch(MEMBERS, [list({row.member_ref for row in claimed})])}
    wanted = []
    for row in claimed:
        member = members[row.member_ref]
        if member.status == "active" and row.payload["amount_minor"] >= 2000:
            wanted.append((row.id, member.id, f"order:{row.payload['order_id']}", row.payload["amount_minor"] // 20))
    member_ids = sorted({each[1] for each in wanted})
    budget = fetch(BUDGET)[0].free
    free = {row.member_id: row.free for row in fetch(COUNTERS, [AT, member_ids])}
    granted = fetch(GRANT, [list(column) for column in zip(*wanted, strict=True)])
    _pay(granted, budget, free, fetch(ACCOUNTS, [member_ids]))
    execute(MARK, [[row.id for row in claimed]])
    return len(claimed)


def _pay(granted: Sequence[Any], budget: int, free: dict[int, int], locked: Sequence[Any]) -> None:
    accounts = {row.member_id: [row.id, row.balance, row.version] for row in locked}
    issuer = accounts[None]
    used: Counter[int] = Counter()
    for row in sorted(granted, key=lambda row: row.event_id):
        used[row.member_id] += 1
        budget -= row.amount
        if budget < 0 or used[row.member_id] > free[row.member_id]:
            raise RuntimeError("The reference has no limits that are reached.")
    transfers = {row.grant_id: row.id for row in fetch(TRANSFER, [AT, [row.id for row in granted]])}
    entries = []
    for row in granted:
        for account, amount in ((issuer, -row.amount), (accounts[row.member_id], row.amount)):
            account[1] += amount
            account[2] += 1
            entries.append((transfers[row.id], account[0], amount, account[1], account[2]))
    execute(SPEND, [sum(row.amount for row in granted)])
    execute(COUNT, [AT, list(used), list(used.values())])
    execute(BALANCE, [list(column) for column in zip(*accounts.values(), strict=True)])
    execute(ENTER, [list(column) for column in zip(*entries, strict=True)])
    told = json_text([{"reward_id": row.id, "member_id": row.member_id, "points": row.amount} for row in granted])
    execute(TELL, [AT, told])

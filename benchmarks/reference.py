"""What this machine can do at best: the limits that everything is compared with (L2 and L3)."""

import time
from datetime import UTC, datetime

from django.db import connection

from benchmarks.stage import body, raw_columns
from core.db import execute, fetch, transaction

BATCH = 200
AT = datetime(2026, 3, 17, 12, tzinfo=UTC)

INSERT = """
INSERT INTO events_event (source, key, kind, fingerprint, identities, occurred_at, received_at, data, is_history, depth,
    status, attempts, error, trace)
SELECT 'api', key, 'order.paid', '', identities, %(at)s, %(at)s, data, false, 0, 'waiting', 0, '', '[]'
FROM unnest(%(keys)s::text[], %(data)s::jsonb[], %(identities)s::jsonb[]) AS e (key, data, identities)
ON CONFLICT DO NOTHING
"""


def insert_rows(*, count: int, first: int) -> float:
    """L2: insert events 500 at a time and nothing else; return rows per second."""
    batches = [raw_columns(count=500, first=start) for start in range(first, first + count, 500)]
    began = time.perf_counter()
    for columns in batches:
        execute(INSERT, {**columns, "at": AT})
    return count / (time.perf_counter() - began)


# L3: the least that scores by one rule and is still safe. Tables of its own, shaped as ours are.
TABLES = """
CREATE TABLE ref_event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text UNIQUE, member_id bigint,
    amount bigint, occurrence text, state smallint NOT NULL DEFAULT 0) WITH (fillfactor = 80);
CREATE INDEX ON ref_event (id) WHERE state = 0;
CREATE TABLE ref_budget (id int PRIMARY KEY, spent bigint NOT NULL, lim bigint NOT NULL, CHECK (spent <= lim));
CREATE TABLE ref_counter (member_id bigint PRIMARY KEY, used bigint NOT NULL, CHECK (used <= 1000000));
CREATE TABLE ref_reward (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member_id bigint, event_id bigint
    REFERENCES ref_event, amount bigint, occurrence text, UNIQUE (member_id, occurrence));
CREATE TABLE ref_account (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member_id bigint UNIQUE,
    balance bigint NOT NULL CHECK (balance >= 0)) WITH (fillfactor = 50);
CREATE TABLE ref_posting (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id bigint REFERENCES ref_account,
    reward_id bigint UNIQUE REFERENCES ref_reward, amount bigint);
INSERT INTO ref_budget VALUES (1, 0, 1000000000000)
"""
FILL = "INSERT INTO ref_event (key, member_id, amount, occurrence) SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[])"
CLAIM = "SELECT id, member_id, amount, occurrence FROM ref_event WHERE state = 0 ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED"
COUNT = """
INSERT INTO ref_counter AS c (member_id, used) SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS n (member_id, used)
ORDER BY member_id ON CONFLICT (member_id) DO UPDATE SET used = c.used + EXCLUDED.used
"""
REWARD = """
INSERT INTO ref_reward (member_id, event_id, amount, occurrence)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[]) ON CONFLICT DO NOTHING RETURNING id, member_id, amount
"""
ACCOUNT = """
INSERT INTO ref_account AS a (member_id, balance) SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS n (member_id, b)
ORDER BY member_id ON CONFLICT (member_id) DO UPDATE SET balance = a.balance + EXCLUDED.balance RETURNING id, member_id
"""
POST = "INSERT INTO ref_posting (account_id, reward_id, amount) SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])"


def prepare_scorer() -> None:
    """Make the tables of L3 in the current schema."""
    execute(TABLES)


def score(*, count: int, first: int, members: int) -> float:
    """L3: score so many events by one rule, 5 % of the amount; return events per second."""
    numbers = range(first, first + count)
    amounts = [int(str(body(number)["data"]["amount_minor"])) for number in numbers]  # type: ignore[index]
    execute(
        FILL, [[f"e{n}" for n in numbers], [n % members for n in numbers], amounts, [f"order:{n}" for n in numbers]]
    )
    began = time.perf_counter()
    while _score_batch():
        pass
    return count / (time.perf_counter() - began)


@transaction
def _score_batch() -> int:
    fetch("SELECT pg_try_advisory_xact_lock(7009, 1)")
    claimed = fetch(CLAIM, [BATCH])
    if not claimed:
        return 0
    execute("SELECT spent FROM ref_budget WHERE id = 1 FOR UPDATE")
    granted = fetch(
        REWARD,
        [
            [row.member_id for row in claimed],
            [row.id for row in claimed],
            [row.amount // 20 for row in claimed],
            [row.occurrence for row in claimed],
        ],
    )
    sums: dict[int, int] = {}
    counts: dict[int, int] = {}
    for row in granted:
        sums[row.member_id] = sums.get(row.member_id, 0) + row.amount
        counts[row.member_id] = counts.get(row.member_id, 0) + 1
    execute("UPDATE ref_budget SET spent = spent + %s WHERE id = 1", [sum(sums.values())])
    execute(COUNT, [list(counts), list(counts.values())])
    accounts = {row.member_id: row.id for row in fetch(ACCOUNT, [list(sums), list(sums.values())])}
    execute(
        POST,
        [[accounts[row.member_id] for row in granted], [row.id for row in granted], [row.amount for row in granted]],
    )
    execute("UPDATE ref_event SET state = 1 WHERE id = ANY(%s::bigint[])", [[row.id for row in claimed]])
    return len(claimed)


def forget_plans() -> None:
    """Begin with fresh statistics, as a table has that is in use."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

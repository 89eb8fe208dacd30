"""
Codes that were bought beforehand: the oldest goes first, to whoever has waited longest, and each to one only.

Codes in the stock are sealed as those of entitlements are, so that a statement can hand them over unopened. Every verb
that writes is called with the tenant's lock held.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from core.db import execute, fetch, in_transaction
from events import facts
from events.facts import Fact
from rewards import entitlements as given
from rewards.models import Gift
from tenants import context


@in_transaction
def hand_out(*, gift_ids: Collection[int], at: datetime) -> list[int]:
    """
    Issue what the stock of these gifts has to whoever waits for them, tell of it, and return the ids of those served.

    Those who wait for one gift and value are served in the order of their ids, in one statement for all of them.
    """
    gifts = list(Gift.objects.filter(pk__in=gift_ids).order_by("pk"))
    if not gifts:
        return []
    zone = context.zone()
    untils = [given.last_instant(days=gift.terms.get("valid_days"), zone=zone, at=at) for gift in gifts]
    rows = fetch(HAND_OUT, {"gift_ids": [gift.pk for gift in gifts], "untils": untils, "at": at})
    served = sorted(row.id for row in rows)
    given.tell(what="issued", ids=served, at=at)
    _tell_of_low(rows, gifts, at=at)
    return served


@in_transaction
def take_back(*, entitlement_ids: Collection[int]) -> set[int]:
    """Put the codes of these back into the stock, which nobody has seen; return the ids of those that had one."""
    rows = fetch(TAKE_BACK, {"ids": list(entitlement_ids)}) if entitlement_ids else []
    return {row.entitlement_id for row in rows}


def free(gift: Gift, *, at: datetime) -> dict[int, int]:
    """Return how many codes of a gift can be given, by value in minor units (0 for what has none)."""
    return {row.value_minor: row.count for row in fetch(FREE, {"gift_id": gift.pk, "at": at})}


def free_of(gift_ids: Collection[int], *, at: datetime) -> dict[int, int]:
    """Return how many codes of each gift can be given, whatever their value."""
    rows = fetch(FREE_OF, {"gift_ids": list(gift_ids), "at": at})
    return {row.gift_id: row.count for row in rows}


def waiting_for(gift_ids: Collection[int]) -> dict[int, int]:
    """Return how many entitlements wait for each gift."""
    return {row.gift_id: row.count for row in fetch(WAITING_FOR, {"gift_ids": list(gift_ids)})}


def low(*, at: datetime) -> list[int]:
    """Return the ids of the gifts in use that have fewer codes than they should."""
    return [row.id for row in fetch(LOW, {"at": at})]


def _tell_of_low(rows: Sequence[Any], gifts: Iterable[Gift], *, at: datetime) -> None:
    """Say it once, when the stock falls below what the gift asks for."""
    taken = Counter(row.gift_id for row in rows)
    newest = {row.gift_id: row.stock_id for row in sorted(rows, key=lambda row: row.stock_id)}
    watched = [gift for gift in gifts if gift.low_stock and taken[gift.pk]]
    told = []
    for gift in watched:
        left = fetch(LEFT, {"gift_id": gift.pk, "at": at, "most": gift.low_stock})[0].count
        if left < (gift.low_stock or 0) <= left + taken[gift.pk]:
            data = {"gift": gift.code, "left": left, "low_stock": gift.low_stock}
            told.append(Fact("stock.low", f"stock:{gift.pk}:low:{newest[gift.pk]}:{at.isoformat()}", data))
    facts.record(facts=told, at=at)


@in_transaction
def put(*, gift: Gift, rows: Sequence[tuple[int, str, str, datetime | None]], batch: str, at: datetime) -> set[str]:
    """
    Put codes into a gift's stock, as (value, sealed code, index, expiry); return the indexes of those that are new.

    What an earlier try of the same upload has put there counts as new. What is taken elsewhere is left out.
    """
    out = taken(gift=gift, indexes=[index for _value, _code, index, _expiry in rows])
    fit = [row for row in rows if row[2] not in out]
    columns = [list(column) for column in zip(*fit, strict=True)] if fit else [[], [], [], []]
    params = dict(zip(("values", "codes", "indexes", "expiries"), columns, strict=True))
    execute(PUT, params | {"gift_id": gift.pk, "batch": batch, "at": at})
    found = fetch(PUT_BY, {"gift_id": gift.pk, "batch": batch, "indexes": columns[2]})
    return {row.code_index for row in found}


def known(*, gift: Gift, indexes: Sequence[str]) -> set[str]:
    """Return which of these codes the gift's own stock has."""
    return {row.code_index for row in fetch(KNOWN, {"gift_id": gift.pk, "indexes": list(indexes)})}


def taken(*, gift: Gift, indexes: Sequence[str]) -> set[str]:
    """Return which of these codes are in another gift's stock, or were given without being in this one's."""
    return {row.code_index for row in fetch(TAKEN, {"gift_id": gift.pk, "kind": gift.kind, "indexes": list(indexes)})}


HAND_OUT = """
WITH wanted AS (
    SELECT id, gift_id, kind, coalesce(value_minor, 0) AS value_minor,
        row_number() OVER (PARTITION BY gift_id, coalesce(value_minor, 0) ORDER BY id) AS nth
    FROM rewards_entitlement
    WHERE gift_id = ANY(%(gift_ids)s::bigint[]) AND status = 'waiting'
), wishes AS (
    SELECT gift_id, kind, value_minor, count(*) AS count FROM wanted GROUP BY gift_id, kind, value_minor
), free AS (
    SELECT code.*, row_number() OVER (PARTITION BY code.gift_id, code.value_minor ORDER BY code.id) AS nth
    FROM wishes CROSS JOIN LATERAL (
        SELECT id, gift_id, value_minor, code, code_index, expires_at FROM rewards_stockcode
        WHERE gift_id = wishes.gift_id AND value_minor = wishes.value_minor AND entitlement_id IS NULL
            AND (expires_at IS NULL OR expires_at > %(at)s)
            -- A provider may have sold it meanwhile, or a pattern have drawn it: nobody gets it twice.
            AND NOT EXISTS (
                SELECT FROM rewards_entitlement out
                WHERE out.kind = wishes.kind AND out.code_index = rewards_stockcode.code_index AND out.code_index <> ''
            )
        ORDER BY id LIMIT wishes.count
        FOR UPDATE SKIP LOCKED
    ) AS code
), taken AS (
    UPDATE rewards_stockcode stock SET entitlement_id = wanted.id
    FROM free JOIN wanted USING (gift_id, value_minor, nth)
    WHERE stock.id = free.id AND stock.entitlement_id IS NULL
    RETURNING stock.id, stock.entitlement_id, stock.code, stock.code_index, stock.expires_at
)
UPDATE rewards_entitlement e
SET status = 'issued', issued_at = %(at)s, code = taken.code, code_index = taken.code_index, valid_from = %(at)s,
    valid_until = least(taken.expires_at, until.until), problem = '', next_attempt_at = NULL
FROM taken, unnest(%(gift_ids)s::bigint[], %(untils)s::timestamptz[]) AS until (gift_id, until)
WHERE e.id = taken.entitlement_id AND until.gift_id = e.gift_id
RETURNING e.id, e.gift_id, taken.id AS stock_id
"""

TAKE_BACK = """
WITH freed AS (
    SELECT id, entitlement_id FROM rewards_stockcode WHERE entitlement_id = ANY(%(ids)s::bigint[])
    ORDER BY id FOR UPDATE
), cleared AS (
    -- Whoever gets it next has it under the same index.
    UPDATE rewards_entitlement e SET code = '', code_index = '' FROM freed WHERE e.id = freed.entitlement_id
)
UPDATE rewards_stockcode stock SET entitlement_id = NULL
FROM freed WHERE stock.id = freed.id
RETURNING freed.entitlement_id
"""

FREE = """
SELECT value_minor, count(*) AS count FROM rewards_stockcode
WHERE gift_id = %(gift_id)s AND entitlement_id IS NULL AND (expires_at IS NULL OR expires_at > %(at)s)
GROUP BY value_minor ORDER BY value_minor
"""

FREE_OF = """
SELECT gift_id, count(*) AS count FROM rewards_stockcode
WHERE gift_id = ANY(%(gift_ids)s::bigint[]) AND entitlement_id IS NULL
    AND (expires_at IS NULL OR expires_at > %(at)s)
GROUP BY gift_id
"""

WAITING_FOR = """
SELECT gift_id, count(*) AS count FROM rewards_entitlement
WHERE gift_id = ANY(%(gift_ids)s::bigint[]) AND status = 'waiting'
GROUP BY gift_id
"""

# No more than the question needs: a stock may be large.
LEFT = """
SELECT count(*) AS count FROM (
    SELECT FROM rewards_stockcode
    WHERE gift_id = %(gift_id)s AND entitlement_id IS NULL AND (expires_at IS NULL OR expires_at > %(at)s)
    LIMIT %(most)s
) AS left_over
"""

LOW = """
SELECT gift.id FROM rewards_gift gift CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (
        SELECT FROM rewards_stockcode
        WHERE gift_id = gift.id AND entitlement_id IS NULL AND (expires_at IS NULL OR expires_at > %(at)s)
        LIMIT gift.low_stock
    ) AS few
) AS stock
WHERE gift.is_active AND gift.low_stock > 0 AND stock.count < gift.low_stock
    AND gift.kind IN ('certificate', 'discount')
    AND EXISTS (SELECT FROM rewards_stockcode WHERE gift_id = gift.id)
ORDER BY gift.id
"""

PUT = """
INSERT INTO rewards_stockcode (gift_id, value_minor, code, code_index, expires_at, batch, uploaded_at)
SELECT %(gift_id)s, value_minor, code, code_index, expires_at, %(batch)s, %(at)s
FROM unnest(%(values)s::bigint[], %(codes)s::text[], %(indexes)s::text[], %(expiries)s::timestamptz[])
    WITH ORDINALITY AS n (value_minor, code, code_index, expires_at, nth)
ORDER BY nth
ON CONFLICT (gift_id, code_index) DO NOTHING
"""

KNOWN = """
SELECT code_index FROM rewards_stockcode
WHERE gift_id = %(gift_id)s AND code_index = ANY(%(indexes)s::text[])
"""

# Of certificates each brand has indexes of its own. "<> ''" is the condition of the index that is looked into.
TAKEN = """
SELECT stock.code_index FROM rewards_stockcode stock
WHERE stock.code_index = ANY(%(indexes)s::text[]) AND stock.gift_id = ANY(
    ARRAY(SELECT id FROM rewards_gift WHERE kind = 'discount' AND kind = %(kind)s AND id <> %(gift_id)s)
)
UNION
SELECT e.code_index FROM rewards_entitlement e
WHERE e.kind = %(kind)s AND e.code_index = ANY(%(indexes)s::text[]) AND e.code_index <> '' AND NOT EXISTS (
    SELECT FROM rewards_stockcode own WHERE own.entitlement_id = e.id AND own.gift_id = %(gift_id)s
)
"""

PUT_BY = """
SELECT code_index FROM rewards_stockcode
WHERE gift_id = %(gift_id)s AND batch = %(batch)s AND code_index = ANY(%(indexes)s::text[])
"""

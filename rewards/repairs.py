"""
Lots that an upgrade has left behind.

While `manage.py migrate_all` runs, the release before goes on serving. What it posts after lots were opened changes
balances alone. Here the lots follow: never the balances. One that differs from its postings is an alarm, and stays.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final

from core.db import execute, fetch, in_transaction, transaction
from members import people
from rewards import ledger
from rewards.lots import OpenLot
from rewards.missing_lots import Books, Loose, Repair, repair_of
from tenants import audit

BATCH_SIZE: Final = 500

logger = logging.getLogger(__name__)


def night(*, schema: str, day: date, at: datetime) -> None:
    """Repair what the last day has left behind."""
    repair_all(schema=schema, at=at)


def repair_all(*, schema: str, batch_size: int = BATCH_SIZE, at: datetime) -> int:
    """Repair every account of the current tenant that can be repaired, and return how many were."""
    repaired, after = 0, 0
    while found := [row.id for row in fetch(DIFFERING, {"after": after, "limit": batch_size})]:
        with transaction():
            repaired += repair(schema=schema, account_ids=found, at=at)
        after = found[-1]
    return repaired


@in_transaction
def repair(*, schema: str, account_ids: Collection[int], at: datetime) -> int:
    """
    Open and lessen lots until they are what these accounts hold, and return of how many they were not.

    It takes four statements for any number. An account is left as it is when its balance is not the sum of its
    postings, or when its postings cannot explain the difference: `ledger.verify` goes on naming it.
    """
    # Others post meanwhile: what differs is read under the lock.
    people.lock(schema)
    repairs = [found for books in _books(account_ids) if (found := repair_of(books, at=at))]
    going = [each for each in repairs if each.lots or each.uses]
    if not going:
        return 0
    execute(WRITE, _columns(going))
    told = {
        "accounts": len(going),
        "lots": sum(len(each.lots) for each in going),
        "opened": sum(lot.remaining for each in going for lot in each.lots),
        "taken": sum(use.amount for each in going for use in each.uses),
    }
    logger.warning("Lots were repaired after an upgrade.", extra={"schema": schema, **told})
    audit.record(
        actor_kind="system", actor="rewards.repairs", action="lots.repaired", target="accounts", changes=told, at=at
    )
    return len(going)


def _books(account_ids: Collection[int]) -> list[Books]:
    sound = fetch(SOUND, {"ids": sorted(account_ids)})
    lots: dict[tuple[int, int], list[OpenLot]] = defaultdict(list)
    for lot in ledger.open_lots(accounts={(row.member_id, row.asset_id) for row in sound}):
        lots[lot.account].append(lot)
    loose: dict[tuple[int, bool], list[Loose]] = defaultdict(list)
    for row in fetch(LOOSE, {"ids": [each.id for each in sound]}):
        loose[row.account_id, row.is_earned].append(Loose(row.id, row.amount, row.reward_id, row.at))
    return [
        Books(
            id=row.id,
            account=(row.member_id, row.asset_id),
            units=max(row.balance, 0),
            lots=lots[row.member_id, row.asset_id],
            earned=loose[row.id, True],
            taken=loose[row.id, False],
        )
        for row in sound
    ]


def _columns(repairs: Sequence[Repair]) -> dict[str, list[object]]:
    lots = [lot for each in repairs for lot in each.lots]
    uses = [use for each in repairs for use in each.uses]
    return {
        "opened": [lot.posting_id for lot in lots],
        "accounts": [lot.account_id for lot in lots],
        "remaining": [lot.remaining for lot in lots],
        "available_ats": [lot.available_at for lot in lots],
        "takings": [use.posting_id for use in uses],
        "used": [use.lot_id for use in uses],
        "amounts": [use.amount for use in uses],
    }


# Read without the lock, and once a night: one pass over the index of open lots, and two indexes of the same order.
DIFFERING: Final = """
SELECT a.id FROM rewards_account a
LEFT JOIN (
    SELECT account_id, sum(remaining) AS units FROM rewards_lot WHERE remaining > 0 GROUP BY account_id
) l ON l.account_id = a.id
WHERE a.kind = 'member' AND a.id > %(after)s AND greatest(a.balance, 0) <> coalesce(l.units, 0)
UNION
SELECT a.id FROM rewards_posting p
JOIN rewards_account a ON a.id = p.target_id AND a.kind = 'member' AND a.id > %(after)s
WHERE NOT EXISTS (SELECT FROM rewards_lot l WHERE l.posting_id = p.id)
ORDER BY id LIMIT %(limit)s
"""

# The ids stand in the statements: planned for ids that it does not know, a column in which one account is half of all
# rows would be read from end to end for each of them.
SOUND: Final = """
SELECT a.id, a.member_id, a.asset_id, a.balance
FROM rewards_account a
LEFT JOIN (
    SELECT target_id AS id, sum(amount) AS units FROM rewards_posting
    WHERE target_id = ANY(%(ids)s::bigint[]) GROUP BY target_id
) earned ON earned.id = a.id
LEFT JOIN (
    SELECT source_id AS id, sum(amount) AS units FROM rewards_posting
    WHERE source_id = ANY(%(ids)s::bigint[]) GROUP BY source_id
) taken ON taken.id = a.id
WHERE a.id = ANY(%(ids)s::bigint[]) AND a.kind = 'member'
    AND a.balance = coalesce(earned.units, 0) - coalesce(taken.units, 0)
ORDER BY a.id
"""

LOOSE: Final = """
SELECT id, target_id AS account_id, amount, reward_id, at, true AS is_earned FROM rewards_posting earned
WHERE target_id = ANY(%(ids)s::bigint[]) AND NOT EXISTS (SELECT FROM rewards_lot l WHERE l.posting_id = earned.id)
UNION ALL
SELECT id, source_id, amount, reward_id, at, false FROM rewards_posting taken
WHERE source_id = ANY(%(ids)s::bigint[]) AND NOT EXISTS (SELECT FROM rewards_lotuse u WHERE u.posting_id = taken.id)
ORDER BY id
"""

# What is lessened are the lots of before: a statement does not see what it opens itself, and has it as it should be.
WRITE: Final = """
WITH opened AS (
    INSERT INTO rewards_lot (posting_id, account_id, remaining, available_at, expires_at)
    SELECT *, NULL FROM unnest(
        %(opened)s::bigint[], %(accounts)s::bigint[], %(remaining)s::bigint[], %(available_ats)s::timestamptz[]
    ) AS o (posting_id, account_id, remaining, available_at) ORDER BY posting_id
), used AS (
    SELECT * FROM unnest(%(takings)s::bigint[], %(used)s::bigint[], %(amounts)s::bigint[])
        AS u (posting_id, lot_id, amount)
), lessened AS (
    UPDATE rewards_lot l SET remaining = l.remaining - u.amount
    FROM (SELECT lot_id, sum(amount)::bigint AS amount FROM used GROUP BY lot_id) u WHERE l.posting_id = u.lot_id
)
INSERT INTO rewards_lotuse (posting_id, lot_id, amount)
SELECT posting_id, lot_id, amount FROM used ORDER BY posting_id, lot_id
"""

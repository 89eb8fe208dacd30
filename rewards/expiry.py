"""
What is lost to time: lots whose last day is over, and what has lain idle for too long.

A lot's expiry was fixed when it was opened. What expires after days of rest has no date of its own: it is all that the
account holds without one, and the account remembers when its member last earned or spent.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any, Final

from core.db import fetch, transaction
from events import facts
from events.facts import Fact
from members import people
from rewards import assets, ledger
from rewards.assets import AssetLine
from rewards.ledger import Move
from rewards.lots import OpenLot
from tenants import context, periods

BATCH_SIZE: Final = 500


def night(*, schema: str, day: date, at: datetime) -> None:
    """Let everything expire whose time has come, however many days it is late."""
    while expire_due(schema=schema, limit=BATCH_SIZE, at=at):
        pass


@transaction
def expire_due(*, schema: str, limit: int, at: datetime) -> int:
    """
    Let what is due expire, of the accounts where it has been for longest, and return how many lots it was.

    An account's lots go together, so that its member hears of them once: from `limit` lots on no other account follows.
    """
    # What is set aside or spent meanwhile must not be taken a second time.
    people.lock(schema)
    rows = fetch(DUE, _idle(zone=context.zone(), at=at) | {"limit": limit, "at": at})
    ledger.post(moves=[_move(row) for row in rows], lots=[_open_lot(row) for row in rows], at=at)
    facts.record(facts=list(_facts(rows)), at=at)
    return len(rows)


def rests_until(day: date, *, line: AssetLine, zone: tzinfo) -> datetime:
    """Return the first instant at which what was last touched on the local `day` has lain idle for too long."""
    return periods.midnight(day + timedelta(days=(line.expiry_count or 0) + 1), zone=zone)


def idle_lines() -> list[AssetLine]:
    """Return the assets that expire after days of rest."""
    return [line for line in assets.lines().values() if line.expiry == "idle"]


def _idle(*, zone: tzinfo, at: datetime) -> dict[str, object]:
    lines = idle_lines()
    today = at.astimezone(zone).date()
    # Whoever was active on the first of these days has rested for as many as the asset allows, and no longer.
    first_days = [today - timedelta(days=line.expiry_count or 0) for line in lines]
    return {
        "idle_assets": [line.id for line in lines],
        "idle_befores": [periods.midnight(day, zone=zone) for day in first_days],
    }


def _move(row: Any) -> Move:
    return Move(
        key=f"lot:{row.id}:expire",
        reason="expire",
        member_id=row.member_id,
        asset_id=row.asset_id,
        amount=-row.remaining,
        other="expiry",
        lot_id=row.id,
    )


def _open_lot(row: Any) -> OpenLot:
    return OpenLot(row.id, (row.member_id, row.asset_id), row.remaining, row.expires_at)


def _facts(rows: Sequence[Any]) -> Iterable[Fact]:
    for (_account, member_id, asset), of_account in groupby(
        rows, key=lambda row: (row.account_id, row.member_id, row.code)
    ):
        lots = list(of_account)
        # A lot expires once, so its name makes the key.
        yield Fact(
            kind="points.expired",
            key=f"lot:{lots[-1].id}:expired",
            data={"asset": asset, "amount": sum(lot.remaining for lot in lots)},
            member_id=member_id,
        )


# The accounts come from the index of what expires first; then each account's lots from its own.
DUE = """
WITH due AS (
    SELECT DISTINCT account_id FROM (
        SELECT account_id FROM rewards_lot
        WHERE remaining > 0 AND expires_at <= %(at)s
        ORDER BY expires_at, posting_id LIMIT %(limit)s
    ) first
), idle AS (
    SELECT a.id AS account_id
    FROM unnest(%(idle_assets)s::bigint[], %(idle_befores)s::timestamptz[]) AS resting (asset_id, before)
    JOIN rewards_account a ON a.asset_id = resting.asset_id AND a.kind = 'member' AND a.balance > 0
    CROSS JOIN LATERAL (
        SELECT max(available_at) AS opened_at FROM rewards_lot
        WHERE account_id = a.id AND remaining > 0 AND expires_at IS NULL
    ) lots
    -- Whoever neither earned nor spent has rested since something was given to them.
    WHERE lots.opened_at IS NOT NULL AND coalesce(a.moved_at, lots.opened_at) < resting.before
    ORDER BY a.id LIMIT %(limit)s
)
SELECT l.posting_id AS id, l.account_id, a.member_id, a.asset_id, asset.code, l.remaining, l.expires_at
FROM (
    SELECT account_id, false AS is_idle FROM due
    UNION ALL SELECT account_id, true FROM idle
) found
CROSS JOIN LATERAL (
    SELECT * FROM rewards_lot
    WHERE account_id = found.account_id AND remaining > 0
        AND CASE WHEN found.is_idle THEN expires_at IS NULL ELSE expires_at <= %(at)s END
) l
JOIN rewards_account a ON a.id = l.account_id
JOIN rewards_asset asset ON asset.id = a.asset_id
ORDER BY l.account_id, l.posting_id
"""

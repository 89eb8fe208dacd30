"""
The ledger: whole units of an asset move between accounts, and the sum over all accounts of an asset stays zero.

A posting moves an amount between a member's account and one of the tenant's (issue, escrow, spend, expiry, write-off),
or from escrow to another of the tenant's. A member's balance is stored beside the postings and changes in the same
statement, and so do the lots that it consists of; what lies on the tenant's accounts is summed on demand.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final, NamedTuple

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from core.db import execute, fetch, in_transaction
from core.errors import Conflict, conflict_of
from rewards.ledger_checks import CHECKS
from rewards.lots import OpenLot, Take, Use, allocate


class InsufficientBalance(Conflict):
    """A member's account holds less than what should be taken."""

    message = _("The member's balance is less than the amount.")


class AlreadyPosted(Conflict):
    """A posting with this key exists."""

    message = _("This has been posted already.")


FAILURES = {
    "account_balance_not_negative": InsufficientBalance,
    "lot_remaining_not_negative": InsufficientBalance,
    "posting_key_once": AlreadyPosted,
}


class Move(NamedTuple):
    """
    One posting to make between a member's account and one of the tenant's.

    `amount` is signed: above zero the member gets it, below zero the member gives it. `key` is made from what the
    posting follows from. `other` is the kind of the tenant's account. `reverses_id` is the posting that this one takes
    back, wholly or in part. What a member gets is a lot that expires at `expires_at` (None: never); what a member gives
    is taken from `lot_id` alone, or from whose turn it is (`rewards.lots`). `may_owe` lets a debt come of it.
    """

    key: str
    reason: str
    member_id: int
    asset_id: int
    amount: int
    reward_id: int | None = None
    reverses_id: int | None = None
    other: str = "issue"
    redemption_id: int | None = None
    expires_at: datetime | None = None
    lot_id: int | None = None
    may_owe: bool = False
    note: str = ""

    @property
    def account(self) -> tuple[int, int]:
        """The member's account: the member's id, and the asset's."""
        return self.member_id, self.asset_id


class Settlement(NamedTuple):
    """What was set aside and moves on, from the escrow account to another of the tenant's."""

    key: str
    reason: str
    asset_id: int
    amount: int
    redemption_id: int
    other: str = "spend"


class Difference(NamedTuple):
    """Something that does not add up: what, of which row, what it should be and what was found."""

    what: str
    subject: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.what}, {self.subject}: {self.expected} expected, {self.found} found"


@in_transaction
def post(*, moves: Sequence[Move], lots: Sequence[OpenLot] | None = None, at: datetime) -> None:
    """
    Make all the postings, or none: one statement for any number. Accounts of members are opened as needed.

    Within one call whatever is taken goes first, then a debt is paid from what is earned, then lots are opened. `lots`
    are those of every account that something is taken from; without them they are read, with one more statement. The
    caller holds the tenant's lock when anything is taken.

    :raises InsufficientBalance: if an account has less than is taken and may not owe, or less than is spent at all.
    :raises AlreadyPosted: if one of the keys has been used. After either the transaction can only be rolled back.
    """
    if not moves:
        return
    uses = _uses(moves, lots, at)
    with _failures():
        posted = fetch(POST_TAKING if uses else POST, _columns(moves) | _use_columns(uses) | {"at": at})
    if posted[0].count != len(moves):  # Somebody without an account cannot give anything back.
        raise InsufficientBalance


@in_transaction
def settle(*, settlements: Sequence[Settlement], at: datetime) -> None:
    """
    Move on what was set aside: one statement for any number.

    :raises AlreadyPosted: if one of the keys has been used.
    """
    if not settlements:
        return
    columns = [list(column) for column in zip(*settlements, strict=True)]
    with _failures():
        execute(SETTLE, dict(zip(Settlement._fields, columns, strict=True)) | {"at": at})


def open_lots(*, accounts: Collection[tuple[int, int]]) -> list[OpenLot]:
    """Return what is left on these accounts, (member, asset), lot by lot."""
    pairs = sorted(accounts)
    rows = fetch(OPEN_LOTS, {"members": [pair[0] for pair in pairs], "assets": [pair[1] for pair in pairs]})
    return [
        OpenLot(row.id, (row.member_id, row.asset_id), row.remaining, row.expires_at, row.reward_id) for row in rows
    ]


def balance_of(*, member_id: int, asset_code: str = "points") -> int:
    """Return what a member holds of an asset: 0 for whoever never had any."""
    return balances(member_id=member_id).get(asset_code, 0)


def balances(*, member_id: int) -> dict[str, int]:
    """Return what a member holds, by the asset's code."""
    return {row.code: row.balance for row in fetch(BALANCES, {"member_id": member_id})}


def verify() -> list[Difference]:
    """Return whatever does not add up in this tenant's ledger. Each check is one statement: it sees a single moment."""
    return [
        Difference(what, row.subject, int(row.expected), int(row.found))
        for what, sql in CHECKS.items()
        for row in fetch(sql)
    ]


# What a member does: it keeps what lies idle from expiring.
ACTIVE: Final = frozenset({"grant", "reserve", "spend", "payout"})
# Nobody may spend on credit, whatever their account may owe after a refund.
SPENDING: Final = frozenset({"reserve", "spend", "payout"})


def _uses(moves: Sequence[Move], lots: Sequence[OpenLot] | None, at: datetime) -> Sequence[Use]:
    taking = [move for move in moves if move.amount < 0]
    if not taking:
        return ()
    if lots is None:
        lots = open_lots(accounts={move.account for move in taking})
    takes = [
        Take(move.key, move.account, -move.amount, move.reward_id, move.lot_id, move.reason in SPENDING)
        for move in taking
    ]
    allocated = allocate(takes=takes, lots=lots, at=at)
    if any(move.key in allocated.short and not _may_fall_short(move) for move in taking):
        raise InsufficientBalance
    return allocated.uses


def _may_fall_short(move: Move) -> bool:
    # A debt is what no lot covers: it cannot be made of one lot alone while there may be others.
    return move.may_owe and move.lot_id is None and move.reason not in SPENDING


def _columns(moves: Sequence[Move]) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {
        name: list(column) for name, column in zip(Move._fields, zip(*moves, strict=True), strict=True)
    }
    return columns | {"is_active": [move.reason in ACTIVE for move in moves]}


def _use_columns(uses: Sequence[Use]) -> dict[str, list[object]]:
    if not uses:
        return {}
    return {
        "use_keys": [use.key for use in uses],
        "use_lots": [use.lot_id for use in uses],
        "use_amounts": [use.amount for use in uses],
    }


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        failure = FAILURES.get(conflict_of(error))
        if failure is None:
            raise
        raise failure from error


# The upsert goes in the order of members, so that two batches of moves never wait for each other.
# PostgreSQL checks a row that is proposed for insertion before it looks for the conflict: a negative change is proposed
# as 0 therefore, and taken from `change` when the account is updated. Without an account it is not proposed at all,
# unless it may owe. An asset without a tenant's account breaks NOT NULL: that is a bug, not a failure.
_POST = """
WITH move AS (
    SELECT * FROM unnest(
        %(key)s::text[], %(reason)s::text[], %(member_id)s::bigint[], %(asset_id)s::bigint[], %(amount)s::bigint[],
        %(reward_id)s::bigint[], %(reverses_id)s::bigint[], %(other)s::text[], %(redemption_id)s::bigint[],
        %(expires_at)s::timestamptz[], %(may_owe)s::boolean[], %(note)s::text[], %(is_active)s::boolean[]
    ) WITH ORDINALITY AS m (
        key, reason, member_id, asset_id, amount, reward_id, reverses_id, other, redemption_id, expires_at, may_owe,
        note, is_active, nth
    )
), change AS (
    SELECT member_id, asset_id, sum(amount)::bigint AS amount, bool_or(may_owe) AS may_owe,
        CASE WHEN bool_or(is_active) THEN %(at)s::timestamptz END AS moved_at
    FROM move GROUP BY member_id, asset_id
), account AS (
    INSERT INTO rewards_account AS held (kind, member_id, asset_id, balance, may_owe, moved_at)
    SELECT 'member', member_id, asset_id, CASE WHEN may_owe THEN amount ELSE greatest(amount, 0) END, may_owe, moved_at
    FROM change
    WHERE amount >= 0 OR may_owe OR EXISTS (
        SELECT FROM rewards_account a WHERE a.member_id = change.member_id AND a.asset_id = change.asset_id
    )
    ORDER BY member_id, asset_id
    ON CONFLICT (member_id, asset_id) DO UPDATE SET balance = held.balance + CASE
        WHEN excluded.balance <> 0 THEN excluded.balance
        ELSE (
            SELECT c.amount FROM change c
            WHERE c.member_id = excluded.member_id AND c.asset_id = excluded.asset_id
        )
    END, may_owe = held.may_owe OR excluded.may_owe, moved_at = coalesce(excluded.moved_at, held.moved_at)
    RETURNING id, member_id, asset_id, balance
), posted AS (
    INSERT INTO rewards_posting
        (key, source_id, target_id, amount, reason, reward_id, reverses_id, redemption_id, note, at)
    SELECT
        move.key,
        CASE WHEN move.amount > 0 THEN other.id ELSE account.id END,
        CASE WHEN move.amount > 0 THEN account.id ELSE other.id END,
        abs(move.amount), move.reason, move.reward_id, move.reverses_id, move.redemption_id, move.note, %(at)s
    FROM move
    JOIN account USING (member_id, asset_id)
    LEFT JOIN rewards_account other
        ON other.asset_id = move.asset_id AND other.kind = move.other AND other.member_id IS NULL
    ORDER BY move.nth
    RETURNING id, key
), earned AS (
    -- Counted back from the balance: what is earned last is left first, and below zero is the debt that it has paid.
    SELECT posted.id, account.id AS account_id, move.amount, move.expires_at, greatest(0, least(
        move.amount,
        account.balance - coalesce(sum(move.amount) OVER (
            PARTITION BY account.id ORDER BY move.nth DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0)
    ))::bigint AS remaining
    FROM move JOIN posted USING (key) JOIN account USING (member_id, asset_id)
    WHERE move.amount > 0
), opened AS (
    INSERT INTO rewards_lot (posting_id, account_id, remaining, available_at, expires_at)
    SELECT id, account_id, remaining, %(at)s, expires_at FROM earned ORDER BY id
), paid_debt AS (
    INSERT INTO rewards_lotuse (posting_id, lot_id, amount)
    SELECT id, id, amount - remaining FROM earned WHERE remaining < amount ORDER BY id
)"""
POST = f"""{_POST}
SELECT count(*) FROM posted
"""  # noqa: S608 (constants only)
POST_TAKING = f"""{_POST}, used AS (
    SELECT * FROM unnest(%(use_keys)s::text[], %(use_lots)s::bigint[], %(use_amounts)s::bigint[])
        AS u (key, lot_id, amount)
), lessened AS (
    UPDATE rewards_lot l SET remaining = l.remaining - u.amount
    FROM (SELECT lot_id, sum(amount)::bigint AS amount FROM used GROUP BY lot_id) u WHERE l.posting_id = u.lot_id
), noted AS (
    INSERT INTO rewards_lotuse (posting_id, lot_id, amount)
    SELECT posted.id, used.lot_id, used.amount FROM used JOIN posted USING (key) ORDER BY posted.id, used.lot_id
)
SELECT count(*) FROM posted
"""  # noqa: S608 (constants only)

SETTLE = """
INSERT INTO rewards_posting (key, source_id, target_id, amount, reason, redemption_id, note, at)
SELECT s.key, escrow.id, other.id, s.amount, s.reason, s.redemption_id, '', %(at)s
FROM unnest(%(key)s::text[], %(reason)s::text[], %(asset_id)s::bigint[], %(amount)s::bigint[],
    %(redemption_id)s::bigint[], %(other)s::text[]) WITH ORDINALITY
    AS s (key, reason, asset_id, amount, redemption_id, other, nth)
JOIN rewards_account escrow ON escrow.asset_id = s.asset_id AND escrow.kind = 'escrow' AND escrow.member_id IS NULL
LEFT JOIN rewards_account other ON other.asset_id = s.asset_id AND other.kind = s.other AND other.member_id IS NULL
ORDER BY s.nth
"""

# LATERAL, so that each account is looked up: a join of a table without statistics may read all of it.
OPEN_LOTS = """
SELECT l.posting_id AS id, asked.member_id, asked.asset_id, l.remaining, l.expires_at, p.reward_id
FROM unnest(%(members)s::bigint[], %(assets)s::bigint[]) AS asked (member_id, asset_id)
CROSS JOIN LATERAL (
    SELECT id FROM rewards_account a WHERE (a.member_id, a.asset_id) = (asked.member_id, asked.asset_id) LIMIT 1
) account
JOIN rewards_lot l ON l.account_id = account.id AND l.remaining > 0
JOIN rewards_posting p ON p.id = l.posting_id
ORDER BY l.posting_id
"""

BALANCES = """
SELECT asset.code, account.balance
FROM rewards_account account
JOIN rewards_asset asset ON asset.id = account.asset_id
WHERE account.member_id = %(member_id)s
ORDER BY asset.code
"""

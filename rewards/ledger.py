"""
The ledger: whole units of an asset move between accounts, and the sum over all accounts of an asset stays zero.

A posting moves an amount between the tenant's issue account and a member's account. A member's balance is stored beside
the postings and changes in the same statement; what the tenant has issued is summed from the postings on demand.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from core.db import execute, fetch, in_transaction
from core.errors import Conflict, conflict_of


class InsufficientBalance(Conflict):
    """A member's account holds less than what should be taken."""

    message = _("The member's balance is less than the amount.")


class AlreadyPosted(Conflict):
    """A posting with this key exists."""

    message = _("This has been posted already.")


FAILURES = {"account_balance_not_negative": InsufficientBalance, "posting_key_once": AlreadyPosted}


class Move(NamedTuple):
    """
    One posting to make.

    `amount` is signed: above zero the tenant issues to the member, below zero the member gives back. `key` is made from
    what the posting follows from. `reverses_id` is the posting that this one takes back, wholly or in part.
    """

    key: str
    reason: str
    member_id: int
    asset_id: int
    amount: int
    reward_id: int | None = None
    reverses_id: int | None = None


class Difference(NamedTuple):
    """Something that does not add up: what, of which row, what it should be and what was found."""

    what: str
    subject: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.what}, {self.subject}: {self.expected} expected, {self.found} found"


@in_transaction
def post(*, moves: Sequence[Move], at: datetime) -> None:
    """
    Make all the postings, or none: one statement for any number. Accounts of members are opened as needed.

    :raises InsufficientBalance: if a member's balance, after all moves together, would be below zero.
    :raises AlreadyPosted: if one of the keys has been used. After either the transaction can only be rolled back.
    """
    if not moves:
        return
    try:
        posted = execute(POST, _columns(moves) | {"at": at})
    except IntegrityError as error:
        failure = FAILURES.get(conflict_of(error))
        if failure is None:
            raise
        raise failure from error
    if posted != len(moves):  # Somebody without an account cannot give anything back.
        raise InsufficientBalance


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


def _columns(moves: Sequence[Move]) -> dict[str, list[object]]:
    return {
        "keys": [move.key for move in moves],
        "reasons": [move.reason for move in moves],
        "members": [move.member_id for move in moves],
        "assets": [move.asset_id for move in moves],
        "amounts": [move.amount for move in moves],
        "rewards": [move.reward_id for move in moves],
        "reverses": [move.reverses_id for move in moves],
    }


# The upsert goes in the order of members, so that two batches of moves never wait for each other.
# PostgreSQL checks a row that is proposed for insertion before it looks for the conflict: a negative change is proposed
# as 0 therefore, and taken from `change` when the account is updated. Without an account it is not proposed at all.
# An asset without an issue account breaks NOT NULL: that is a bug, not a failure.
POST = """
WITH move AS (
    SELECT * FROM unnest(
        %(keys)s::text[], %(reasons)s::text[], %(members)s::bigint[], %(assets)s::bigint[], %(amounts)s::bigint[],
        %(rewards)s::bigint[], %(reverses)s::bigint[]
    ) WITH ORDINALITY AS m (key, reason, member_id, asset_id, amount, reward_id, reverses_id, nth)
), change AS (
    SELECT member_id, asset_id, sum(amount)::bigint AS amount FROM move GROUP BY member_id, asset_id
), account AS (
    INSERT INTO rewards_account AS held (kind, member_id, asset_id, balance)
    SELECT 'member', member_id, asset_id, greatest(amount, 0)
    FROM change
    WHERE amount >= 0 OR EXISTS (
        SELECT FROM rewards_account a WHERE a.member_id = change.member_id AND a.asset_id = change.asset_id
    )
    ORDER BY member_id, asset_id
    ON CONFLICT (member_id, asset_id) DO UPDATE SET balance = held.balance + CASE
        WHEN excluded.balance > 0 THEN excluded.balance
        ELSE (
            SELECT c.amount FROM change c
            WHERE c.member_id = excluded.member_id AND c.asset_id = excluded.asset_id
        )
    END
    RETURNING id, member_id, asset_id
)
INSERT INTO rewards_posting (key, source_id, target_id, amount, reason, reward_id, reverses_id, at)
SELECT
    move.key,
    CASE WHEN move.amount > 0 THEN issue.id ELSE account.id END,
    CASE WHEN move.amount > 0 THEN account.id ELSE issue.id END,
    abs(move.amount), move.reason, move.reward_id, move.reverses_id, %(at)s
FROM move
JOIN account USING (member_id, asset_id)
LEFT JOIN rewards_account issue
    ON issue.asset_id = move.asset_id AND issue.kind = 'issue' AND issue.member_id IS NULL
ORDER BY move.nth
"""

BALANCES = """
SELECT asset.code, account.balance
FROM rewards_account account
JOIN rewards_asset asset ON asset.id = account.asset_id
WHERE account.member_id = %(member_id)s
ORDER BY asset.code
"""

# Each returns what differs: subject, expected, found.
CHECKS = {
    "Sum over all accounts of an asset": """
        SELECT asset.code AS subject, 0 AS expected, sum(held.units) AS found
        FROM rewards_asset asset
        JOIN (
            SELECT asset_id, balance AS units FROM rewards_account
            UNION ALL
            SELECT a.asset_id, p.amount FROM rewards_posting p JOIN rewards_account a ON a.id = p.target_id
            WHERE a.kind = 'issue'
            UNION ALL
            SELECT a.asset_id, -p.amount FROM rewards_posting p JOIN rewards_account a ON a.id = p.source_id
            WHERE a.kind = 'issue'
        ) held ON held.asset_id = asset.id
        GROUP BY asset.id HAVING sum(held.units) <> 0 ORDER BY asset.id
    """,
    "Balance of an account": """
        SELECT 'account ' || a.id AS subject, coalesce(sum(move.units), 0) AS expected, a.balance AS found
        FROM rewards_account a
        LEFT JOIN (
            SELECT target_id AS account_id, amount AS units FROM rewards_posting
            UNION ALL
            SELECT source_id, -amount FROM rewards_posting
        ) move ON move.account_id = a.id
        WHERE a.kind = 'member'
        GROUP BY a.id HAVING coalesce(sum(move.units), 0) <> a.balance ORDER BY a.id
    """,
    "Posted for a reward": """
        SELECT 'reward ' || r.id AS subject,
            CASE WHEN r.status IN ('granted', 'reversed') THEN r.given - r.reversed ELSE 0 END AS expected,
            coalesce(posted.units, 0) AS found
        FROM rewards_reward r
        LEFT JOIN (
            SELECT p.reward_id, sum(CASE WHEN p.target_id = a.id THEN p.amount ELSE -p.amount END) AS units
            FROM rewards_posting p
            JOIN rewards_reward r ON r.id = p.reward_id
            JOIN rewards_account a
                ON a.id IN (p.source_id, p.target_id) AND a.member_id = r.member_id AND a.asset_id = r.asset_id
            GROUP BY p.reward_id
        ) posted ON posted.reward_id = r.id
        WHERE r.asset_id IS NOT NULL AND coalesce(posted.units, 0)
            <> CASE WHEN r.status IN ('granted', 'reversed') THEN r.given - r.reversed ELSE 0 END
        ORDER BY r.id
    """,
    "Posting between a member and the tenant's issue, of one asset": """
        SELECT 'posting ' || p.key AS subject, 1 AS expected, 0 AS found
        FROM rewards_posting p
        JOIN rewards_account source ON source.id = p.source_id
        JOIN rewards_account target ON target.id = p.target_id
        WHERE source.asset_id <> target.asset_id OR source.kind = target.kind
        ORDER BY p.id
    """,
    "Posting about a reward of its member": """
        SELECT 'posting ' || p.key AS subject, 1 AS expected, 0 AS found
        FROM rewards_posting p
        LEFT JOIN rewards_reward r ON r.id = p.reward_id
        WHERE NOT EXISTS (
            SELECT FROM rewards_account a WHERE a.id IN (p.source_id, p.target_id) AND a.member_id = r.member_id
        )
        ORDER BY p.id
    """,
    "Rewards for one occurrence": """
        SELECT 'rule ' || rule_id || ', member ' || member_id || ', ' || occurrence AS subject,
            1 AS expected, count(*) AS found
        FROM rewards_reward
        GROUP BY rule_id, member_id, occurrence HAVING count(*) > 1 ORDER BY 1
    """,
}

"""
Two members who are one: what the one who went has, and is owed, is the other's.

Rewards, entitlements and what was spent follow as rows: whatever becomes of them later becomes of the one who stays.
Units move by postings, lot by lot, each with the expiry it had; a debt moves as a debt.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from core.db import execute, fetch, in_transaction
from events import facts
from events.merging import selves
from rewards import ledger
from rewards.ledger import Move
from rewards.levels import merging as levels
from rewards.lots import OpenLot


@in_transaction
def follow(*, into_id: int, away_id: int, at: datetime) -> dict[str, Any]:
    """Give the one who stays all that the other has, and the level that both have come to together."""
    whose = {"into_id": into_id, "away_id": away_id}
    execute(FRIENDS, whose)
    count = {what: execute(sql, whose) for what, sql in ROWS.items()}
    balances = _hand_over(into_id, away_id, at)
    facts.record(facts=levels.join(into_id=into_id, away_id=away_id, at=at), at=at)
    return {**count, "balances": balances}


def _hand_over(into_id: int, away_id: int, at: datetime) -> dict[str, int]:
    """Move the units of every asset, and return them by the asset's code: below zero what was owed."""
    accounts = fetch(ACCOUNTS, {"away_id": away_id})
    lots = ledger.open_lots(accounts={(away_id, row.asset_id) for row in accounts})
    moves = [move for lot in lots for move in _moves_of(lot, into_id)]
    moves += [move for row in accounts if row.balance < 0 for move in _moves_of_debt(row, into_id, away_id)]
    ledger.post(moves=moves, at=at)
    execute(MOVED, {"into_id": into_id, "away_id": away_id})
    return {row.code: row.balance for row in accounts}


def _moves_of(lot: OpenLot, into_id: int) -> Iterator[Move]:
    """Yield both legs of a lot, which go by way of what the tenant has issued: nothing is issued anew."""
    away_id, asset_id = lot.account
    out = Move(
        key=f"merge:{away_id}:{into_id}:{lot.id}:out",
        reason="adjust",
        member_id=away_id,
        asset_id=asset_id,
        amount=-lot.remaining,
        reward_id=lot.reward_id,
        lot_id=lot.id,
        note=_note(into_id, away_id),
    )
    yield out
    # With its reward: what is refunded is taken from its own lot first, wherever that lies.
    yield out._replace(
        key=f"merge:{away_id}:{into_id}:{lot.id}:in",
        member_id=into_id,
        amount=lot.remaining,
        lot_id=None,
        expires_at=lot.expires_at,
    )


def _moves_of_debt(row: Any, into_id: int, away_id: int) -> Iterator[Move]:
    key, note = f"merge:{away_id}:{into_id}:debt:{row.asset_id}", _note(into_id, away_id)
    yield Move(f"{key}:out", "adjust", away_id, row.asset_id, -row.balance, note=note)
    yield Move(f"{key}:in", "adjust", into_id, row.asset_id, row.balance, may_owe=True, note=note)


def _note(into_id: int, away_id: int) -> str:
    return f"Member {away_id} is member {into_id}"


# What a reward is for may name whom it is for (`scoring.earning.occurrence_of`), and then names the one who stays: they
# get nothing again that either has had. Where both have had it, both go on having it.
_IS_FREE: Final = """NOT EXISTS (
    SELECT FROM rewards_reward other
    WHERE other.rule_id = r.rule_id AND other.member_id = ANY({members}) AND other.id <> r.id
        AND other.occurrence = {occurrence}
)"""
_RENAMED: Final = r"""regexp_replace(
    r.occurrence, '^((?:\d+#)?(?:invitee|member):)' || %(away_id)s::text || '\y', '\1' || %(into_id)s::text
)"""
_BOTH: Final = "ARRAY[%(into_id)s, %(away_id)s]::bigint[]"

REWARDS: Final = f"""
UPDATE rewards_reward r SET member_id = %(into_id)s, occurrence = CASE
    WHEN {_IS_FREE.format(members=_BOTH, occurrence=_RENAMED)} THEN {_RENAMED}
    WHEN {_IS_FREE.format(members="ARRAY[%(into_id)s]::bigint[]", occurrence="r.occurrence")} THEN r.occurrence
    -- An order that earned both of them something by one rule.
    ELSE left(r.occurrence, 90) || ':reward:' || r.id::text
END
WHERE r.member_id = %(away_id)s
"""  # noqa: S608 (constants only)
# What others were given for the one who went is for the one who stays.
FRIENDS: Final = f"""
UPDATE rewards_reward r SET occurrence = {_RENAMED}
FROM referrals_referral f JOIN members_member inviter ON inviter.id = f.inviter_id
WHERE f.invitee_id = ANY({selves("%(into_id)s::bigint")})
    AND r.member_id = coalesce(inviter.merged_into_id, inviter.id) AND r.member_id <> %(away_id)s
    AND r.referral_id = f.id AND r.occurrence <> {_RENAMED}
    AND {_IS_FREE.format(members="ARRAY[r.member_id]", occurrence=_RENAMED)}
"""  # noqa: S608 (constants only)

ROWS: Final = {
    "rewards": REWARDS,
    "entitlements": "UPDATE rewards_entitlement SET member_id = %(into_id)s WHERE member_id = %(away_id)s",
    "redemptions": "UPDATE rewards_redemption SET member_id = %(into_id)s WHERE member_id = %(away_id)s",
    "adjustments": "UPDATE rewards_adjustment SET member_id = %(into_id)s WHERE member_id = %(away_id)s",
}
ACCOUNTS: Final = """
SELECT a.asset_id, asset.code, a.balance
FROM rewards_account a JOIN rewards_asset asset ON asset.id = a.asset_id
WHERE a.member_id = %(away_id)s AND a.balance <> 0 ORDER BY asset.code
"""
# What lies idle expires for the two together: either's last move counts.
MOVED: Final = """
UPDATE rewards_account own SET moved_at = greatest(own.moved_at, gone.moved_at)
FROM rewards_account gone
WHERE own.member_id = %(into_id)s AND gone.member_id = %(away_id)s AND own.asset_id = gone.asset_id
"""

"""What is told of all that is owed to the person to whom it is: rewards, balances, the statement, gifts, spending."""

from collections.abc import Iterator, Sequence
from itertools import chain

from members.exporting import BATCH_SIZE, rows, type_of_row, type_of_section
from rewards import addresses, statement


def of_members(*, member_ids: Sequence[int]) -> Iterator[type_of_section]:
    """Yield what a person was owed, has and has spent. Codes that can be used up are not told: they are money."""
    yield "rewards", rows(REWARDS, member_ids=member_ids)
    yield "balances", rows(BALANCES, member_ids=member_ids)
    yield "statement", chain.from_iterable(map(_statement, member_ids))
    yield "redemptions", rows(REDEMPTIONS, member_ids=member_ids)
    yield "adjustments", rows(ADJUSTMENTS, member_ids=member_ids)
    yield "entitlements", map(_with_address, rows(ENTITLEMENTS, member_ids=member_ids))
    yield "levels", rows(LEVELS, member_ids=member_ids)


def _statement(member_id: int) -> Iterator[type_of_row]:
    """Yield the lines of a statement, the newest first."""
    postings = statement.list_postings(member_id=member_id).order_by("-id")
    found = list(postings[:BATCH_SIZE])
    while found:
        for line in statement.lines(member_id=member_id, postings=found):
            yield {
                "id": line.id,
                "at": line.at,
                "asset": line.asset.code,
                "amount": line.amount,
                "balance": line.balance,
                "reason": line.reason,
                "text": line.text,
            }
        found = list(postings.filter(id__lt=found[-1].id)[:BATCH_SIZE])


def _with_address(row: type_of_row) -> type_of_row:
    return {**row, "address": addresses.unseal(row["address"])}


REWARDS = """
SELECT r.id, c.name AS campaign, r.side, r.kind, r.what, asset.code AS asset, o.number AS order_number, r.due, r.given,
    r.reversed AS taken_back, r.lost, r.status, r.occurred_at, r.matures_at, r.awaits, r.awaits_until, r.granted_at
FROM rewards_reward r
JOIN campaigns_campaign c ON c.id = r.campaign_id
LEFT JOIN rewards_asset asset ON asset.id = r.asset_id
-- What an inviter is owed for is a friend's order.
LEFT JOIN events_order o ON o.id = r.order_id AND r.side <> 'inviter'
WHERE r.member_id = ANY(%(member_ids)s::bigint[]) AND r.id > %(after)s ORDER BY r.id LIMIT %(limit)s
"""

BALANCES = """
SELECT account.id, asset.code AS asset, account.balance
FROM rewards_account account JOIN rewards_asset asset ON asset.id = account.asset_id
WHERE account.member_id = ANY(%(member_ids)s::bigint[]) AND account.id > %(after)s
ORDER BY account.id LIMIT %(limit)s
"""

REDEMPTIONS = """
SELECT r.id, r.purpose, asset.code AS asset, gift.name AS gift, r.order_number, r.amount, r.captured, r.status,
    r.reference, r.note, r.created_at, r.expires_at, r.settled_at
FROM rewards_redemption r
JOIN rewards_asset asset ON asset.id = r.asset_id
LEFT JOIN rewards_gift gift ON gift.id = r.gift_id
WHERE r.member_id = ANY(%(member_ids)s::bigint[]) AND r.id > %(after)s ORDER BY r.id LIMIT %(limit)s
"""

ADJUSTMENTS = """
SELECT a.id, asset.code AS asset, a.amount, a.reason, a.status, a.asked_at, a.decided_at
FROM rewards_adjustment a JOIN rewards_asset asset ON asset.id = a.asset_id
WHERE a.member_id = ANY(%(member_ids)s::bigint[]) AND a.id > %(after)s ORDER BY a.id LIMIT %(limit)s
"""

ENTITLEMENTS = """
SELECT e.id, e.kind, gift.name AS gift, e.value_minor, e.currency, e.status, e.valid_from, e.valid_until, e.created_at,
    e.issued_at, e.shown_at, e.used_at, e.used_for, e.ended_at, e.ended_why,
    coalesce(e.details ->> 'address', '') AS address
FROM rewards_entitlement e JOIN rewards_gift gift ON gift.id = e.gift_id
WHERE e.member_id = ANY(%(member_ids)s::bigint[]) AND e.id > %(after)s ORDER BY e.id LIMIT %(limit)s
"""

LEVELS = """
SELECT s.member_id AS id, level.code AS level, s.since, s.measured, s.is_manual, s.manual_until, s.falls_at
FROM rewards_standing s JOIN rewards_level level ON level.id = s.level_id
WHERE s.member_id = ANY(%(member_ids)s::bigint[]) AND s.member_id > %(after)s ORDER BY s.member_id LIMIT %(limit)s
"""

"""What must hold in a ledger, each as one statement, so that it sees a single moment. `rewards.ledger.verify` asks."""

from typing import Final

# Each returns what differs: subject, expected, found.
CHECKS: Final = {
    "Sum over all accounts of an asset": """
        SELECT asset.code AS subject, 0 AS expected, sum(held.units) AS found
        FROM rewards_asset asset
        JOIN (
            SELECT asset_id, balance AS units FROM rewards_account
            UNION ALL
            SELECT a.asset_id, p.amount FROM rewards_posting p JOIN rewards_account a ON a.id = p.target_id
            WHERE a.kind <> 'member'
            UNION ALL
            SELECT a.asset_id, -p.amount FROM rewards_posting p JOIN rewards_account a ON a.id = p.source_id
            WHERE a.kind <> 'member'
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
            JOIN rewards_account a ON a.id IN (p.source_id, p.target_id) AND a.asset_id = r.asset_id
            -- What was posted to somebody who has gone into the reward's member since, was posted for it.
            JOIN members_member m ON m.id = a.member_id AND coalesce(m.merged_into_id, m.id) = r.member_id
            GROUP BY p.reward_id
        ) posted ON posted.reward_id = r.id
        WHERE r.asset_id IS NOT NULL AND coalesce(posted.units, 0)
            <> CASE WHEN r.status IN ('granted', 'reversed') THEN r.given - r.reversed ELSE 0 END
        ORDER BY r.id
    """,
    "Posting between accounts of one asset, of a member or from escrow": """
        SELECT 'posting ' || p.key AS subject, 1 AS expected, 0 AS found
        FROM rewards_posting p
        JOIN rewards_account source ON source.id = p.source_id
        JOIN rewards_account target ON target.id = p.target_id
        WHERE source.asset_id <> target.asset_id OR (source.kind = 'member' AND target.kind = 'member')
            OR (source.kind <> 'member' AND target.kind <> 'member' AND source.kind <> 'escrow')
        ORDER BY p.id
    """,
    "Posting about what it follows from, of its member": """
        SELECT 'posting ' || p.key AS subject, 1 AS expected, 0 AS found
        FROM rewards_posting p
        JOIN rewards_account source ON source.id = p.source_id
        JOIN rewards_account target ON target.id = p.target_id
        LEFT JOIN members_member m ON m.id = coalesce(source.member_id, target.member_id)
        LEFT JOIN rewards_reward r ON r.id = p.reward_id
        LEFT JOIN rewards_redemption d ON d.id = p.redemption_id
        CROSS JOIN LATERAL (SELECT coalesce(m.merged_into_id, m.id) AS member_id) whose
        WHERE CASE
            WHEN p.reason IN ('grant', 'refund', 'undo') THEN r.member_id IS DISTINCT FROM whose.member_id
            WHEN p.reason IN ('reserve', 'release', 'return') THEN d.member_id IS DISTINCT FROM whose.member_id
            WHEN p.reason IN ('spend', 'payout') THEN d.id IS NULL
                OR d.member_id <> coalesce(whose.member_id, d.member_id)
            WHEN p.reason = 'expire' THEN target.kind <> 'expiry'
            ELSE p.note = ''
        END
        ORDER BY p.id
    """,
    "Nothing is left with whoever was merged": """
        SELECT 'account ' || a.id AS subject, 0 AS expected, a.balance AS found
        FROM rewards_account a JOIN members_member m ON m.id = a.member_id AND m.status = 'merged'
        WHERE a.balance <> 0 ORDER BY a.id
    """,
    "Lots of an account": """
        SELECT 'account ' || a.id AS subject, greatest(a.balance, 0) AS expected, coalesce(l.remaining, 0) AS found
        FROM rewards_account a
        LEFT JOIN (
            SELECT account_id, sum(remaining) AS remaining FROM rewards_lot GROUP BY account_id
        ) l ON l.account_id = a.id
        WHERE a.kind = 'member' AND greatest(a.balance, 0) <> coalesce(l.remaining, 0)
        ORDER BY a.id
    """,
    "Lot of each earning": """
        SELECT 'posting ' || p.key AS subject, p.amount AS expected, coalesce(l.remaining + u.amount, -1) AS found
        FROM rewards_posting p
        JOIN rewards_account a ON a.id = p.target_id AND a.kind = 'member'
        LEFT JOIN rewards_lot l ON l.posting_id = p.id AND l.account_id = a.id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS amount FROM rewards_lotuse WHERE lot_id = p.id
        ) u
        WHERE coalesce(l.remaining + u.amount, -1) <> p.amount
        ORDER BY p.id
    """,
    "Set aside for redemptions": """
        SELECT asset.code AS subject, coalesce(d.amount, 0) AS expected, coalesce(moved.amount, 0) AS found
        FROM rewards_asset asset
        LEFT JOIN (
            SELECT asset_id, sum(amount) AS amount FROM rewards_redemption WHERE status = 'reserved' GROUP BY asset_id
        ) d ON d.asset_id = asset.id
        LEFT JOIN (
            SELECT a.asset_id, sum(CASE WHEN p.target_id = a.id THEN p.amount ELSE -p.amount END) AS amount
            FROM rewards_account a JOIN rewards_posting p ON a.id IN (p.target_id, p.source_id)
            WHERE a.kind = 'escrow' GROUP BY a.asset_id
        ) moved ON moved.asset_id = asset.id
        WHERE coalesce(d.amount, 0) <> coalesce(moved.amount, 0) ORDER BY asset.id
    """,
    "Spent for a redemption": """
        SELECT 'redemption ' || d.id AS subject,
            CASE d.status WHEN 'reserved' THEN d.amount WHEN 'released' THEN 0 ELSE d.captured END AS expected,
            coalesce(moved.spent, 0) AS found
        FROM rewards_redemption d
        LEFT JOIN (
            SELECT p.redemption_id, sum(CASE WHEN p.reason = 'release' THEN -p.amount ELSE p.amount END) AS spent
            FROM rewards_posting p
            JOIN rewards_account a ON a.kind = 'member'
                AND a.id = CASE WHEN p.reason = 'release' THEN p.target_id ELSE p.source_id END
            WHERE p.reason IN ('reserve', 'spend', 'payout', 'release')
            GROUP BY p.redemption_id
        ) moved ON moved.redemption_id = d.id
        WHERE coalesce(moved.spent, 0)
            <> CASE d.status WHEN 'reserved' THEN d.amount WHEN 'released' THEN 0 ELSE d.captured END
        ORDER BY d.id
    """,
    "Given back of a redemption": """
        SELECT 'redemption ' || d.id AS subject, d.captured AS expected, coalesce(moved.returned, 0) AS found
        FROM rewards_redemption d
        LEFT JOIN (
            SELECT redemption_id, sum(amount) AS returned FROM rewards_posting WHERE reason = 'return' GROUP BY 1
        ) moved ON moved.redemption_id = d.id
        WHERE CASE WHEN d.status = 'returned' THEN coalesce(moved.returned, 0) <> d.captured
            ELSE moved.returned >= greatest(d.captured, 1) END
        ORDER BY d.id
    """,
    "Rewards for one occurrence": """
        SELECT 'rule ' || rule_id || ', member ' || member_id || ', ' || occurrence AS subject,
            1 AS expected, count(*) AS found
        FROM rewards_reward
        GROUP BY rule_id, member_id, occurrence HAVING count(*) > 1 ORDER BY 1
    """,
}

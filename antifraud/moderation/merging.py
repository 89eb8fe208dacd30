"""
Two members who are one, and the cases about them.

A case about a friend goes by the one who stays. Where one had invited the other, what is on hold for that waits.
"""

from datetime import datetime
from typing import Any, Final

from antifraud.judging.reasons import MERGED
from antifraud.moderation import cases
from antifraud.moderation.cases import Flagged
from core.db import execute, fetch, in_transaction, json_text
from events.merging import selves


@in_transaction
def flag(*, into_id: int, away_id: int, at: datetime) -> dict[str, Any]:
    """
    Flag what is pending for a referral of somebody by themselves. What was given for it stays given.

    What a moderator has approved before is not asked of again. Open cases of either go on, and are about the one who
    stays: what comes later for the same friend joins them. Where both have one of a campaign, both stay.
    """
    execute(RENAME, {"into": f"referral:{into_id}:", "away": f"referral:{away_id}:"})
    reasons = json_text([{"signal": MERGED, "evidence": {"member": away_id}}])
    rows = fetch(FLAG, {"into_id": into_id, "reasons": reasons})
    flagged = [
        Flagged(
            cases.group_key(campaign_id=row.campaign_id, invitee_id=into_id, event_id=row.event_id),
            row.campaign_id,
            row.id,
        )
        for row in rows
    ]
    cases.record(flagged=flagged, signals=(), at=at)
    return {"flagged": len(flagged)}


FLAG: Final = f"""
UPDATE rewards_reward r SET status = 'flagged', reasons = r.reasons || %(reasons)s::jsonb
FROM referrals_referral f
WHERE f.inviter_id = ANY({selves("%(into_id)s::bigint")}) AND f.invitee_id = ANY({selves("%(into_id)s::bigint")})
    AND r.member_id = %(into_id)s AND r.referral_id = f.id AND r.status = 'pending'
    AND NOT EXISTS (SELECT FROM antifraud_casereward decided WHERE decided.reward_id = r.id)
RETURNING r.id, r.campaign_id, r.event_id
"""  # noqa: S608 (constants only)
# As `cases.group_key` has it.
RENAME: Final = """
UPDATE antifraud_case c SET group_key = %(into)s || substr(c.group_key, length(%(away)s) + 1)
WHERE c.status = 'open' AND starts_with(c.group_key, %(away)s) AND NOT EXISTS (
    SELECT FROM antifraud_case own
    WHERE own.status = 'open' AND own.group_key = %(into)s || substr(c.group_key, length(%(away)s) + 1)
)
"""

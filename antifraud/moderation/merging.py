"""Two members who are one, of whom one had invited the other: what is on hold for that waits for a moderator."""

from datetime import datetime
from typing import Any, Final

from antifraud.judging.reasons import MERGED
from antifraud.moderation import cases
from antifraud.moderation.cases import Flagged
from core.db import fetch, in_transaction, json_text
from events.merging import selves


@in_transaction
def flag(*, into_id: int, away_id: int, at: datetime) -> dict[str, Any]:
    """
    Flag what is pending for a referral of somebody by themselves. What was given for it stays given.

    What a moderator has approved before is not asked of again. Open cases of either go on.
    """
    reasons = json_text([{"signal": MERGED, "evidence": {"member": away_id}}])
    rows = fetch(FLAG, {"into_id": into_id, "reasons": reasons})
    flagged = [
        Flagged(
            cases.group_key(campaign_id=row.campaign_id, invitee_id=row.invitee_id, event_id=row.event_id),
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
RETURNING r.id, r.campaign_id, r.event_id, f.invitee_id
"""  # noqa: S608 (constants only)

"""Put what is flagged before a moderator, and keep what was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core import db


@dataclass(frozen=True, slots=True)
class Flagged:
    """A flagged reward, and what ties it to others: one open case holds all of a group."""

    group_key: str
    campaign_id: int
    reward_id: int


@dataclass(frozen=True, slots=True)
class NewSignal:
    """One observation to keep: about whom, in which event and by which rule it was asked, and what came of it."""

    event_id: int
    rule_id: int
    member_id: int
    name: str
    weight: int
    verdict: str
    evidence: Mapping[str, Any]
    is_shadow: bool = False


def group_key(*, campaign_id: int, invitee_id: int | None, event_id: int, ring: Sequence[int] = ()) -> str:
    """
    Return what ties rewards: both sides of a referral are decided together, what stands alone is decided alone.

    Those of a `ring` of members go by the lowest number of these.
    """
    what = f"referral:{invitee_id}" if invitee_id else f"event:{event_id}"
    what = f"ring:{min(ring)}" if ring else what
    return f"{what}:campaign:{campaign_id}"


# A case that is open already takes the reward in, and keeps its age.
RECORD = """
WITH flagged AS (
    SELECT * FROM unnest(%(group_keys)s::text[], %(campaign_ids)s::bigint[], %(reward_ids)s::bigint[])
        AS f (group_key, campaign_id, reward_id)
), opened AS (
    INSERT INTO antifraud_case AS c (group_key, status, campaign_id, opened_at, due_at)
    SELECT DISTINCT group_key, 'open', campaign_id, %(at)s::timestamptz, %(at)s::timestamptz + make_interval(
        hours => (SELECT due_hours FROM antifraud_fraudpolicy WHERE singleton)
    ) FROM flagged ORDER BY group_key
    ON CONFLICT (group_key) WHERE status = 'open' DO UPDATE SET group_key = EXCLUDED.group_key
    RETURNING c.id, c.group_key
), tied AS (
    INSERT INTO antifraud_casereward (case_id, reward_id)
    SELECT opened.id, flagged.reward_id FROM flagged JOIN opened USING (group_key) ORDER BY flagged.reward_id
)
INSERT INTO antifraud_signal (event_id, rule_id, member_id, name, weight, verdict, is_shadow, evidence, at)
SELECT s.*, %(at)s FROM ROWS FROM (unnest(%(event_ids)s::bigint[], %(rule_ids)s::bigint[], %(member_ids)s::bigint[],
    %(names)s::text[], %(weights)s::smallint[], %(verdicts)s::text[], %(are_shadow)s::boolean[]),
    jsonb_array_elements(%(evidence)s::jsonb)) AS s
"""


@db.in_transaction
def record(*, flagged: Sequence[Flagged], signals: Sequence[NewSignal], at: datetime) -> None:
    """Open cases for flagged rewards, or add them to the open case of their group; keep the signals. One statement."""
    if not flagged and not signals:
        return
    db.execute(
        RECORD,
        {
            "group_keys": [each.group_key for each in flagged],
            "campaign_ids": [each.campaign_id for each in flagged],
            "reward_ids": [each.reward_id for each in flagged],
            "event_ids": [each.event_id for each in signals],
            "rule_ids": [each.rule_id for each in signals],
            "member_ids": [each.member_id for each in signals],
            "names": [each.name for each in signals],
            "weights": [each.weight for each in signals],
            "verdicts": [each.verdict for each in signals],
            "are_shadow": [each.is_shadow for each in signals],
            "evidence": db.json_text([dict(each.evidence) for each in signals]),
            "at": at,
        },
    )

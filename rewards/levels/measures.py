"""
How far members have come, in what the reward policy counts. One statement for any number of them.

It is what was earned, never what is left: spending, expiry and what staff gives or takes by hand change nothing. What
was taken back was not earned after all; nor was what a refund should have taken and found spent, or spending it first
would keep the level. What a campaign has forgiven stays.
"""

from collections.abc import Collection
from datetime import datetime

from core.db import fetch
from events.merging import selves
from rewards.levels.setting import Setting, window_of

OWN = selves("m.id")
# Of member `m`, from %(start)s on and before %(end)s, if anything.
EARNED = """
    SELECT coalesce(sum(given - reversed - CASE WHEN lost_why = 'forgiven' THEN 0 ELSE lost END), 0)::bigint AS value
    FROM rewards_reward
    WHERE member_id = m.id AND asset_id = (SELECT id FROM rewards_asset WHERE code = 'points')
        AND status IN ('granted', 'reversed')
        AND granted_at >= %(start)s AND (%(end)s::timestamptz IS NULL OR granted_at < %(end)s)
"""
SPENT = f"""
    SELECT coalesce(sum(amount_minor - refunded_minor), 0)::bigint AS value
    FROM events_order
    WHERE member_id = ANY({OWN}) AND cancelled_at IS NULL AND currency = %(currency)s
        AND paid_at >= %(start)s AND (%(end)s::timestamptz IS NULL OR paid_at < %(end)s)
"""  # noqa: S608 (constants only)
REFERRALS = f"""
    SELECT count(*) AS value
    FROM referrals_referral
    WHERE inviter_id = ANY({OWN})
        AND qualified_at >= %(start)s AND (%(end)s::timestamptz IS NULL OR qualified_at < %(end)s)
"""  # noqa: S608 (constants only)
VALUES = {"earned": EARNED, "spent": SPENT, "referrals": REFERRALS}


def params(*, setting: Setting, at: datetime) -> dict[str, object]:
    """Return what VALUES ask for."""
    window = window_of(policy=setting.policy, zone=setting.zone, at=at)
    return {"start": window.start, "end": window.end, "currency": setting.currency}


def values(*, member_ids: Collection[int], setting: Setting, at: datetime) -> dict[int, int]:
    """Return what each of the members has come to."""
    sql = f"""
        SELECT m.id, v.value FROM unnest(%(ids)s::bigint[]) AS m (id) CROSS JOIN LATERAL ({sql_of(setting)}) v
    """  # noqa: S608 (constants only)
    rows = fetch(sql, {"ids": sorted(member_ids), **params(setting=setting, at=at)})
    return {row.id: row.value for row in rows}


def value_of(*, member_id: int, setting: Setting, at: datetime) -> int:
    """Return what one member has come to."""
    return values(member_ids=[member_id], setting=setting, at=at)[member_id]


def sql_of(setting: Setting) -> str:
    """Return the subquery that measures member `m`: `value`. It asks for `params`."""
    return VALUES[setting.policy.measure]

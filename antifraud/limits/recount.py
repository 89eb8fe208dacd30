"""
Which rewards a counter counts, as parts of statements: a counter that is new starts from the rewards there are.

A part refers to `k`, the counter that is asked for, to `points`, the asset, and to the parameter `midnights`, the local
midnights of the days that rolling limits ask for, in ascending order.
"""

from typing import Final

from events.merging import selves

# Of a reward that was taken back what the member has kept goes on counting, or a limit would be none for whoever spends
# first and returns the order then. It is no step of a ladder any more.
STATUSES: Final = "('flagged', 'pending', 'granted', 'reversed')"
COUNTS: Final = """
r.part = 0 AND (r.status <> 'reversed' OR r.lost > 0 OR EXISTS (
    SELECT FROM rewards_reward other WHERE (other.rule_id, other.member_id, other.event_id)
        = (r.rule_id, r.member_id, r.event_id) AND other.lost > 0
))
"""
# As rewards.costs.left has it. What a large cost is multiplied with may be large as well.
COST_LEFT: Final = "r.cost_minor - div(r.cost_minor::numeric * r.reversed, r.given)"
# As antifraud.limits.usage.subject_of has it.
SUBJECT: Final = "('x' || substr(i.lookup, 1, 15))::bit(60)::bigint"

# Where a counter's rewards are found: each has an index of its own, and OFFSET keeps PostgreSQL at it, also where there
# are no statistics yet. A reward stands under the device or card of whoever acted, if it was known to be theirs when
# the reward was made.
_BRANCHES: Final = {
    "member": """
SELECT * FROM (SELECT * FROM rewards_reward WHERE member_id = k.subject_id OFFSET 0) of_member
WHERE {is_new} AND k.scope IN ('limit', 'rule', 'invitee') AND k.subject_id > 0
""",
    "campaign": """
SELECT * FROM (
    SELECT * FROM rewards_reward WHERE campaign_id = k.campaign_id AND occurred_at >= k.period_start
        AND occurred_at < COALESCE(k.period_end, 'infinity') OFFSET 0
) of_campaign
WHERE {is_new} AND k.subject_id = 0 AND k.campaign_id > 0
""",
    "everywhere": """
SELECT of_all.* FROM campaigns_campaign every CROSS JOIN LATERAL (
    SELECT * FROM rewards_reward WHERE campaign_id = every.id AND occurred_at >= k.period_start
        AND occurred_at < COALESCE(k.period_end, 'infinity') OFFSET 0
) of_all
WHERE {is_new} AND k.subject_id = 0 AND k.campaign_id = 0
""",
    "inviter": """
SELECT * FROM (SELECT * FROM rewards_reward WHERE member_id = k.subject_id OFFSET 0) own
WHERE {is_new} AND k.scope = 'inviter' AND side = 'inviter'
UNION ALL
SELECT of_friend.* FROM referrals_referral s JOIN members_member friend ON friend.id = s.invitee_id CROSS JOIN LATERAL (
    SELECT * FROM rewards_reward WHERE member_id = COALESCE(friend.merged_into_id, friend.id) OFFSET 0
) of_friend
WHERE {is_new} AND k.scope = 'inviter' AND s.inviter_id = ANY({inviters}) AND of_friend.side = 'invitee'
    AND of_friend.referral_id = s.id
""",
    "thing": """
SELECT of_user.* FROM {identities} i CROSS JOIN LATERAL (
    SELECT * FROM rewards_reward WHERE member_id = i.member_id OFFSET 0
) of_user
WHERE k.scope IN ('device', 'card') AND {is_of_thing} AND of_user.side <> 'inviter'
    AND of_user.created_at >= i.added_at
UNION ALL
SELECT of_inviter.* FROM {identities} i JOIN referrals_referral s ON s.invitee_id = ANY({invitees})
JOIN members_member inviter ON inviter.id = s.inviter_id CROSS JOIN LATERAL (
    SELECT * FROM rewards_reward WHERE member_id = COALESCE(inviter.merged_into_id, inviter.id) OFFSET 0
) of_inviter
WHERE k.scope IN ('device', 'card') AND {is_of_thing} AND of_inviter.side = 'inviter'
    AND of_inviter.referral_id = s.id AND of_inviter.created_at >= i.added_at
""",
}
# What nearly every counter needs. Each branch more costs the planner time, for every batch.
USUAL: Final = frozenset({"member", "campaign"})
EVERY: Final = frozenset(_BRANCHES)

_SUMS: Final = """
SELECT sum(count)::bigint AS count, sum(points)::bigint AS points, sum(cost_minor)::bigint AS cost_minor,
    jsonb_object_agg(day, jsonb_build_array(count, points, cost_minor)) FILTER (WHERE day > 0) AS days
FROM (
    SELECT CASE WHEN k.period LIKE '%% days' THEN width_bucket(r.occurred_at, %(midnights)s::timestamptz[]) END AS day,
        count(*) FILTER (WHERE {counts}) AS count,
        COALESCE(sum(r.given - r.reversed) FILTER (WHERE r.asset_id = points.id), 0) AS points,
        sum({cost_left}) AS cost_minor
    FROM ({rewards}) r
    WHERE r.status IN {statuses}
        AND CASE k.campaign_id WHEN 0 THEN r.campaign_id <> ALL(ARRAY(
            SELECT id FROM campaigns_campaign WHERE is_builtin
        )) ELSE r.campaign_id = k.campaign_id END
        AND (k.scope NOT IN ('rule', 'invitee') OR (r.rule_id = k.scope_id AND r.status <> 'reversed'
            AND (r.side = 'invitee') = (k.scope = 'invitee')))
        AND r.occurred_at >= k.period_start AND (k.period_end IS NULL OR r.occurred_at < k.period_end)
    GROUP BY 1
) each
WHERE {gate}
"""


def missing(branches: frozenset[str]) -> str:
    """
    Return what the stored counter `c` does not have, of counters of these branches.

    Everything if it is new; else what those bring along of whom it has not heard that they use the device or card. Of
    most counters nothing is missing, and nothing is looked for.
    """
    return _sums(
        branches,
        gate="c.id IS NULL OR k.lookup IS NOT NULL",
        is_new="c.id IS NULL",
        identities="members_identity",
        is_of_thing="i.kind = k.scope AND i.lookup = k.lookup AND i.id > COALESCE((c.days ->> 'known')::bigint, 0)",
    )


def _sums(branches: frozenset[str], *, gate: str, **told: str) -> str:
    people = {"inviters": selves("k.subject_id"), "invitees": selves("i.member_id")}
    rewards = "UNION ALL".join(_BRANCHES[name] for name in sorted(branches)).format(**told, **people)
    return _SUMS.format(gate=gate, counts=COUNTS, cost_left=COST_LEFT, rewards=rewards, statuses=STATUSES)


# What the stored counter `k` should have.
ALL: Final = _sums(
    EVERY,
    gate="true",
    is_new="true",
    identities="things",
    is_of_thing="i.kind = k.scope AND i.subject_id = k.subject_id AND i.id <= k.known",
)
# All devices and cards with their numbers, which no index knows.
THINGS: Final = f"""
SELECT i.id, i.member_id, i.kind, i.added_at, {SUBJECT} AS subject_id
FROM members_identity i WHERE i.kind IN ('device', 'card')
"""  # noqa: S608 (constants only)

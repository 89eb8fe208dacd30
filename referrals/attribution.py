"""Who brought whom: read what was touched, write what was decided. What decides is `referrals.touch`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.codes import may_be_code, normalise_shared
from core.db import fetch, in_transaction, json_text
from events.merging import selves
from referrals.touch import Policy, Standing, Touch, Touches


@dataclass(frozen=True, slots=True)
class NewReferral:
    """A referral to write: the columns of its row."""

    inviter_id: int
    invitee_id: int
    code_id: int
    event_id: int
    attributed_at: datetime
    click_id: int | None = None
    channel: str = ""
    utm: Mapping[str, str] = field(default_factory=dict)


def policy() -> Policy:
    """Return the tenant's choice of how a click becomes a referral."""
    row = fetch(POLICY)[0]
    return Policy(window_days=row.window_days, touch=row.touch, landing_url=row.landing_url)


def gather(
    *,
    codes: Collection[str],
    click_keys: Collection[str],
    members: Collection[int] = (),
    newcomers: Collection[int] | None = None,
) -> Touches:
    """
    Read all that attributing a batch needs, in one statement.

    That is the policy, the codes with their owners, the clicks of the visitors who made `click_keys` (the latest 100 of
    each), the referrals of `members`, and, where one of `newcomers` (those of `members` who may become somebody's
    invitee; all of them if not given) has invited others, the chains in which a loop could hide.
    """
    params = {
        "codes": [normalise_shared(code) for code in codes if may_be_code(code)],
        "keys": list(click_keys),
        "members": list(members),
        "newcomers": list(members if newcomers is None else newcomers),
    }
    rows = fetch(GATHER if params["codes"] or params["keys"] else GATHER_STANDING, params)
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for row in rows:
        found.setdefault(row.what, []).append((row.key, row.found))
    clicks: dict[str, list[Touch]] = {}
    for key, row in found.get("click", []):
        clicks.setdefault(key, []).append(_click(row))
    return Touches(
        policy=Policy(**found["policy"][0][1]),
        codes={key: _code(row) for key, row in found.get("code", [])},
        clicks=clicks,
        referrals={int(key): _standing(row) for key, row in found.get("referral", [])},
    )


@in_transaction
def write(*, new: Sequence[NewReferral], qualified: Mapping[int, datetime]) -> dict[int, int]:
    """
    Write new referrals, and the first moment at which referrals (new or old) qualified, in one statement.

    Return the ids by invitee: of the new ones, and of those that qualified now. An invitee who has a referral already
    is left out: nothing is ever re-pointed. A referral that has qualified before keeps its moment.
    """
    if not new and not qualified:
        return {}
    params: dict[str, Any] = {
        name: [getattr(each, name) for each in new]
        for name in ("inviter_id", "invitee_id", "code_id", "click_id", "event_id", "channel", "attributed_at")
    }
    params["utm"] = json_text([dict(each.utm) for each in new])
    params["qualified_ids"] = sorted(qualified)
    params["qualified_ats"] = [qualified[invitee_id] for invitee_id in sorted(qualified)]
    return {row.invitee_id: row.id for row in fetch(WRITE, params)}


def _code(row: dict[str, Any]) -> Touch:
    return Touch(inviter_id=row["member_id"], code_id=row["code_id"], code=row["code"])


def _click(row: dict[str, Any]) -> Touch:
    return Touch(
        inviter_id=row["member_id"],
        code_id=row["code_id"],
        code=row["code"],
        click_id=row["id"],
        campaign_id=row["campaign_id"],
        channel=row["channel"],
        utm=row["utm"],
        at=datetime.fromisoformat(row["at"]),
    )


def _standing(row: dict[str, Any]) -> Standing:
    qualified_at = row["qualified_at"]
    return Standing(
        referral_id=row["id"],
        inviter_id=row["inviter_id"],
        code_id=row["code_id"],
        channel=row["channel"],
        attributed_at=datetime.fromisoformat(row["attributed_at"]),
        qualified_at=qualified_at and datetime.fromisoformat(qualified_at),
    )


POLICY = "SELECT window_days, touch, landing_url FROM referrals_attributionpolicy"

GATHER_POLICY = """
SELECT 'policy' AS what, '' AS key,
    jsonb_build_object('window_days', window_days, 'touch', touch, 'landing_url', landing_url) AS found
FROM referrals_attributionpolicy
"""
# Of one person there is one referral: their own before one of whoever was merged into them, and of these the first. Of
# two who were merged after one had invited the other nobody has invited anybody. OFFSET and LIMIT: nearly everybody was
# invited by nobody, and a join would begin with the table of members.
REFERRAL = f"""
SELECT each.id, asked.id AS invitee_id, inviter.id AS inviter_id, each.code_id, each.channel, each.attributed_at,
    each.qualified_at
FROM (SELECT * FROM referrals_referral WHERE invitee_id = ANY({selves("asked.id")}) OFFSET 0) each
CROSS JOIN LATERAL (
    SELECT coalesce(m.merged_into_id, m.id) AS id FROM members_member m WHERE m.id = each.inviter_id LIMIT 1
) inviter
WHERE inviter.id <> asked.id
ORDER BY each.invitee_id <> asked.id, each.attributed_at, each.id LIMIT 1
"""  # noqa: S608 (constants only)

# A loop needs a new member who has already invited somebody, which is rare: only then are the chains walked upwards.
INVITING = f"""EXISTS (
    SELECT FROM unnest(%(newcomers)s::bigint[]) AS newcomer (id)
    JOIN referrals_referral r ON r.inviter_id = ANY({selves("newcomer.id")})
)"""
# Whoever was merged into another shares the other's name: the codes go on working.
OWNER = """
JOIN members_member sharer ON sharer.id = code.member_id
JOIN members_member m ON m.id = coalesce(sharer.merged_into_id, sharer.id) AND m.status <> 'erased'
"""
GATHER = f"""
WITH RECURSIVE owner AS (
    SELECT code.id AS code_id, code.text AS code, m.id AS member_id FROM referrals_code code {OWNER}
    WHERE code.text = ANY(%(codes)s::text[])
), visit AS (
    SELECT asked.key, c.id, c.code_id, code.text AS code, m.id AS member_id, c.campaign_id, c.channel, c.utm, c.at
    FROM referrals_click asked
    CROSS JOIN LATERAL (
        SELECT * FROM referrals_click each WHERE each.visitor = asked.visitor ORDER BY each.at DESC LIMIT 100
    ) c
    JOIN referrals_code code ON code.id = c.code_id {OWNER}
    WHERE asked.key = ANY(%(keys)s::text[])
), referral AS (
    SELECT found.* FROM unnest(%(members)s::bigint[]) AS asked (id) CROSS JOIN LATERAL ({REFERRAL}) found
    UNION
    SELECT found.*
    FROM (SELECT member_id AS id FROM owner UNION SELECT member_id FROM visit) asked
    CROSS JOIN LATERAL ({REFERRAL}) found
    WHERE {INVITING}
    UNION
    SELECT up.* FROM referral CROSS JOIN LATERAL (SELECT referral.inviter_id AS id) asked
    CROSS JOIN LATERAL ({REFERRAL}) up
    WHERE {INVITING}
)
{GATHER_POLICY}
UNION ALL
SELECT 'code', code, to_jsonb(owner) FROM owner
UNION ALL
SELECT 'click', key, to_jsonb(visit) FROM visit
UNION ALL
SELECT 'referral', invitee_id::text, to_jsonb(referral) FROM referral
"""  # noqa: S608 (constants only)

# Most batches bring nobody new, and planning what they do not need takes longer than reading what they do.
GATHER_STANDING = f"""
{GATHER_POLICY}
UNION ALL
SELECT 'referral', found.invitee_id::text, to_jsonb(found)
FROM unnest(%(members)s::bigint[]) AS asked (id) CROSS JOIN LATERAL ({REFERRAL}) found
"""  # noqa: S608 (constants only)

WRITE = f"""
WITH qualifying AS (
    SELECT asked.id AS invitee_id, asked.qualified_at, found.id AS referral_id
    FROM unnest(%(qualified_ids)s::bigint[], %(qualified_ats)s::timestamptz[]) AS asked (id, qualified_at)
    LEFT JOIN LATERAL ({REFERRAL}) found ON true
), new AS (
    SELECT * FROM ROWS FROM (
        unnest(
            %(inviter_id)s::bigint[], %(invitee_id)s::bigint[], %(code_id)s::bigint[], %(click_id)s::bigint[],
            %(event_id)s::bigint[], %(channel)s::text[], %(attributed_at)s::timestamptz[]
        ),
        jsonb_array_elements(%(utm)s::jsonb)
    ) WITH ORDINALITY AS n (inviter_id, invitee_id, code_id, click_id, event_id, channel, attributed_at, utm, nth)
), inserted AS (
    INSERT INTO referrals_referral (
        inviter_id, invitee_id, code_id, click_id, event_id, channel, utm, attributed_at, qualified_at
    )
    SELECT inviter_id, new.invitee_id, code_id, click_id, event_id, channel, utm, attributed_at, qualified_at
    FROM new LEFT JOIN qualifying ON qualifying.invitee_id = new.invitee_id
    ORDER BY nth
    ON CONFLICT (invitee_id) DO NOTHING
    RETURNING invitee_id, id
), updated AS (
    UPDATE referrals_referral r
    SET qualified_at = qualifying.qualified_at
    FROM qualifying
    WHERE r.id = qualifying.referral_id AND r.qualified_at IS NULL
    RETURNING qualifying.invitee_id, r.id
)
SELECT invitee_id, id FROM inserted
UNION ALL
SELECT invitee_id, id FROM updated
"""  # noqa: S608 (constants only)

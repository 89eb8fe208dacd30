"""
What members are owed: rewards are written once for each occurrence, and refunds take back from them.

What is posted for a reward of an asset in all is `given - reversed` while it is granted or reversed, nothing otherwise;
`lost` is the part of it that a refund should have taken back and could not, and `lost_why` says why. A reward that is
not counted has no asset: for it nothing is posted.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from core.db import fetch, in_transaction, json_text
from core.errors import Conflict
from rewards import refunds
from rewards.ledger import Move
from rewards.lots import OpenLot
from rewards.refunds import Held


class RewardChanged(Conflict):
    """Somebody else has moved the reward since it was read. Read it again."""

    message = _("The reward has changed in the meantime.")


class Occurrence(NamedTuple):
    """What may be rewarded once."""

    rule_id: int
    member_id: int
    occurrence: str


class NewReward(NamedTuple):
    """A reward to write: the columns of its row. What was refunded in the same breath is already in `reversed`."""

    campaign_id: int
    rule_id: int
    version_id: int
    event_id: int
    member_id: int
    side: str
    occurrence: str
    asset_id: int | None
    due: int
    given: int
    status: str
    occurred_at: datetime
    matures_at: datetime
    created_at: datetime
    referral_id: int | None = None
    order_id: int | None = None
    reasons: Sequence[dict[str, Any]] = ()
    granted_at: datetime | None = None
    reversed: int = 0
    lost: int = 0
    kind: str = "points"
    what: str = ""
    part: int = 0
    awaits: str = ""
    awaits_until: datetime | None = None
    cost_minor: int = 0


@dataclass(frozen=True, slots=True)
class TakeBack:
    """What refunds did to a reward: from how it was read to how it ends. At most one for a reward in one `write`."""

    before: Held
    after: Held


@dataclass(frozen=True, slots=True)
class Existing:
    """
    Which of the occurrences are rewarded already, and all rewards of the orders, in the order of their ids.

    `lots` are what is left on the accounts that granted ones of these lie on.
    """

    occurrences: frozenset[Occurrence]
    of_orders: tuple[Held, ...]
    lots: tuple[OpenLot, ...] = ()


def existing(*, occurrences: Collection[Occurrence], order_ids: Collection[int]) -> Existing:
    """Read in one statement what deciding needs to know of rewards. Locks nothing: `write` compares."""
    if not occurrences and not order_ids:
        return Existing(frozenset(), ())
    rows = fetch(
        EXISTING,
        {
            "rules": [each.rule_id for each in occurrences],
            "members": [each.member_id for each in occurrences],
            "occurrences": [each.occurrence for each in occurrences],
            "orders": list(order_ids),
        },
    )
    asked = frozenset(occurrences)
    found = (Occurrence(row.rule_id, row.member_id, row.occurrence) for row in rows)
    wanted = frozenset(order_ids)
    return Existing(
        occurrences=frozenset(each for each in found if each in asked),
        of_orders=tuple(_held(row) for row in rows if row.order_id in wanted),
        lots=tuple(_lot(each) for row in rows[:1] for each in row.lots or ()),
    )


@in_transaction
def write(*, new: Sequence[NewReward], taken: Sequence[TakeBack] = ()) -> list[int | None]:
    """
    Write new rewards and what refunds took from old ones, in one statement. Nothing is posted.

    Return the ids of `new` in its order, `None` where the occurrence has been rewarded already (be it by one before it
    in `new`). The caller holds the tenant's lock, or inserts one reward only: rows are inserted in the order given.

    :raises RewardChanged: when a reward in `taken` is not any more what it was read as.
    """
    if not new and not taken:
        return []
    rows = fetch(WRITE + (TAKE if taken else WRITTEN), _new_columns(new) | _taken_columns(taken))
    if sum(row.rule_id is None for row in rows) != len(taken):
        raise RewardChanged
    ids = {row[1:]: row.id for row in rows}
    # The first of twins takes the id.
    return [ids.pop((each.rule_id, each.member_id, each.occurrence), None) for each in new]


def grant_move(
    *, reward_id: int, member_id: int, asset_id: int, amount: int, nth: int = 1, expires_at: datetime | None = None
) -> Move:
    """
    Return the posting that pays a reward, usable until `expires_at`.

    `nth` counts its payments: a second one follows an undone decision.
    """
    key = f"reward:{reward_id}:grant:{nth}"
    return Move(key, "grant", member_id, asset_id, amount, reward_id, expires_at=expires_at)


def refund_move(*, held: Held, amount: int, refund_id: str) -> Move:
    """Return the posting that takes back `amount` of a granted reward after a refund, into debt if its campaign may."""
    if held.asset_id is None:
        raise ValueError("Only what lies on an account can be taken back from it.")
    key = f"reward:{held.reward_id}:refund:{refund_id}"
    move = Move(key, "refund", held.member_id, held.asset_id, -amount, held.reward_id, held.grant_posting_id)
    return move._replace(may_owe=held.may_owe and held.refund_policy == refunds.DEBT)


def _held(row: Any) -> Held:
    return Held(
        reward_id=row.id,
        order_id=row.order_id,
        campaign_id=row.campaign_id,
        rule_id=row.rule_id,
        version_id=row.version_id,
        member_id=row.member_id,
        asset_id=row.asset_id,
        side=row.side,
        status=row.status,
        given=row.given,
        reversed=row.reversed,
        lost=row.lost,
        occurred_at=row.occurred_at,
        created_at=row.created_at,
        grant_posting_id=row.grant_posting_id,
        balance=row.balance,
        part=row.part,
        kind=row.kind,
        what=row.what,
        is_points=bool(row.is_points),
        may_owe=bool(row.may_owe),
        refund_policy=row.refund_policy or refunds.TO_ZERO,
        stuck=row.stuck or "",
        lost_why=row.lost_why,
        event_id=row.event_id,
        actor_id=row.actor_id,
        inviter_id=row.inviter_id,
        cost_minor=row.cost_minor,
    )


def _lot(told: Sequence[Any]) -> OpenLot:
    lot_id, member_id, asset_id, remaining, expires_at, reward_id = told
    return OpenLot(
        lot_id, (member_id, asset_id), remaining, expires_at and datetime.fromisoformat(expires_at), reward_id
    )


def _new_columns(new: Sequence[NewReward]) -> dict[str, Any]:
    columns = [list(column) for column in zip(*new, strict=True)] or [[] for _name in NewReward._fields]
    return dict(zip(NewReward._fields, columns, strict=True)) | {"reasons": json_text([each.reasons for each in new])}


def _taken_columns(taken: Sequence[TakeBack]) -> dict[str, list[Any]]:
    return {
        "taken_ids": [each.before.reward_id for each in taken],
        "was_statuses": [each.before.status for each in taken],
        "was_reversed": [each.before.reversed for each in taken],
        "was_lost": [each.before.lost for each in taken],
        "now_statuses": [each.after.status for each in taken],
        "now_reversed": [each.after.reversed for each in taken],
        "now_lost": [each.after.lost for each in taken],
        "now_lost_whys": [each.after.lost_why for each in taken],
    }


EXISTING = """
WITH found AS (
    -- LATERAL, so that each is looked up in the index: a join of a table without statistics may read all of it.
    SELECT r.id
    FROM unnest(%(rules)s::bigint[], %(members)s::bigint[], %(occurrences)s::text[])
        AS asked (rule_id, member_id, occurrence)
    CROSS JOIN LATERAL (
        SELECT id FROM rewards_reward each
        WHERE (each.rule_id, each.member_id, each.occurrence) = (asked.rule_id, asked.member_id, asked.occurrence)
        LIMIT 1
    ) r
    UNION
    SELECT id FROM rewards_reward WHERE order_id = ANY(%(orders)s::bigint[])
), account AS (
    SELECT DISTINCT a.id, a.member_id, a.asset_id
    FROM rewards_reward r
    JOIN rewards_account a ON a.member_id = r.member_id AND a.asset_id = r.asset_id
    WHERE r.order_id = ANY(%(orders)s::bigint[]) AND r.status = 'granted'
), lots AS (
    SELECT jsonb_agg(jsonb_build_array(
        l.posting_id, account.member_id, account.asset_id, l.remaining, l.expires_at, p.reward_id
    )) AS all_of_them
    FROM account
    JOIN rewards_lot l ON l.account_id = account.id AND l.remaining > 0
    JOIN rewards_posting p ON p.id = l.posting_id
)
SELECT
    r.id, r.order_id, r.campaign_id, r.rule_id, r.version_id, r.event_id, r.member_id, r.asset_id, r.side,
    coalesce(invitee.merged_into_id, invitee.id, r.member_id) AS actor_id,
    coalesce(inviter.merged_into_id, inviter.id, 0) AS inviter_id,
    r.occurrence, r.status, r.given, r.cost_minor, r.reversed, r.lost, r.lost_why, r.part, r.kind, r.what,
    r.occurred_at, r.created_at, coalesce(account.balance, 0) AS balance, asset.code = 'points' AS is_points,
    asset.may_owe,
    CASE WHEN r.order_id IS NOT NULL THEN (
        SELECT v.definition ->> 'refund_policy' FROM campaigns_campaignversion v WHERE v.id = r.version_id
    ) END AS refund_policy,
    -- As the kinds have it (their `stop`): a right ends at once, and a code of our own takes nothing off any more.
    CASE WHEN r.order_id IS NOT NULL AND r.asset_id IS NULL THEN (
        SELECT CASE
            WHEN e.status = 'used' THEN 'used'
            WHEN e.status IN ('sent', 'delivered') THEN 'sent'
            WHEN e.kind = 'discount' AND coalesce(e.details #>> '{terms,pattern}', gift.terms ->> 'pattern', '') <> ''
                THEN NULL
            WHEN e.shown_at IS NOT NULL AND e.kind <> 'privilege' THEN 'shown'
        END
        FROM rewards_entitlement e JOIN rewards_gift gift ON gift.id = e.gift_id
        WHERE e.reward_id = r.id AND e.status <> 'cancelled' ORDER BY e.id DESC LIMIT 1
    ) END AS stuck,
    (
        SELECT max(p.id) FROM rewards_posting p WHERE p.reward_id = r.id AND p.reason = 'grant'
    ) AS grant_posting_id,
    -- Those of all, with the first row.
    CASE WHEN row_number() OVER (ORDER BY r.id) = 1 THEN (SELECT all_of_them FROM lots) END AS lots
FROM found
JOIN rewards_reward r ON r.id = found.id
LEFT JOIN rewards_asset asset ON asset.id = r.asset_id
LEFT JOIN rewards_account account ON account.member_id = r.member_id AND account.asset_id = r.asset_id
LEFT JOIN referrals_referral referral ON referral.id = r.referral_id
LEFT JOIN members_member inviter ON inviter.id = referral.inviter_id
LEFT JOIN members_member invitee ON invitee.id = referral.invitee_id
ORDER BY r.id
"""

WRITE = """
WITH new AS (
    SELECT * FROM ROWS FROM (
        unnest(
            %(campaign_id)s::bigint[], %(rule_id)s::bigint[], %(version_id)s::bigint[], %(event_id)s::bigint[],
            %(member_id)s::bigint[], %(side)s::text[], %(referral_id)s::bigint[], %(order_id)s::bigint[],
            %(occurrence)s::text[], %(kind)s::text[], %(asset_id)s::bigint[], %(due)s::bigint[], %(given)s::bigint[],
            %(reversed)s::bigint[], %(lost)s::bigint[], %(status)s::text[], %(occurred_at)s::timestamptz[],
            %(matures_at)s::timestamptz[], %(created_at)s::timestamptz[], %(granted_at)s::timestamptz[],
            %(what)s::text[], %(part)s::smallint[], %(awaits)s::text[], %(awaits_until)s::timestamptz[],
            %(cost_minor)s::bigint[]
        ),
        jsonb_array_elements(%(reasons)s::jsonb)
    ) WITH ORDINALITY AS n (
        campaign_id, rule_id, version_id, event_id, member_id, side, referral_id, order_id, occurrence, kind, asset_id,
        due, given, reversed, lost, status, occurred_at, matures_at, created_at, granted_at, what, part, awaits,
        awaits_until, cost_minor, reasons, nth
    )
), inserted AS (
    INSERT INTO rewards_reward (
        campaign_id, rule_id, version_id, event_id, member_id, side, referral_id, order_id, occurrence, kind, asset_id,
        due, given, reversed, lost, status, reasons, occurred_at, matures_at, created_at, granted_at, what, part,
        awaits, awaits_until, cost_minor
    )
    SELECT
        campaign_id, rule_id, version_id, event_id, member_id, side, referral_id, order_id, occurrence, kind, asset_id,
        due, given, reversed, lost, status, reasons, occurred_at, matures_at, created_at, granted_at, what, part,
        awaits, awaits_until, cost_minor
    FROM new ORDER BY nth
    ON CONFLICT (rule_id, member_id, occurrence) DO NOTHING
    RETURNING id, rule_id, member_id, occurrence
)"""
WRITTEN = """
SELECT id, rule_id, member_id, occurrence FROM inserted
"""
TAKE = """, taken AS (
    SELECT * FROM unnest(
        %(taken_ids)s::bigint[], %(was_statuses)s::text[], %(was_reversed)s::bigint[], %(was_lost)s::bigint[],
        %(now_statuses)s::text[], %(now_reversed)s::bigint[], %(now_lost)s::bigint[], %(now_lost_whys)s::text[]
    ) AS t (id, was_status, was_reversed, was_lost, status, reversed, lost, lost_why)
), locked AS MATERIALIZED (
    SELECT r.id FROM rewards_reward r
    WHERE r.id = ANY(%(taken_ids)s::bigint[])
    ORDER BY r.id FOR NO KEY UPDATE
), changed AS (
    UPDATE rewards_reward r
    SET status = taken.status, reversed = taken.reversed, lost = taken.lost, lost_why = taken.lost_why
    FROM taken JOIN locked ON locked.id = taken.id
    WHERE r.id = taken.id
        AND r.status = taken.was_status AND r.reversed = taken.was_reversed AND r.lost = taken.was_lost
    RETURNING r.id
)
SELECT id, rule_id, member_id, occurrence FROM inserted
UNION ALL
SELECT id, NULL, NULL, NULL FROM changed
"""

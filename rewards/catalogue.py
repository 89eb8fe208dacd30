"""
The catalogue: what members can buy with what they have earned, for how much, and why not.

Whoever asks is a `Shopper`: read once, in one statement, and then held against any number of gifts.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns import conditions
from campaigns.definitions import Condition, RuleLine
from core.db import fetch
from core.errors import Conflict, Denied, Failure, NotFound
from events.merging import selves
from rewards.ledger import InsufficientBalance
from rewards.models import Gift, Redemption

# Something else is used up, and is not shown as a price.
BLOCKED: Final = "blocked"


class UnknownGift(NotFound):
    """The catalogue has nothing of this code."""

    message = _("There is no such gift in the catalogue.")


class NotForSale(Conflict):
    """It has no price, is out of use, or it is too early or too late."""

    message = _("This gift cannot be bought now.")


class SoldOut(Conflict):
    """None is left."""

    message = _("This gift is sold out.")


class TooMany(Conflict):
    """The member has bought as many as one may."""

    message = _("The member has bought as many of this gift as one may.")


class NotForThisMember(Denied):
    """It is for members of another level, or for whom other conditions hold."""

    message = _("This gift is not for this member.")


@dataclass(frozen=True, slots=True)
class Shopper:
    """A member as the catalogue sees them: their level's code, what they can spend by asset, what they have bought."""

    member_id: int
    level: str
    is_blocked: bool
    fields: Mapping[str, object]
    spendable: Mapping[int, int]
    bought: Mapping[int, int]


def list_gifts() -> QuerySet[Gift]:
    """Return what stands in the catalogue, whoever may buy it, and also what is sold out or begins later."""
    return Gift.objects.filter(is_active=True, price__isnull=False).select_related("asset")


def list_public(*, at: datetime) -> QuerySet[Gift]:
    """Return what stands in the catalogue now, sold out or not: what begins later is nobody's to know before."""
    begun = Q(available_from=None) | Q(available_from__lte=at)
    going_on = Q(available_to=None) | Q(available_to__gt=at)
    return list_gifts().filter(begun, going_on)


def get(gifts: QuerySet[Gift], *, code: str) -> Gift:
    """
    Return one of these gifts.

    :raises UnknownGift:
    """
    found = gifts.filter(code=code).first()
    if found is None:
        raise UnknownGift
    return found


def shopper_of(*, member_id: int, gift_ids: Collection[int], at: datetime) -> Shopper:
    """Return a member as a shopper of these gifts, in one statement."""
    row = fetch(SHOPPER, {"member_id": member_id, "gift_ids": list(gift_ids), "at": at})[0]
    return Shopper(
        member_id=member_id,
        level=row.level or "",
        is_blocked=row.status == BLOCKED,
        fields={
            "member.orders": row.orders,
            "member.days": max((at - row.since).days, 0),
            "member.invited": row.is_invited,
        },
        spendable=_by_id(row.spendable),
        bought=_by_id(row.bought),
    )


def price_for(gift: Gift, *, level: str) -> int:
    """Return what a gift of the catalogue costs on a level ("" is none)."""
    price = gift.prices.get(level)
    return price if isinstance(price, int) else gift.price or 0


def why_unavailable(gift: Gift, *, at: datetime) -> Failure | None:
    """Return why nobody can buy a gift now, or None."""
    is_early = gift.available_from is not None and at < gift.available_from
    is_late = gift.available_to is not None and at >= gift.available_to
    if not gift.is_active or gift.price is None or is_early or is_late:
        return NotForSale()
    return SoldOut() if gift.stock == 0 else None


def why_not(gift: Gift, *, shopper: Shopper, at: datetime) -> Failure | None:
    """Return why this member cannot buy a gift now, or None. What they lack comes last: that can be mended."""
    if (unavailable := why_unavailable(gift, at=at)) is not None:
        return unavailable
    if not _is_for(gift, shopper):
        return NotForThisMember()
    if gift.per_member is not None and shopper.bought.get(gift.pk, 0) >= gift.per_member:
        return TooMany(extra={"per_member": gift.per_member})
    price = price_for(gift, level=shopper.level)
    has = shopper.spendable.get(gift.asset_id or 0, 0)
    return InsufficientBalance(extra={"missing": price - has}) if has < price else None


def _is_for(gift: Gift, shopper: Shopper) -> bool:
    levels = gift.audience.get("levels") or []
    if shopper.is_blocked or (levels and shopper.level not in levels):
        return False
    return _compiled(gift.audience.get("conditions") or [])(shopper.fields) is None


def _compiled(rows: list[dict[str, Any]]) -> conditions.type_of_miss:
    """Return the test of an audience: a rule without a trigger, of which the conditions alone are asked."""
    asked = tuple(Condition(field=row["field"], operator=row["operator"], value=_value(row["value"])) for row in rows)
    return conditions.compile_rule(
        RuleLine(
            id=0,
            position=0,
            trigger="",
            recipient="actor",
            order_number="any",
            match="all",
            conditions=asked,
            reward_kind="",
            amount_kind="",
            amount_points=None,
            rate_bps=None,
            hold_days=0,
        )
    )


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _by_id(found: Mapping[str, int] | None) -> dict[int, int]:
    return {int(row_id): count for row_id, count in (found or {}).items()}


# A purchase that was called off counts no more.
BOUGHT: Final = Redemption.Status.CAPTURED
OWN = selves("m.id")
SHOPPER = f"""
SELECT m.status, coalesce(m.joined_at, m.first_seen_at) AS since, level.code AS level,
    (SELECT count(*) FROM events_order o WHERE o.member_id = ANY({OWN}) AND o.cancelled_at IS NULL) AS orders,
    EXISTS (SELECT FROM referrals_referral r WHERE r.invitee_id = ANY({OWN})) AS is_invited,
    (
        SELECT jsonb_object_agg(held.asset_id, held.units) FROM (
            SELECT a.asset_id, coalesce(sum(l.remaining), 0) AS units
            FROM rewards_account a
            LEFT JOIN rewards_lot l ON l.account_id = a.id AND l.remaining > 0
                AND (l.expires_at IS NULL OR l.expires_at > %(at)s)
            WHERE a.member_id = m.id GROUP BY a.asset_id
        ) held
    ) AS spendable,
    (
        SELECT jsonb_object_agg(d.gift_id, d.times) FROM (
            SELECT gift_id, count(*) AS times FROM rewards_redemption
            WHERE member_id = m.id AND gift_id = ANY(%(gift_ids)s::bigint[]) AND status = '{BOUGHT.value}'
            GROUP BY gift_id
        ) d
    ) AS bought
FROM members_member m
LEFT JOIN rewards_standing s ON s.member_id = m.id
LEFT JOIN rewards_level level ON level.id = s.level_id
WHERE m.id = %(member_id)s
"""  # noqa: S608 (constants only)

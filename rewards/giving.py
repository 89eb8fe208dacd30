"""
What a granted reward becomes: units on an account, or an entitlement. The one place that knows which.

A reward with an asset is posted. One without is a gift: an entitlement is given for it, and stopped when it is taken
back, as far as that is possible.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from core.db import execute, fetch, in_transaction
from rewards import entitlements, grants
from rewards.assets import AssetLine
from rewards.entitlements import NewEntitlement
from rewards.ledger import Move
from rewards.models import Entitlement
from tenants import context

REFUNDED = _("The order was refunded.")
UNDONE = _("The decision was undone.")
# Of these kinds the amount is what one is worth; of the others there is one.
WORTH = frozenset({"certificate", "pool"})


class GiftMissing(RuntimeError):
    """A programming error: a gift that rewards were given of has been deleted or renamed."""


class Granted(NamedTuple):
    """A reward that is granted now. `nth` counts how often: a second time follows an undone decision."""

    reward_id: int
    member_id: int
    kind: str
    what: str
    asset_id: int | None
    amount: int
    nth: int = 1


def moves(*, granted: Sequence[Granted], lines: Mapping[int, AssetLine], zone: tzinfo, at: datetime) -> list[Move]:
    """Return the postings that pay those that are counted. `lines` are the tenant's assets by their ids."""
    counted = [(each, each.asset_id) for each in granted if each.asset_id is not None]
    ends = {each: lines[each].expires_at(zone=zone, at=at) for each in {asset_id for _each, asset_id in counted}}
    return [
        grants.grant_move(
            reward_id=each.reward_id,
            member_id=each.member_id,
            asset_id=asset_id,
            amount=each.amount,
            nth=each.nth,
            expires_at=ends[asset_id],
        )
        for each, asset_id in counted
    ]


@in_transaction
def entitle(*, granted: Sequence[Granted], at: datetime) -> None:
    """
    Give what is not counted. Without any of it no statement is made.

    :raises GiftMissing: if there is no gift of that code any more.
    """
    gifts = [each for each in granted if each.asset_id is None]
    if not gifts:
        return
    found = {row.code: row for row in fetch(GIFTS, {"codes": sorted({each.what for each in gifts})})}
    if missing := {each.what for each in gifts} - set(found):
        raise GiftMissing(", ".join(sorted(missing)))
    currency = context.current().currency
    entitlements.give(
        new=[
            NewEntitlement(
                key=f"reward:{each.reward_id}:{each.nth}",
                kind=found[each.what].kind,
                gift_id=found[each.what].id,
                member_id=each.member_id,
                reward_id=each.reward_id,
                value_minor=each.amount if found[each.what].kind in WORTH else None,
                currency=currency if found[each.what].kind in WORTH else "",
            )
            for each in gifts
        ],
        at=at,
    )


@in_transaction
def stop(*, reward_ids: Collection[int], why: str, at: datetime) -> dict[int, str]:
    """Stop what these rewards became. Return of each that cannot be taken back why (`Reward.LostWhy`), by its id."""
    if not reward_ids:
        return {}
    going = list(Entitlement.objects.filter(reward_id__in=reward_ids).exclude(status__in=entitlements.OVER))
    lost = entitlements.stop(entitlements=going, why=why, at=at)
    return {each.reward_id: lost[each.pk] for each in going if each.pk in lost and each.reward_id is not None}


@in_transaction
def take_back(*, reward_ids: Collection[int], at: datetime) -> set[int]:
    """Stop what rewards became of which the order was refunded. Return those that turn out to be lost, beyond reach."""
    lost = stop(reward_ids=reward_ids, why=str(REFUNDED), at=at)
    if lost:
        execute(LOSE, {"ids": list(lost), "whys": list(lost.values())})
    return set(lost)


GIFTS = "SELECT id, code, kind FROM rewards_gift WHERE code = ANY(%(codes)s::text[])"
LOSE = """
UPDATE rewards_reward r SET lost = r.lost + r.reversed, reversed = 0, lost_why = l.why
FROM unnest(%(ids)s::bigint[], %(whys)s::text[]) AS l (id, why) WHERE r.id = l.id
"""

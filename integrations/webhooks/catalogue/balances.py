"""What is told of balances, and of what is spent."""

from typing import Final

from core.errors import translated as _
from core.errors import type_of_text
from integrations.webhooks.catalogue.shapes import ACTOR, ASSET, GIFT, REASON, FactKind, maybe, number, record, words

AMOUNT: Final = number("In the asset's smallest units.")
REDEMPTION: Final = {
    "redemption_id": number("Of the redemption."),
    "asset": ASSET,
    "amount": AMOUNT,
    "order_id": maybe(words("Your order, if it was for one.")),
}
PURCHASE: Final = {
    "redemption_id": number("Of the purchase."),
    "gift": GIFT,
    "asset": ASSET,
    "amount": number("What it cost, in the asset's smallest units."),
}
PAYOUT: Final = {"payout_id": number("Of the payout."), "asset": ASSET, "amount": AMOUNT}

_REDEMPTION = {"redemption_id": 31, "asset": "points", "amount": 300, "order_id": "1002"}
_PURCHASE = {"redemption_id": 32, "gift": "mug", "asset": "points", "amount": 500}
_PAYOUT = {"payout_id": 33, "asset": "cash", "amount": 100_000}


def _of_redemption(what: str, label: type_of_text, *, is_confirmed: bool = True) -> FactKind:
    return FactKind(
        name=f"redemption.{what}",
        label=label,
        schema=record("redemption_id", "asset", "amount", **REDEMPTION),
        example=_REDEMPTION,
        object_type="redemption",
        object_key="redemption_id",
        is_confirmed=is_confirmed,
    )


def _of_payout(what: str, label: type_of_text, *, is_confirmed: bool = True) -> FactKind:
    return FactKind(
        name=f"payout.{what}",
        label=label,
        schema=record("payout_id", "asset", "amount", **PAYOUT),
        example=_PAYOUT,
        object_type="payout",
        object_key="payout_id",
        is_confirmed=is_confirmed,
    )


KINDS: Final = (
    FactKind(
        name="balance.adjusted",
        label=_("A balance was changed by hand"),
        schema=record(
            "adjustment_id",
            "asset",
            "amount",
            adjustment_id=number("Of the adjustment."),
            asset=ASSET,
            amount=number("In the asset's smallest units; below zero where something was taken."),
            reason=REASON,
        ),
        example={"adjustment_id": 21, "asset": "points", "amount": -50, "reason": "Counted twice"},
        object_type="adjustment",
        object_key="adjustment_id",
    ),
    FactKind(
        name="points.expired",
        label=_("Points expired"),
        schema=record("asset", "amount", asset=ASSET, amount=AMOUNT),
        example={"asset": "points", "amount": 40},
        object_type="member",
    ),
    FactKind(
        name="points.expiring",
        label=_("Points will expire soon"),
        schema=record(
            "asset",
            "amount",
            "expires_on",
            asset=ASSET,
            amount=AMOUNT,
            expires_on={"type": "string", "format": "date", "description": "Their last day is the one before."},
            days_left=number("Until then."),
        ),
        example={"asset": "points", "amount": 40, "expires_on": "2026-04-01", "days_left": 15},
        object_type="member",
        is_confirmed=False,
    ),
    _of_redemption("reserved", _("Points were set aside for an order"), is_confirmed=False),
    _of_redemption("captured", _("Points were spent")),
    _of_redemption("released", _("Points that were set aside are free again")),
    _of_redemption("returned", _("Points that were spent were given back")),
    FactKind(
        name="purchase.made",
        label=_("A gift was bought"),
        schema=record("redemption_id", "gift", "asset", "amount", **PURCHASE),
        example=_PURCHASE,
        object_type="redemption",
        object_key="redemption_id",
    ),
    FactKind(
        name="purchase.returned",
        label=_("A gift that was bought was given back"),
        schema=record("redemption_id", "gift", "asset", "amount", **PURCHASE, actor=ACTOR, reason=REASON),
        example={**_PURCHASE, "actor": "marta", "reason": "Broken"},
        object_type="redemption",
        object_key="redemption_id",
    ),
    _of_payout("prepared", _("A payout is to be paid"), is_confirmed=False),
    _of_payout("paid", _("A payout was paid")),
    _of_payout("failed", _("A payout could not be paid")),
)

"""
What members buy in the catalogue: price, stock and balance in one transaction, under the tenant's lock.

A purchase that is called off gives back the piece and the units, lot by lot, with the expiry that they had: what has
expired meanwhile comes back expired.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.db import current_schema, execute, in_transaction
from core.errors import Conflict
from events import facts
from events.facts import Fact
from members import people
from rewards import addresses, catalogue, entitlements, ledger, redemptions
from rewards.actors import Actor
from rewards.entitlements import NewEntitlement
from rewards.ledger import Move
from rewards.models import Asset, Entitlement, Gift, Redemption, Reward
from tenants import context

PURCHASE: Final = Redemption.Purpose.PURCHASE
Status = Redemption.Status


class PriceChanged(Conflict):
    """The member was shown another price."""

    message = _("The price of this gift has changed.")


class NotReturnable(Conflict):
    """What was bought cannot be taken back any more."""

    message = _("This purchase cannot be called off any more.")


class Wanted(NamedTuple):
    """
    A request to buy. `key` is the client's own name for it; `price` is what the member was shown, if it must hold.

    `address` is for what is sent by post: see `rewards.addresses`.
    """

    key: str
    member_id: int
    gift_code: str
    price: int | None = None
    address: Mapping[str, str] | None = None


@in_transaction
def buy(*, wanted: Wanted, actor: Actor, at: datetime) -> Redemption:
    """
    Sell one piece to a member, and give it. The same request again gives what the first one made.

    :raises redemptions.KeyReused: if the key was sent with another request.
    :raises catalogue.UnknownGift:
    :raises PriceChanged: with the price of now.
    :raises catalogue.NotForSale, catalogue.SoldOut, catalogue.NotForThisMember, catalogue.TooMany:
    :raises ledger.InsufficientBalance:
    :raises addresses.InvalidAddress: if it is sent by post, and nobody knows where to.
    """
    people.lock(current_schema())
    wanted = wanted._replace(member_id=people.present(wanted.member_id))
    if (repeat := redemptions.find_repeat(key=wanted.key, verb="buy", wanted=wanted)) is not None:
        return repeat
    gift = catalogue.get(catalogue.list_gifts(), code=wanted.gift_code)
    shopper = catalogue.shopper_of(member_id=wanted.member_id, gift_ids=[gift.pk], at=at)
    price = catalogue.price_for(gift, level=shopper.level)
    if (failure := catalogue.why_not(gift, shopper=shopper, at=at)) is not None:
        raise failure
    if wanted.price is not None and wanted.price != price:
        raise PriceChanged(pointer="/price", extra={"price": price})
    details, value_minor = _details(gift, wanted), _value_of(gift)
    made = Redemption.objects.create(
        key=wanted.key,
        fingerprint=redemptions.fingerprint_of(["buy", *wanted]),
        purpose=PURCHASE,
        member_id=wanted.member_id,
        asset=cast("Asset", gift.asset),  # A price has one.
        gift=gift,
        amount=price,
        captured=price,
        status=Status.CAPTURED,
        actor=actor.name,
        created_at=at,
        settled_at=at,
    )
    _take_piece(gift)
    _pay(made, at=at)
    entitlements.give(new=[_new(made, gift, value_minor, details)], at=at)
    _tell(made, "made", at=at)
    return made


@in_transaction
def cancel(*, redemption_id: int, reason: str, actor: Actor, at: datetime) -> Redemption:
    """
    Call a purchase off: what was bought ends, the units and the piece go back. Once more changes nothing.

    :raises redemptions.UnknownRedemption:
    :raises NotReturnable: if what was bought was seen, used, sent, or has expired.
    """
    people.lock(current_schema())
    found = redemptions.get(redemption_id=redemption_id, purpose=PURCHASE)
    if found.status == Status.RETURNED:
        return found
    _stop(found, reason=reason, actor=actor, at=at)
    if found.amount:
        redemptions.give_back(
            redemption=found, amount=found.amount, reason="return", key=f"redemption:{found.pk}:return", at=at
        )
    execute(PUT_BACK, {"id": found.gift_id})
    found.status, found.note = Status.RETURNED, reason[:300]
    found.save(update_fields=["status", "note"])
    _tell(found, "returned", actor=actor.name, reason=reason, at=at)
    target = f"redemption:{found.pk} {found.gift}"[:200]
    actor.note(action="purchase.cancelled", target=target, changes={"reason": reason, "amount": found.amount}, at=at)
    return found


def given_for(redemption_ids: list[int]) -> dict[int, list[Entitlement]]:
    """Return what was given for each purchase, by its id."""
    found: dict[int, list[Entitlement]] = {redemption_id: [] for redemption_id in redemption_ids}
    for row in Entitlement.objects.filter(redemption_id__in=redemption_ids).select_related("gift").order_by("pk"):
        found[row.redemption_id or 0].append(row)
    return found


def value_of(gift: Gift) -> int | None:
    """Return what a certificate of the catalogue is worth, in minor units: as its terms say, or its first value."""
    if gift.kind == Gift.Kind.CERTIFICATE:
        return gift.terms.get("sold_minor") or next(iter(gift.terms.get("denominations") or []), None)
    if gift.kind == Gift.Kind.POOL:
        return gift.terms.get("sold_minor") or _first_value_of_pool(gift)
    return None


def _first_value_of_pool(gift: Gift) -> int | None:
    brands = {each.code: each for each in Gift.objects.filter(code__in=gift.terms.get("brands") or [])}
    values = [set(each.terms.get("denominations") or []) for each in brands.values()]
    return min(set.intersection(*values), default=None) if values else None


def _details(gift: Gift, wanted: Wanted) -> dict[str, Any]:
    if gift.kind != Gift.Kind.PRODUCT or not gift.terms.get("needs_address"):
        return {}
    return {"address": addresses.seal(addresses.read(wanted.address))}


def _take_piece(gift: Gift) -> None:
    if gift.stock is not None and execute(TAKE_PIECE, {"id": gift.pk}) != 1:
        raise catalogue.SoldOut


def _pay(made: Redemption, *, at: datetime) -> None:
    if not made.amount:
        return
    move = Move(
        key=f"redemption:{made.pk}:spend",
        reason="spend",
        member_id=made.member_id,
        asset_id=made.asset_id,
        amount=-made.amount,
        other="spend",
        redemption_id=made.pk,
    )
    ledger.post(moves=[move], at=at)


def _value_of(gift: Gift) -> int | None:
    value_minor = value_of(gift)
    if value_minor is None and gift.kind in {Gift.Kind.CERTIFICATE, Gift.Kind.POOL}:
        raise catalogue.NotForSale  # Nobody has said what the price buys.
    return value_minor


def _new(made: Redemption, gift: Gift, value_minor: int | None, details: dict[str, Any]) -> NewEntitlement:
    return NewEntitlement(
        key=f"purchase:{made.pk}",
        kind=gift.kind,
        gift_id=gift.pk,
        member_id=made.member_id,
        redemption_id=made.pk,
        value_minor=value_minor,
        currency=context.current().currency if value_minor else "",
        actor=made.actor,
        details=details,
    )


def _stop(found: Redemption, *, reason: str, actor: Actor, at: datetime) -> None:
    given = given_for([found.pk])[found.pk]
    if any(each.status == Entitlement.Status.EXPIRED for each in given):
        raise NotReturnable(_("It has expired."), extra={"why": "expired"})
    lost = entitlements.stop(entitlements=given, why=reason, actor=actor.name, at=at)
    for why in lost.values():
        sentence = gettext("It cannot be taken back: %(why)s.") % {"why": Reward.LostWhy(why).label}
        raise NotReturnable(sentence, extra={"why": why})


def _tell(made: Redemption, what: str, *, at: datetime, **told: str) -> None:
    data = {
        "redemption_id": made.pk,
        "gift": made.gift.code if made.gift else "",
        "asset": made.asset.code,
        "amount": made.amount,
        **told,
    }
    fact = Fact(f"purchase.{what}", f"purchase:{made.pk}:{what}", data, member_id=made.member_id)
    facts.record(facts=[fact], at=at)


TAKE_PIECE = "UPDATE rewards_gift SET stock = stock - 1 WHERE id = %(id)s AND stock > 0"
PUT_BACK = "UPDATE rewards_gift SET stock = stock + 1 WHERE id = %(id)s AND stock IS NOT NULL"

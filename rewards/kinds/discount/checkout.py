"""
Discount codes at the checkout: is one good for an order, use it up, give it back when the order is called off.

A code is used once, for one order. The same order may ask again and gets the same answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.db import current_schema, in_transaction
from core.errors import Conflict, NotFound
from core.money import format_money
from events import facts
from events.models import Event
from members import people
from rewards import entitlements, redemptions
from rewards.actors import Actor
from rewards.kinds.discount.giving import terms_of
from rewards.models import Entitlement, Gift
from tenants import context

Status = Entitlement.Status

BPS: Final = 10_000


class CodeNotFound(NotFound):
    """Nobody has such a code."""

    message = _("There is no such code.")


class CodeUsed(Conflict):
    """It was good for one order, and that was another one."""

    message = _("This code has been used already.")


class CodeExpired(Conflict):
    """Its time is over."""

    message = _("This code is not valid any more.")


class CodeCancelled(Conflict):
    """It was taken back."""

    message = _("This code was cancelled.")


class CodeOfAnother(Conflict):
    """It was given to another member."""

    message = _("This code belongs to somebody else.")


class OrderTooSmall(Conflict):
    """The order is below what the code asks for."""


class WrongCurrency(Conflict):
    """The code counts in another currency than the order."""

    message = _("This code is for orders in another currency.")


class CodeNotUsed(Conflict):
    """There is nothing to give back."""

    message = _("This code has not been used for this order.")


class RedemptionReleased(Conflict):
    """The key is that of a redemption that has been given back since."""

    message = _("What this key redeemed has been released. Redeem again under a key of its own.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the code is asked for. `member_id` is None where the shop does not say whose order it is."""

    amount_minor: int
    currency: str
    number: str = ""
    member_id: int | None = None


@dataclass(frozen=True, slots=True)
class Worth:
    """A good code, and what it takes off an order: money, rounded down to whole minor units, or the delivery."""

    entitlement: Entitlement
    takes_off_minor: int
    is_free_delivery: bool


def check(*, code: str, order: Order, at: datetime) -> Worth:
    """
    Return what a code takes off an order. Nothing changes.

    :raises CodeNotFound: and each of the conflicts above, when it is not good for this order.
    """
    return _worth(_get(code), order, at=at)


@in_transaction
def redeem(*, code: str, order: Order, key: str, actor: Actor, at: datetime) -> Worth:
    """
    Use a code for an order. The same key, or the same order, gets the first answer again.

    :raises CodeUsed: for another order; and whatever `check` raises.
    :raises redemptions.KeyReused: when the key came with another code or order before.
    """
    people.lock(current_schema())
    found = _get(code)
    if (repeated := _repeated(found, order, key)) is not None:
        return repeated
    worth = _worth(found, order, at=at)
    redeemed = {"key": key, "order": order.number, "takes_off_minor": worth.takes_off_minor}
    details = found.details | {"redeemed": redeemed}
    _move(found, was=Status.ISSUED, status=Status.USED, used_at=at, used_for=order.number, details=details)
    more = redeemed | {"fingerprint": _fingerprint_of(found, order)}
    _tell(found, "used", key=_fact_key(key), actor=actor, more=more, at=at)
    return worth


@in_transaction
def release(*, code: str, order_number: str, actor: Actor, at: datetime) -> Entitlement:
    """
    Give a code back that was used for an order which has been called off. It is valid as long as it was before.

    :raises CodeNotUsed: when it was not used for this order; done twice, it is the same.
    """
    people.lock(current_schema())
    found = _get(code)
    was = found.details.get("redeemed", {})
    if found.status != Status.USED and found.details.get("released") == order_number:
        return found
    if found.status != Status.USED or found.used_for != order_number or not was:
        raise CodeNotUsed
    details = found.details | {"released": order_number}
    _move(found, was=Status.USED, status=Status.ISSUED, used_at=None, used_for="", details=details)
    more = {"order": order_number, "released": was["key"]}
    _tell(found, "released", key=f"{_fact_key(was['key'])}:released", actor=actor, more=more, at=at)
    return found


def worth_of(terms: Mapping[str, Any], *, amount_minor: int) -> tuple[int, bool]:
    """Return how much a discount takes off so much, never more than that, and whether the delivery is free."""
    match terms.get("type"):
        case "percent":
            return amount_minor * int(terms["rate_bps"]) // BPS, False
        case "sum":
            return min(int(terms["amount_minor"]), amount_minor), False
    return 0, True


def _get(code: str) -> Entitlement:
    index = entitlements.index_of(kind=Gift.Kind.DISCOUNT, gift_id=0, code=code)
    rows = Entitlement.objects.filter(kind=Gift.Kind.DISCOUNT, code_index=index).select_related("gift")
    found = rows.first()
    if found is None:
        raise CodeNotFound
    return found


def _worth(found: Entitlement, order: Order, *, at: datetime) -> Worth:
    if found.status == Status.USED:
        raise CodeUsed
    if found.status == Status.CANCELLED:
        raise CodeCancelled
    if found.status != Status.ISSUED or (found.valid_until is not None and at >= found.valid_until):
        raise CodeExpired
    if order.member_id not in {None, found.member_id}:
        raise CodeOfAnother
    terms = terms_of(found)
    _require_fit(terms, order)
    return Worth(found, *worth_of(terms, amount_minor=order.amount_minor))


def _require_fit(terms: Mapping[str, Any], order: Order) -> None:
    least = terms.get("order_min_minor") or 0
    currency = context.current().currency
    if (least or terms.get("type") == "sum") and order.currency != currency:
        raise WrongCurrency
    if order.amount_minor < least:
        raise OrderTooSmall(
            _("This code is for orders of %(amount)s or more.")
            % {"amount": format_money(least, currency, get_language() or "en")},
            extra={"order_min_minor": least, "currency": currency},
        )


def _repeated(found: Entitlement, order: Order, key: str) -> Worth | None:
    """Return the answer that this request had before, or None for a new one."""
    told = Event.objects.filter(source=Event.Source.SARAFAN, key=_fact_key(key)).first()
    if told is not None and told.data["fingerprint"] != _fingerprint_of(found, order):
        raise redemptions.KeyReused
    redeemed = found.details.get("redeemed")
    if redeemed and found.status == Status.USED and found.used_for == order.number:
        return Worth(found, redeemed["takes_off_minor"], terms_of(found).get("type") == "free_delivery")
    if told is not None:
        raise RedemptionReleased
    return None


def _fingerprint_of(found: Entitlement, order: Order) -> str:
    return redemptions.fingerprint_of(["code", found.pk, order.number, order.amount_minor, order.currency])


def _fact_key(key: str) -> str:
    return f"code:{redemptions.digest_of(key)}"


def _move(found: Entitlement, *, was: str, **columns: Any) -> None:
    """Change a code's row that is as it was read."""
    if not Entitlement.objects.filter(pk=found.pk, status=was).update(**columns):
        raise entitlements.EntitlementChanged
    for name, value in columns.items():
        setattr(found, name, value)


def _tell(found: Entitlement, what: str, *, key: str, actor: Actor, more: Mapping[str, Any], at: datetime) -> None:
    told = entitlements.facts_of(what=what, ids=[found.pk], actor=actor.name)
    facts.record(facts=[each._replace(key=key, data={**each.data, **more}) for each in told], at=at)

"""
Orders paid partly with points: quoted, set aside, then captured or released; given back when the order is.

What is set aside lies in escrow for as long as the reward policy says, and then goes back by itself. Of a capture that
takes less than was set aside the rest goes back at once. Points that an order earned are another matter, and another
operation: its refund takes those back, and says nothing of the points that it was paid with.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from core import money
from core.db import current_schema, execute, fetch, in_transaction
from core.errors import Conflict, Denied, Invalid, NotFound
from events import facts
from events.facts import Fact
from members import people
from members.models import Member
from rewards import catalogue, ledger, redemptions
from rewards.actors import Actor
from rewards.ledger import Move, Settlement
from rewards.models import Asset, Redemption, RewardPolicy
from tenants import context

ORDER: Final = Redemption.Purpose.ORDER
Status = Redemption.Status


class UnknownAsset(NotFound):
    """The tenant counts in nothing of this name."""

    message = _("There is no such asset.")


class OtherCurrency(Invalid):
    """Points are worth something in the tenant's own currency only."""

    message = _("The order is in another currency than points are counted in.")


class MemberBlocked(Denied):
    """Somebody blocked spends nothing, here as in the catalogue."""

    message = _("This member is blocked, and cannot spend anything.")


class Lapsed(Conflict):
    """The time for which it was set aside is over: it is the member's again."""

    message = _("It was set aside for a time, which is over.")


class NotSetAside(Conflict):
    """It was captured or released before."""

    message = _("It is no longer set aside.")


class MoreThanSetAside(Conflict):
    """A capture takes at most what was set aside."""

    message = _("This is more than was set aside.")


class MoreThanSpent(Conflict):
    """All that is given back of an order is at most what was spent on it."""

    message = _("This is more than is left of what was spent.")


class Order(NamedTuple):
    """An order that is not paid yet, and at most which share of it may be paid with an asset."""

    member_id: int
    amount_minor: int
    currency: str
    asset_code: str = "points"
    share_bps: int = money.BPS


class Quote(NamedTuple):
    """How many units may be used for an order, what they are worth, and what remains to be paid with money."""

    asset: Asset
    available: int
    units: int
    worth_minor: int
    to_pay_minor: int
    currency: str


class Wanted(NamedTuple):
    """A request to set units aside for an order. `key` is the client's own name for it."""

    key: str
    member_id: int
    amount: int
    order_number: str = ""
    asset_code: str = "points"


def quote(*, order: Order, at: datetime) -> Quote:
    """
    Return how much of an order the member may pay with what they have now: at most `share_bps` of it.

    Somebody blocked may pay nothing with it. Units are rounded down, and so is what they are worth: never more than
    the part of the order that they pay.

    :raises OtherCurrency: if the order is not in the tenant's currency.
    :raises UnknownAsset:
    """
    asset = _asset(order.asset_code)
    if order.currency != (asset.currency or context.current().currency):
        raise OtherCurrency(pointer="/currency")
    shopper = catalogue.shopper_of(member_id=order.member_id, gift_ids=(), at=at)
    available = 0 if shopper.is_blocked else shopper.spendable.get(asset.pk, 0)
    payable_minor = money.share_down(order.amount_minor, rate_bps=order.share_bps)
    whole, minor = _worth(asset)
    units = min(available, money.divide_down(payable_minor * whole, minor))
    worth_minor = money.divide_down(units * minor, whole)
    return Quote(asset, available, units, worth_minor, order.amount_minor - worth_minor, order.currency)


@in_transaction
def reserve(*, wanted: Wanted, actor: Actor, at: datetime) -> Redemption:
    """
    Set units of a member's aside for an order. The same request again gives what the first one made.

    :raises redemptions.KeyReused: if the key was sent with another request.
    :raises ledger.InsufficientBalance: if the member has less to spend.
    :raises UnknownAsset:
    :raises MemberBlocked:
    """
    people.lock(current_schema())
    wanted = wanted._replace(member_id=people.present(wanted.member_id))
    if (repeat := redemptions.find_repeat(key=wanted.key, verb="reserve", wanted=wanted)) is not None:
        return repeat
    if Member.objects.filter(pk=wanted.member_id, status=Member.Status.BLOCKED).exists():
        raise MemberBlocked(pointer="/member")
    made = Redemption.objects.create(
        key=wanted.key,
        fingerprint=redemptions.fingerprint_of(["reserve", *wanted]),
        purpose=ORDER,
        member_id=wanted.member_id,
        asset=_asset(wanted.asset_code),
        order_number=wanted.order_number,
        amount=wanted.amount,
        status=Status.RESERVED,
        actor=actor.name,
        created_at=at,
        expires_at=at + timedelta(minutes=RewardPolicy.objects.get().reserve_minutes),
    )
    move = Move(
        key=f"redemption:{made.pk}:reserve",
        reason="reserve",
        member_id=made.member_id,
        asset_id=made.asset_id,
        amount=-made.amount,
        other="escrow",
        redemption_id=made.pk,
    )
    ledger.post(moves=[move], at=at)
    _tell(made, "reserved", amount=made.amount, at=at)
    return made


@in_transaction
def capture(*, redemption_id: int, amount: int | None, at: datetime) -> Redemption:
    """
    Spend what was set aside, or `amount` of it: the rest goes back to the member. Once more changes nothing.

    :raises redemptions.UnknownRedemption:
    :raises Lapsed: if its time is over, whether it has been released yet or not.
    :raises NotSetAside: if it was released, or captured in another amount.
    :raises MoreThanSetAside:
    """
    people.lock(current_schema())
    found = redemptions.get(redemption_id=redemption_id, purpose=ORDER)
    wanted = found.amount if amount is None else amount
    if found.status in {Status.CAPTURED, Status.RETURNED} and found.captured == wanted:
        return found
    _require_set_aside(found, at)
    if wanted > found.amount:
        raise MoreThanSetAside(pointer="/amount", extra={"amount": found.amount})
    spent = Settlement(f"redemption:{found.pk}:spend", "spend", found.asset_id, wanted, found.pk)
    ledger.settle(settlements=[spent], at=at)
    _give_back_rest(found, found.amount - wanted, at)
    return _settled(found, Status.CAPTURED, wanted, at)


@in_transaction
def release(*, redemption_id: int, at: datetime) -> Redemption:
    """
    Give back what was set aside. Once more changes nothing.

    :raises redemptions.UnknownRedemption:
    :raises NotSetAside: if it was captured.
    """
    people.lock(current_schema())
    found = redemptions.get(redemption_id=redemption_id, purpose=ORDER)
    if found.status == Status.RELEASED:
        return found
    if found.status != Status.RESERVED:
        raise NotSetAside
    _give_back_rest(found, found.amount, at)
    return _settled(found, Status.RELEASED, 0, at)


@in_transaction
def release_due(*, schema: str, limit: int, at: datetime) -> int:
    """Release up to `limit` of those whose time is over, the oldest first; return how many there were."""
    people.lock(schema)
    lapsed = fetch(LAPSED, {"at": at, "limit": limit})
    for row in lapsed:
        release(redemption_id=row.id, at=at)
    return len(lapsed)


def is_any_due(*, at: datetime) -> bool:
    """Tell whether something that is set aside has lapsed."""
    return bool(fetch(LAPSED, {"at": at, "limit": 1}))


@in_transaction
def give_back(*, redemption_id: int, amount: int, key: str, at: datetime) -> Redemption:
    """
    Give back some of what was spent on an order that is returned, wholly or in part, with the old expiry.

    The same key again changes nothing. When all of it has come back, the redemption is returned.

    :raises redemptions.UnknownRedemption:
    :raises redemptions.KeyReused: if the key was sent with another amount.
    :raises MoreThanSpent: if less is left of it, or it was never captured.
    """
    people.lock(current_schema())
    found = redemptions.get(redemption_id=redemption_id, purpose=ORDER)
    posting_key = f"redemption:{found.pk}:return:{redemptions.digest_of(key)}"
    before = redemptions.given_back(redemption=found, reason="return", key=posting_key)
    if before:
        if before != amount:
            raise redemptions.KeyReused(pointer="/key")
        return found
    left = found.captured - redemptions.given_back(redemption=found, reason="return")
    if amount > left:
        raise MoreThanSpent(pointer="/amount", extra={"left": left})
    redemptions.give_back(redemption=found, amount=amount, reason="return", key=posting_key, at=at)
    if amount == left:
        found.status = Status.RETURNED
        found.save(update_fields=["status"])
    _tell(found, f"returned:{redemptions.digest_of(key)}", amount=amount, at=at)
    return found


def _asset(code: str) -> Asset:
    found = Asset.objects.filter(code=code, is_active=True).first()
    if found is None:
        raise UnknownAsset(pointer="/asset")
    return found


def _worth(asset: Asset) -> tuple[int, int]:
    """Return so many units, and what they are worth in minor units: one as people read it has `scale` digits more."""
    if asset.kind == Asset.Kind.MONEY:
        return 1, 1
    return 10**asset.scale, asset.minor_per_unit


def _require_set_aside(found: Redemption, at: datetime) -> None:
    ended_at = found.settled_at if found.status == Status.RELEASED else at
    is_open = found.status in {Status.RESERVED, Status.RELEASED}
    if is_open and ended_at and found.expires_at and ended_at >= found.expires_at:
        raise Lapsed(extra={"expires_at": found.expires_at.isoformat()})
    if found.status != Status.RESERVED:
        raise NotSetAside


def _give_back_rest(found: Redemption, rest: int, at: datetime) -> None:
    redemptions.give_back(redemption=found, amount=rest, reason="release", key=f"redemption:{found.pk}:release", at=at)


def _settled(found: Redemption, status: str, captured: int, at: datetime) -> Redemption:
    asked = {"id": found.pk, "status": status, "captured": captured, "at": at}
    if execute(SETTLE, asked) != 1:
        raise NotSetAside
    found.status, found.captured, found.settled_at = status, captured, at
    _tell(found, status, amount=captured or found.amount, at=at)
    return found


def _tell(found: Redemption, what: str, *, amount: int, at: datetime) -> None:
    data = {
        "redemption_id": found.pk,
        "asset": found.asset.code,
        "amount": amount,
        "order_id": found.order_number or None,
    }
    kind = f"redemption.{what.partition(':')[0]}"
    key = f"redemption:{found.pk}:{what}"
    facts.record(facts=[Fact(kind, key, data, member_id=found.member_id)], at=at)


SETTLE = """
UPDATE rewards_redemption SET status = %(status)s, captured = %(captured)s, settled_at = %(at)s
WHERE id = %(id)s AND status = 'reserved'
"""

LAPSED = """
SELECT id FROM rewards_redemption
WHERE status = 'reserved' AND expires_at <= %(at)s AND purpose = 'order'
ORDER BY expires_at, id LIMIT %(limit)s
"""

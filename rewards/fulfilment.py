"""
What has to be packed and sent: placed → sent → delivered, or called off.

Each move is a compare-and-set: two people at two desks do not send one parcel twice. What came from a purchase and is
called off gives the units back; of what came from a reward the reward is cancelled, with whatever came along.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.db import current_schema, fetch, in_transaction, json_text
from core.errors import Conflict, NotFound
from members import people
from members.names import names_of
from rewards import addresses, cancelling, entitlements, purchases
from rewards.actors import Actor
from rewards.kinds.product import giving as product
from rewards.models import Entitlement, Gift

Status = Entitlement.Status
OPEN: Final = (Status.PLACED, Status.SENT)
# From which states each move may be made.
BEFORE: Final[Mapping[str, tuple[str, ...]]] = {
    Status.SENT: (Status.PLACED,),
    Status.DELIVERED: (Status.PLACED, Status.SENT),
    Status.CANCELLED: (Status.SENT, Status.DELIVERED),
}
NOTE_LENGTH_MAX: Final = 100


class UnknownParcel(NotFound):
    """There is nothing to send under this number."""

    message = _("There is no such parcel.")


class ParcelMoved(Conflict):
    """Somebody else was quicker, or it has gone too far for this."""

    message = _("Somebody has dealt with this parcel meanwhile. Look at it again.")


class Shipment(NamedTuple):
    """How a parcel goes: who carries it, under which number, and what else there is to say."""

    partner: str = ""
    tracking: str = ""
    note: str = ""


def queue() -> QuerySet[Entitlement]:
    """Return whatever was to be sent, the oldest first."""
    parcels = Entitlement.objects.filter(kind=Gift.Kind.PRODUCT)
    return parcels.select_related("gift", "redemption__asset", "reward__campaign").order_by("created_at", "pk")


def count_waiting() -> int:
    """Return how many are to be packed."""
    return queue().filter(status=Status.PLACED).count()


@in_transaction
def mark_sent(*, ids: Iterable[int], shipment: Shipment, actor: Actor, at: datetime) -> list[int]:
    """
    Note that parcels are on their way, and return which: those that were to be packed.

    :raises ParcelMoved: if none was.
    """
    told = {name: value.strip()[:NOTE_LENGTH_MAX] for name, value in shipment._asdict().items() if value.strip()}
    return _move(ids, Status.SENT, told | {"sent_at": at.isoformat(), "sent_by": actor.name}, actor=actor, at=at)


@in_transaction
def mark_delivered(*, ids: Iterable[int], actor: Actor, at: datetime) -> list[int]:
    """
    Note that parcels have arrived, or were handed over, and return which.

    :raises ParcelMoved: if none was to be packed or on its way.
    """
    told = {"delivered_at": at.isoformat(), "delivered_by": actor.name}
    return _move(ids, Status.DELIVERED, told, actor=actor, at=at)


@in_transaction
def cancel(*, parcel_id: int, reason: str, actor: Actor, at: datetime) -> None:
    """
    Call off what has not been sent. The piece goes back, and the units that it cost or the reward that it came from.

    :raises UnknownParcel:
    :raises ParcelMoved: if it was sent meanwhile.
    """
    people.lock(current_schema())
    parcel = get(parcel_id=parcel_id)
    if parcel.status not in {Status.PLACED, Status.WAITING}:
        raise ParcelMoved
    if parcel.redemption_id is not None:
        purchases.cancel(redemption_id=parcel.redemption_id, reason=reason, actor=actor, at=at)
        return
    if entitlements.stop(entitlements=[parcel], why=reason, actor=actor.name, at=at):
        raise ParcelMoved
    _cancel_reward(parcel, reason, actor, at=at)
    actor.note(action="parcel.cancelled", target=f"entitlement:{parcel.pk}", changes={"reason": reason}, at=at)


@in_transaction
def take_back(*, parcel_id: int, reason: str, actor: Actor, at: datetime) -> None:
    """
    Note that a parcel came back. The piece goes back, and the units that it cost or the reward that it came from.

    :raises UnknownParcel:
    :raises ParcelMoved: if it was never sent.
    """
    people.lock(current_schema())
    parcel = get(parcel_id=parcel_id)
    _move([parcel.pk], Status.CANCELLED, {"returned_at": at.isoformat()}, actor=actor, reason=reason, at=at)
    if parcel.redemption_id is not None:
        purchases.cancel(redemption_id=parcel.redemption_id, reason=reason, actor=actor, at=at)
        return
    product.put_back(entitlements=[parcel])
    _cancel_reward(parcel, reason, actor, at=at)


def get(*, parcel_id: int) -> Entitlement:
    """
    Return a parcel.

    :raises UnknownParcel:
    """
    found = queue().filter(pk=parcel_id).first()
    if found is None:
        raise UnknownParcel
    return found


HEADINGS: Final = (
    "number",
    "gift",
    "member",
    "status",
    "ordered_at",
    *addresses.LENGTHS,
    "partner",
    "tracking",
    "note",
)


def rows_of(parcels: Iterable[Entitlement], *, with_addresses: bool) -> Iterator[list[str]]:
    """Yield the lines of an export of the queue, below HEADINGS."""
    listed = list(parcels)
    names = names_of(parcel.member_id for parcel in listed)
    for parcel in listed:
        address = addresses.unseal(parcel.details.get("address", "")) if with_addresses else {}
        yield [
            str(parcel.pk),
            parcel.gift.name,
            str(names[parcel.member_id]),
            parcel.status,
            parcel.created_at.isoformat(timespec="minutes"),
            *(address.get(name, "") for name in addresses.LENGTHS),
            *(str(parcel.details.get(name, "")) for name in Shipment._fields),
        ]


def _cancel_reward(parcel: Entitlement, reason: str, actor: Actor, *, at: datetime) -> None:
    # The parcel has ended: nothing of it is lost. Of an order that was refunded meanwhile it stays as it was.
    if parcel.reward is not None:
        cancelling.cancel(reward=parcel.reward, reason=reason, actor=actor, at=at)


def _move(
    ids: Iterable[int], status: str, told: Mapping[str, Any], *, actor: Actor, at: datetime, reason: str = ""
) -> list[int]:
    people.lock(current_schema())
    asked = {
        "ids": sorted(ids),
        "status": str(status),
        "was": [str(each) for each in BEFORE[status]],
        "told": json_text(dict(told)),
        "is_over": status == Status.CANCELLED,
        "why": reason[:300],
        "at": at,
    }
    moved = [row.id for row in fetch(MOVE, asked)]
    if not moved:
        raise ParcelMoved
    entitlements.tell(what=str(status), ids=moved, why=reason, actor=actor.name, at=at)
    target = f"entitlements:{','.join(map(str, moved))}"[:200]
    actor.note(action=f"parcel.{status}", target=target, changes={**told, "reason": reason}, at=at)
    return moved


MOVE = """
UPDATE rewards_entitlement
SET status = %(status)s, details = details || %(told)s::jsonb,
    ended_at = CASE WHEN %(is_over)s THEN %(at)s::timestamptz ELSE ended_at END,
    ended_why = CASE WHEN %(is_over)s THEN %(why)s ELSE ended_why END
WHERE id = ANY(%(ids)s::bigint[]) AND kind = 'product' AND status = ANY(%(was)s::text[])
RETURNING id
"""

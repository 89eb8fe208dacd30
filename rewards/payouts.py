"""
Money on its way out: payable, set aside for a payment, then paid with its reference, or given back.

Payable is what can be spent, from the asset's smallest payout on. Nobody is paid while blocked, or while a moderator
has still to look at something of theirs: a payment cannot be taken back.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.db import current_schema, execute, fetch, in_transaction
from core.errors import Conflict, Invalid
from events import facts
from events.facts import Fact
from members import people
from rewards import ledger, redemptions
from rewards.actors import Actor
from rewards.ledger import Move, Settlement
from rewards.models import Asset, Redemption

PAYOUT = Redemption.Purpose.PAYOUT
Status = Redemption.Status

KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
REFERENCE_LENGTH_MAX: Final = 200
REASON_LENGTH_MAX: Final = 300
ACTOR_LENGTH_MAX: Final = 150


class NotMoney(Invalid):
    """Only money is paid out."""

    message = _("Only money is paid out.")


class InvalidPayout(Invalid):
    """A payment has a reference, a failure has a reason, and a key is a short plain word."""

    message = _("Say which payment it was, or why it failed.")


class PayoutSettled(Conflict):
    """It was paid under another reference, or has failed."""

    message = _("This payout has been settled already.")


class Standing(NamedTuple):
    """How a member stands with an asset of money: `status` is payable, small, flagged or blocked."""

    member_id: int
    amount: int
    status: str


class Totals(NamedTuple):
    """Sums of an asset in its units: owed but not payable yet, payable, set aside, paid; and of how many members."""

    owed: int
    payable: int
    set_aside: int
    paid: int
    members_owed: int
    members_payable: int


def standings(*, asset: Asset, at: datetime, limit: int | None = None) -> list[Standing]:
    """Return how those stand who have something of the asset: who can be paid comes first, then by amount."""
    asked = {"asset_id": asset.pk, "at": at, "min": asset.payout_min or 1, "limit": limit}
    return [Standing(*row) for row in fetch(STANDINGS, asked)]


def payable(*, asset: Asset, at: datetime) -> list[Standing]:
    """Return who can be paid, and how much, in the order of their numbers."""
    _require_money(asset)
    can_be_paid = (each for each in standings(asset=asset, at=at) if each.status == "payable")
    return sorted(can_be_paid)


def totals(*, asset: Asset, at: datetime) -> Totals:
    """Return the sums of an asset of money."""
    held = standings(asset=asset, at=at)
    ready = [each for each in held if each.status == "payable"]
    done = fetch(DONE, {"asset_id": asset.pk})[0]
    ready_amount = sum(each.amount for each in ready)
    return Totals(
        owed=sum(each.amount for each in held) - ready_amount,
        payable=ready_amount,
        set_aside=int(done.set_aside),
        paid=int(done.paid),
        members_owed=len(held) - len(ready),
        members_payable=len(ready),
    )


def list_payouts(*, asset_id: int | None = None, status: str = "", key: str = "") -> QuerySet[Redemption]:
    """Return payouts: of an asset, of a status, of the run of that key, or all."""
    found = Redemption.objects.filter(purpose=PAYOUT).select_related("asset")
    if key:
        # A colon cannot stand in a key: no key begins with another.
        found = found.filter(key__startswith=f"{redemptions.PAYOUT_KEY}{key}:")
    if asset_id is not None:
        found = found.filter(asset_id=asset_id)
    return found.filter(status=status) if status else found


@in_transaction
def prepare(*, asset: Asset, key: str, by: Actor, at: datetime) -> list[Redemption]:
    """
    Set aside all that can be paid, one payout a member. `key` names the run: once more it gives what it made.

    :raises NotMoney:
    :raises InvalidPayout: if the key is not a short plain word.
    :raises redemptions.KeyReused: if the key was used for another asset.
    """
    people.lock(current_schema())
    if not KEY.fullmatch(key):
        raise InvalidPayout(_("A key has up to 100 letters, digits, dots, hyphens and underscores."), pointer="/key")
    ready = payable(asset=asset, at=at)
    made = _find_run(key, asset)
    if made or not ready:
        return made
    rows = [
        Redemption(
            key=f"{redemptions.PAYOUT_KEY}{key}:{each.member_id}",
            purpose=PAYOUT,
            member_id=each.member_id,
            asset=asset,
            amount=each.amount,
            status=Status.RESERVED,
            actor=by.name[:ACTOR_LENGTH_MAX],
            created_at=at,
        )
        for each in ready
    ]
    made = Redemption.objects.bulk_create(rows)
    ledger.post(moves=[_reserve_move(each) for each in made], at=at)
    _tell(made, "prepared", at=at)
    changes = {"payouts": len(made), "amount": sum(each.amount for each in made), "key": key}
    by.note(action="payout.prepared", target=f"asset:{asset.code}", changes=changes, at=at)
    return made


@in_transaction
def settle(*, redemption: Redemption, reference: str, by: Actor, at: datetime) -> Redemption:
    """
    Note that it was paid. With the same reference once more nothing changes.

    :raises InvalidPayout: without a reference.
    :raises PayoutSettled: if it was paid under another reference, or has failed.
    """
    reference = reference.strip()
    if not 0 < len(reference) <= REFERENCE_LENGTH_MAX:
        raise InvalidPayout(pointer="/reference")
    people.lock(current_schema())
    fresh = redemptions.get(redemption_id=redemption.pk, purpose=PAYOUT)
    if fresh.status == Status.CAPTURED and fresh.reference == reference:
        return fresh
    if fresh.status != Status.RESERVED:
        raise _settled(fresh)
    pay(payments=[(fresh, reference)], by=by, at=at)
    return redemptions.get(redemption_id=redemption.pk, purpose=PAYOUT)


@in_transaction
def pay(*, payments: Sequence[tuple[Redemption, str]], by: Actor, at: datetime) -> None:
    """
    Note many payments in a few statements. The caller holds the tenant's lock and has looked at each.

    :raises PayoutSettled: if one of them is not set aside any more.
    """
    if not payments:
        return
    asked = {"ids": [row.pk for row, _reference in payments], "references": [text for _row, text in payments]}
    if execute(PAY, asked | {"at": at}) != len(payments):
        raise PayoutSettled
    paid = [
        Settlement(f"redemption:{row.pk}:payout", "payout", row.asset_id, row.amount, row.pk)
        for row, _reference in payments
    ]
    ledger.settle(settlements=paid, at=at)
    _tell([row for row, _reference in payments], "paid", at=at)
    if len(payments) == 1:
        ((row, reference),) = payments
        _note(row, "paid", {"reference": reference}, by=by, at=at)
        return
    # One entry for a table of thousands: entries wait for each other.
    told = {
        "amount": sum(row.amount for row, _ in payments),
        "references": {str(row.pk): text for row, text in payments},
    }
    by.note(action="payout.paid", target="payouts", changes=told, at=at)


@in_transaction
def fail(*, redemption: Redemption, reason: str, by: Actor, at: datetime) -> Redemption:
    """
    Give back what could not be paid, lot by lot with the old expiry. Once more nothing changes.

    :raises InvalidPayout: without a reason.
    :raises PayoutSettled: if it was paid.
    """
    reason = reason.strip()[:REASON_LENGTH_MAX]
    if not reason:
        raise InvalidPayout(pointer="/reason")
    people.lock(current_schema())
    fresh = redemptions.get(redemption_id=redemption.pk, purpose=PAYOUT)
    if fresh.status == Status.RELEASED:
        return fresh
    if not execute(FAIL, {"id": fresh.pk, "reason": reason, "at": at}):
        raise _settled(fresh)
    key = f"redemption:{fresh.pk}:release"
    redemptions.give_back(redemption=fresh, amount=fresh.amount, reason="release", key=key, at=at)
    _tell([fresh], "failed", at=at)
    _note(fresh, "failed", {"reason": reason}, by=by, at=at)
    return redemptions.get(redemption_id=redemption.pk, purpose=PAYOUT)


def _require_money(asset: Asset) -> None:
    if asset.kind != Asset.Kind.MONEY:
        raise NotMoney(pointer="/asset")


def _find_run(key: str, asset: Asset) -> list[Redemption]:
    found = list(list_payouts(key=key).order_by("pk"))
    if any(each.asset_id != asset.pk for each in found):
        raise redemptions.KeyReused(pointer="/key")
    return found


def _reserve_move(row: Redemption) -> Move:
    return Move(
        key=f"redemption:{row.pk}:reserve",
        reason="reserve",
        member_id=row.member_id,
        asset_id=row.asset_id,
        amount=-row.amount,
        other="escrow",
        redemption_id=row.pk,
    )


def _settled(row: Redemption) -> PayoutSettled:
    if row.status == Status.CAPTURED:
        sentence = _("This was paid under the reference %(reference)s.") % {"reference": row.reference}
        return PayoutSettled(sentence, extra={"reference": row.reference})
    return PayoutSettled(_("This could not be paid, and was given back."))


def _tell(rows: Sequence[Redemption], what: str, *, at: datetime) -> None:
    facts.record(
        facts=[
            Fact(
                kind=f"payout.{what}",
                key=f"redemption:{row.pk}:{what}",
                data={"payout_id": row.pk, "asset": row.asset.code, "amount": row.amount},
                member_id=row.member_id,
            )
            for row in rows
        ],
        at=at,
    )


def _note(row: Redemption, what: str, changes: dict[str, object], *, by: Actor, at: datetime) -> None:
    told = {"amount": row.amount, "asset": row.asset.code, **changes}
    by.note(action=f"payout.{what}", target=f"redemption:{row.pk}", changes=told, at=at)


# Expired lots that the night has not taken yet cannot be paid.
STANDINGS = """
SELECT held.member_id, held.amount, CASE
    WHEN m.status <> 'active' THEN 'blocked'
    WHEN EXISTS (
        SELECT FROM rewards_reward r WHERE r.member_id = held.member_id AND r.status = 'flagged'
    ) THEN 'flagged'
    WHEN held.amount < %(min)s THEN 'small'
    ELSE 'payable'
END AS status
FROM (
    SELECT a.member_id, sum(l.remaining)::bigint AS amount
    FROM rewards_account a
    JOIN rewards_lot l ON l.account_id = a.id AND l.remaining > 0
    WHERE a.asset_id = %(asset_id)s AND a.kind = 'member' AND a.balance > 0
        AND (l.expires_at IS NULL OR l.expires_at > %(at)s)
    GROUP BY a.member_id
) held
JOIN members_member m ON m.id = held.member_id
ORDER BY status <> 'payable', held.amount DESC, held.member_id
LIMIT %(limit)s
"""

DONE = """
SELECT coalesce(sum(amount) FILTER (WHERE status = 'reserved'), 0) AS set_aside, coalesce(sum(captured), 0) AS paid
FROM rewards_redemption WHERE purpose = 'payout' AND asset_id = %(asset_id)s
"""

PAY = """
UPDATE rewards_redemption r SET status = 'captured', captured = r.amount, reference = p.reference, settled_at = %(at)s
FROM unnest(%(ids)s::bigint[], %(references)s::text[]) AS p (id, reference)
WHERE r.id = p.id AND r.status = 'reserved' AND r.purpose = 'payout'
"""

FAIL = """
UPDATE rewards_redemption SET status = 'released', note = %(reason)s, settled_at = %(at)s
WHERE id = %(id)s AND status = 'reserved' AND purpose = 'payout'
"""

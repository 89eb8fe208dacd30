"""
What staff or a program gives and takes by hand: with a reason, and above the tenant's threshold with a second person.

Nobody gets below the threshold by cutting a large change into small ones: what the same one asked for the same member
in the last day counts along, and so do the rewards that one of the staff has issued to them.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.db import current_schema, execute, fetch, in_transaction
from core.errors import Conflict, Denied, Invalid, NotFound
from events import facts
from events.facts import Fact
from members import people
from rewards import assets, ledger, redemptions
from rewards.actors import Actor
from rewards.assets import AssetLine
from rewards.ledger import Move
from rewards.models import Adjustment, RewardPolicy
from tenants import context

Status = Adjustment.Status

AMOUNT_MAX: Final = 10**12
COUNTED_TOGETHER: Final = timedelta(hours=24)
REASON_LENGTH_MAX: Final = 300
ACTOR_LENGTH_MAX: Final = 150


class InvalidAdjustment(Invalid):
    """A change by hand changes something, and says why."""

    message = _("A change by hand needs an amount other than 0, and a reason.")


class UnknownAdjustment(NotFound):
    """There is no such change by hand."""

    message = _("There is no such change by hand.")


class NeedsAnother(Denied):
    """Whoever asked for a change cannot confirm it too."""

    message = _("Somebody else has to confirm this: you asked for it yourself.")


class AdjustmentDecided(Conflict):
    """Somebody has confirmed or refused it already."""

    message = _("This change has been decided already.")


class BalanceTooLarge(Conflict):
    """The member would have more than the asset allows, with what is on hold."""

    message = _("The member would have more than the largest balance, with what is on hold.")


class Wish(NamedTuple):
    """What should change: `amount` is below zero where something is taken. `key` is the asker's own name for it."""

    key: str
    member_id: int
    asset_id: int
    amount: int
    reason: str


@in_transaction
def ask(*, wish: Wish, by: Actor, at: datetime) -> Adjustment:
    """
    Post a change at once, or leave it waiting for a second person. The same request again gives what the first made.

    :raises InvalidAdjustment:
    :raises redemptions.KeyReused: if the key was used for another change.
    :raises BalanceTooLarge: if the member would have too much, and it is posted at once.
    :raises ledger.InsufficientBalance: if the member has less than is taken, and it is posted at once.
    """
    people.lock(current_schema())
    wish = wish._replace(member_id=people.present(wish.member_id), reason=wish.reason.strip()[:REASON_LENGTH_MAX])
    if not 0 < abs(wish.amount) <= AMOUNT_MAX or not wish.reason:
        raise InvalidAdjustment(pointer="/reason" if wish.amount else "/amount")
    if (repeat := _find_repeat(wish)) is not None:
        return repeat
    waits = _needs_second(wish, by, at)
    made = Adjustment.objects.create(
        **wish._asdict(),
        fingerprint=redemptions.fingerprint_of(["adjustment", *wish]),
        status=Status.WAITING if waits else Status.POSTED,
        asked_by=by.name[:ACTOR_LENGTH_MAX],
        asked_at=at,
        decided_at=None if waits else at,
    )
    if waits:
        _note(made, "asked", by=by, at=at)
    else:
        _post(made, by=by, at=at)
    return made


@in_transaction
def confirm(*, adjustment: Adjustment, by: Actor, at: datetime) -> Adjustment:
    """
    Post what waited, as a second person.

    :raises NeedsAnother: for whoever asked for it.
    :raises AdjustmentDecided: names who was quicker.
    :raises BalanceTooLarge: if the member would have too much by now: it goes on waiting.
    :raises ledger.InsufficientBalance: if the member has less by now: it goes on waiting.
    """
    if by.name[:ACTOR_LENGTH_MAX] == adjustment.asked_by:
        raise NeedsAnother
    decided = _decide(adjustment, Status.POSTED, by=by, at=at)
    _post(decided, by=by, at=at)
    return decided


@in_transaction
def refuse(*, adjustment: Adjustment, by: Actor, at: datetime) -> Adjustment:
    """
    Let what waited come to nothing. Whoever asked does not decide: a second person does.

    :raises NeedsAnother: for whoever asked for it.
    :raises AdjustmentDecided: names who was quicker.
    """
    if by.name[:ACTOR_LENGTH_MAX] == adjustment.asked_by:
        raise NeedsAnother
    decided = _decide(adjustment, Status.REFUSED, by=by, at=at)
    _note(decided, "refused", by=by, at=at)
    return decided


def list_adjustments(*, status: str = "", member_id: int | None = None) -> QuerySet[Adjustment]:
    """Return changes by hand: of a status, of a member, or all."""
    found = Adjustment.objects.select_related("asset")
    if status:
        found = found.filter(status=status)
    return found if member_id is None else found.filter(member_id=member_id)


def get(*, adjustment_id: int) -> Adjustment:
    """
    Return one.

    :raises UnknownAdjustment:
    """
    found = list_adjustments().filter(pk=adjustment_id).first()
    if found is None:
        raise UnknownAdjustment
    return found


def asked_lately(*, member_id: int, asset_id: int, by: Actor, since: datetime) -> int:
    """Return how much somebody has asked to change for a member, up and down together, and was not refused."""
    asked_by = by.name[:ACTOR_LENGTH_MAX]
    asked = {"member_id": member_id, "asset_id": asset_id, "asked_by": asked_by, "since": since}
    return int(fetch(ASKED_LATELY, asked)[0].units)


def threshold_of(*, scale: int) -> int | None:
    """
    Return from how many units on a second person is needed, or None for never.

    The policy counts what people call one: of an asset with two digits after the point 1,000 are 100,000 units.
    """
    whole = RewardPolicy.objects.get().four_eyes_from
    return None if whole is None else whole * 10**scale


def require_room(*, member_id: int, asset: AssetLine, amount: int) -> None:
    """
    Let an amount pass that the asset allows on top of what the member has and may get.

    :raises BalanceTooLarge:
    """
    if asset.balance_max is None:
        return
    held = int(fetch(HELD, {"member_id": member_id, "asset_id": asset.id})[0].units)
    if held + amount > asset.balance_max:
        raise BalanceTooLarge(extra={"balance_max": asset.balance_max, "held": held})


def count_waiting() -> int:
    """Return how many wait for a second person."""
    return Adjustment.objects.filter(status=Status.WAITING).count()


def _find_repeat(wish: Wish) -> Adjustment | None:
    found = list_adjustments().filter(key=wish.key).first()
    if found is not None and not redemptions.is_same(fingerprint=found.fingerprint, verb="adjustment", wanted=wish):
        raise redemptions.KeyReused(pointer="/key", extra={"adjustment_id": found.pk})
    return found


def _needs_second(wish: Wish, by: Actor, at: datetime) -> bool:
    threshold = threshold_of(scale=assets.lines()[wish.asset_id].scale)
    if threshold is None:
        return False
    since = at - COUNTED_TOGETHER
    asked = asked_lately(member_id=wish.member_id, asset_id=wish.asset_id, by=by, since=since)
    issued = _issued_lately(wish, by, since) if by.kind == "staff" else 0
    return abs(wish.amount) + asked + issued >= threshold


def _issued_lately(wish: Wish, by: Actor, since: datetime) -> int:
    asked = {"member_id": wish.member_id, "asset_id": wish.asset_id, "since": since, "actor": by.name}
    return int(fetch(ISSUED_LATELY, asked)[0].units)


def _decide(adjustment: Adjustment, status: Status, *, by: Actor, at: datetime) -> Adjustment:
    people.lock(current_schema())
    # The database holds it too: adjustment_needs_two_people.
    values = {"id": adjustment.pk, "status": status.value, "by": by.name[:ACTOR_LENGTH_MAX], "at": at}
    won = execute(DECIDE, values)
    fresh = get(adjustment_id=adjustment.pk)
    if not won:
        raise _decided(fresh)
    return fresh


def _decided(found: Adjustment) -> AdjustmentDecided:
    if not found.decided_by:
        return AdjustmentDecided()
    sentence = (
        _("%(who)s has already confirmed this change.")
        if found.status == Status.POSTED
        else _("%(who)s has already refused this change.")
    )
    return AdjustmentDecided(sentence % {"who": found.decided_by})


def _post(adjustment: Adjustment, *, by: Actor, at: datetime) -> None:
    asset = assets.lines()[adjustment.asset_id]
    if adjustment.amount > 0:
        require_room(member_id=adjustment.member_id, asset=asset, amount=adjustment.amount)
    move = Move(
        key=f"adjustment:{adjustment.pk}",
        reason="adjust",
        member_id=adjustment.member_id,
        asset_id=adjustment.asset_id,
        amount=adjustment.amount,
        other="issue" if adjustment.amount > 0 else "writeoff",
        expires_at=asset.expires_at(zone=context.zone(), at=at) if adjustment.amount > 0 else None,
        note=adjustment.reason,
    )
    ledger.post(moves=[move], at=at)
    data = {
        "adjustment_id": adjustment.pk,
        "asset": asset.code,
        "amount": adjustment.amount,
        "reason": adjustment.reason,
    }
    told = Fact("balance.adjusted", f"adjustment:{adjustment.pk}", data, member_id=adjustment.member_id)
    facts.record(facts=[told], at=at)
    _note(adjustment, "posted", by=by, at=at)


def _note(adjustment: Adjustment, what: str, *, by: Actor, at: datetime) -> None:
    changes = {
        "member": adjustment.member_id,
        "asset": adjustment.asset.code,
        "amount": adjustment.amount,
        "reason": adjustment.reason,
        "asked_by": adjustment.asked_by,
    }
    by.note(action=f"adjustment.{what}", target=f"adjustment:{adjustment.pk}", changes=changes, at=at)


ASKED_LATELY = """
SELECT coalesce(sum(abs(amount)), 0)::bigint AS units FROM rewards_adjustment
WHERE member_id = %(member_id)s AND asset_id = %(asset_id)s AND asked_by = %(asked_by)s AND asked_at > %(since)s
    AND status <> 'refused'
"""

# What the same one of the staff has issued as rewards (`rewards.issuing`).
ISSUED_LATELY = """
SELECT coalesce(sum(r.given - r.reversed), 0)::bigint AS units
FROM rewards_reward r
JOIN campaigns_campaign campaign ON campaign.id = r.campaign_id AND campaign.is_builtin
JOIN events_event event ON event.id = r.event_id AND event.data ->> 'actor' = %(actor)s
WHERE r.member_id = %(member_id)s AND r.asset_id = %(asset_id)s AND r.created_at > %(since)s
"""

DECIDE = """
UPDATE rewards_adjustment SET status = %(status)s, decided_by = %(by)s, decided_at = %(at)s
WHERE id = %(id)s AND status = 'waiting'
"""

# What is on hold or before a moderator counts, and so does what is set aside: all of it may come onto the account.
HELD = """
SELECT
    coalesce((
        SELECT balance FROM rewards_account WHERE member_id = %(member_id)s AND asset_id = %(asset_id)s
    ), 0) + coalesce((
        SELECT sum(given - reversed - lost) FROM rewards_reward
        WHERE member_id = %(member_id)s AND asset_id = %(asset_id)s AND status IN ('pending', 'flagged')
    ), 0) + coalesce((
        SELECT sum(amount) FROM rewards_redemption
        WHERE member_id = %(member_id)s AND asset_id = %(asset_id)s AND status = 'reserved'
    ), 0) AS units
"""

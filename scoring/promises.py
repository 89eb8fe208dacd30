"""Promises: rewards that wait for something that their member has yet to do. Pure."""

from datetime import datetime, timedelta

from antifraud.limits.guard import Proposal
from rewards.refunds import GRANTED
from scoring.batch import Batch
from scoring.plan import Kept, Proposed
from scoring.situation import Incoming, Promise

WAITING = frozenset({"pending", "flagged"})


def until(proposal: Proposal) -> datetime | None:
    """Return the last instant at which what a reward of this rule waits for will do; None for ever."""
    days = proposal.rule.awaits_days
    return proposal.occurred_at + timedelta(days=days) if proposal.rule.awaits and days is not None else None


def make(batch: Batch, proposed: Proposed) -> None:
    """Remember the promise that has just been proposed: a later event of this batch may keep it."""
    batch.promises.setdefault(proposed.member_id, []).append(
        Promise(
            member_id=proposed.member_id,
            rule_id=proposed.rule_id,
            version_id=proposed.version_id,
            side=proposed.side,
            kind=proposed.kind,
            what=proposed.what,
            is_points=proposed.points > 0,
            status=proposed.status,
            left=proposed.given,
            awaits=proposed.awaits,
            awaits_until=proposed.awaits_until,
            occurred_at=proposed.occurred_at,
            matures_at=proposed.matures_at,
            asset_id=proposed.asset_id,
            place=len(batch.plan.proposed) - 1,
        )
    )


def keep(batch: Batch, incoming: Incoming) -> None:
    """
    Keep what was promised for this event. Ask before its own rules: it keeps no promise that it makes itself.

    What somebody does who is blocked keeps none: it goes on waiting for what they do once they are not.
    """
    waiting = batch.promises.get(incoming.member_id)
    if not waiting or batch.person(incoming.member_id).is_blocked:
        return
    kept = [each for each in waiting if each.is_kept_by(incoming.kind, incoming.occurred_at)]
    batch.promises[incoming.member_id] = [each for each in waiting if each not in kept]
    for each in kept:
        promise = _as_it_is(batch, each)
        if promise.status in WAITING and promise.left:
            _note(batch, incoming, promise)


def is_kept(batch: Batch, reward_id: int) -> bool:
    """Tell whether an event of this batch has kept a promise: what becomes of it has to be written first."""
    return any(each.reward_id == reward_id for each in batch.plan.kept)


def _as_it_is(batch: Batch, promise: Promise) -> Promise:
    # A refund earlier in this batch may have cancelled it.
    held = batch.held.get(promise.reward_id) if promise.reward_id else None
    return promise._replace(status=held.status, left=held.remaining) if held else promise


def _note(batch: Batch, incoming: Incoming, promise: Promise) -> None:
    is_mature = promise.matures_at <= batch.situation.at
    status = GRANTED if promise.status == "pending" and is_mature else promise.status
    entry = {
        "outcome": "flagged" if status == "flagged" else "rewarded",
        "code": "promise_kept",
        "version_id": promise.version_id,
        "rule_id": promise.rule_id,
        "side": promise.side,
        "member_id": promise.member_id,
        "reward_id": promise.reward_id,
        "status": status,
        "kind": promise.kind,
        "what": promise.what,
        "given": promise.left,
        "params": {"matures_at": promise.matures_at.isoformat()} if status == "pending" else {},
    }
    if promise.is_points:
        entry["points"] = promise.left
    if status == GRANTED:
        batch.earning.add((promise.member_id, promise.asset_id))
    batch.plan.kept.append(
        Kept(
            reward_id=promise.reward_id,
            place=promise.place,
            member_id=promise.member_id,
            event_id=incoming.id,
            depth=incoming.depth,
            entry=entry,
            order_number=str(incoming.data["order_id"]) if incoming.kind == "order.paid" else None,
        )
    )
    batch.trace(incoming, entry)

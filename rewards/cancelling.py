"""
Rewards that staff or a program cancels, whatever gave them.

What is not granted yet is called off. What is granted is taken back as a refund of the whole order would: down to
nothing, and what is spent, shown, used or sent is lost, with its reason. What a rule gave at once goes at once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from core.db import current_schema, execute, fetch, in_transaction
from core.errors import Conflict, Invalid
from events import facts
from events.facts import Fact
from members import people
from rewards import giving, issuing, ledger
from rewards.actors import Actor
from rewards.ledger import Move
from rewards.models import Reward
from tenants import context

Status = Reward.Status

OPEN: Final = (Status.FLAGGED, Status.PENDING)
CANCELLABLE: Final = (*OPEN, Status.GRANTED)
# The end of the key of the posting that takes one back: the statement tells it from a refund.
REFUND: Final = ":refund:cancelled"
CANCELLED: Final = (Status.CANCELLED, Status.REVERSED)


class NotCancellable(Conflict):
    """A moderator has refused it: there is nothing to take back."""

    message = _("This reward was rejected: there is nothing to cancel.")


class NoReason(Invalid):
    """Nobody says why."""

    message = _("Say why: it stands in the log.")


@in_transaction
def cancel(*, reward: Reward, reason: str, actor: Actor, at: datetime) -> Reward:
    """
    Cancel a reward with its other parts, and return it as it is then. One that is cancelled already stays as it is.

    :raises NoReason: without one.
    :raises NotCancellable: when it was rejected.
    """
    people.lock(current_schema())
    reason = reason.strip()[: issuing.REASON_LENGTH_MAX]
    if not reason:
        raise NoReason(pointer="/reason")
    fresh = issuing.get(reward_id=reward.pk)
    if fresh.status in CANCELLED:
        return fresh
    if fresh.status == Status.REJECTED:
        raise NotCancellable
    going = [fresh, *(each for each in other_parts(fresh) if each.status in CANCELLABLE)]
    # What they use of limits is read from the rows as they are now.
    free = import_string(settings.LIMITS_FREED)
    free(reward_ids=[each.pk for each in going], zone=context.current().time_zone)
    for each in going:
        _end(each, reason, actor, at=at)
    _count_what_stays(going)
    return issuing.get(reward_id=reward.pk)


@in_transaction
def call_off(*, member_id: int, reason: str, actor: Actor, at: datetime) -> list[int]:
    """
    Cancel all that a member is owed and has not been granted, and return the ids: one statement for all of it.

    It is for whoever tells the audit log of more than this. The caller holds the tenant's lock.
    """
    waiting = Reward.objects.filter(member_id=member_id, status__in=OPEN).order_by("pk")
    ids = list(waiting.values_list("pk", flat=True))
    if not ids:
        return []
    import_string(settings.LIMITS_FREED)(reward_ids=ids, zone=context.current().time_zone)
    execute(CALL_OFF, {"ids": ids})
    rows = Reward.objects.filter(pk__in=ids).select_related("event").order_by("pk")
    facts.record(facts=[_fact(row, reason, actor) for row in rows.defer("event__data", "event__trace")], at=at)
    return ids


def other_parts(reward: Reward) -> list[Reward]:
    """Return what the same rule gave to the same member at once with this."""
    same = Reward.objects.filter(event_id=reward.event_id, rule_id=reward.rule_id, member_id=reward.member_id)
    found = same.exclude(pk=reward.pk).select_related("campaign", "asset", "order", "event").order_by("pk")
    return [each for each in found if _occurrence_of(each) == _occurrence_of(reward)]


def _occurrence_of(reward: Reward) -> str:
    # The number of a further part stands in front of what the whole is for.
    return reward.occurrence.removeprefix(f"{reward.part}#") if reward.part else reward.occurrence


def _end(reward: Reward, reason: str, actor: Actor, *, at: datetime) -> None:
    if reward.status in OPEN:
        _call_off(reward)
    else:
        _take_back(reward, reason, at=at)
    _tell(issuing.get(reward_id=reward.pk), reason, actor, at=at)


def _count_what_stays(rewards: Sequence[Reward]) -> None:
    """Let limits go on counting what its member has kept, as after a refund: else spending first would free them."""
    ended = list(Reward.objects.filter(pk__in=[each.pk for each in rewards], status=Status.REVERSED))
    if any(each.lost for each in ended):
        keep = import_string(settings.LIMITS_KEPT)
        keep(reward_ids=[each.pk for each in ended], zone=context.current().time_zone)


def _call_off(reward: Reward) -> None:
    left = reward.given - reward.reversed - reward.lost
    _write(reward, status=Status.CANCELLED, reversed_=reward.reversed + left, lost=reward.lost, lost_why="")


def _take_back(reward: Reward, reason: str, *, at: datetime) -> None:
    left = reward.given - reward.reversed - reward.lost
    if reward.asset_id is None:
        lost_why = giving.stop(reward_ids=[reward.pk], why=reason, at=at).get(reward.pk, "")
        taken = 0 if lost_why else left
    else:
        taken = min(left, max(0, _balance(reward)))
        lost_why = Reward.LostWhy.SPENT.value if taken < left else ""
        _post_back(reward, taken, at=at)
    lost = reward.lost + left - taken
    _write(reward, status=Status.REVERSED, reversed_=reward.reversed + taken, lost=lost, lost_why=lost_why)


def _post_back(reward: Reward, amount: int, *, at: datetime) -> None:
    if not amount or reward.asset_id is None:
        return
    granted = fetch(GRANTED, {"id": reward.pk})[0].id
    key = f"reward:{reward.pk}{REFUND}"
    move = Move(key, "refund", reward.member_id, reward.asset_id, -amount, reward.pk, granted)
    ledger.post(moves=[move], at=at)


def _balance(reward: Reward) -> int:
    rows = fetch(BALANCE, {"member_id": reward.member_id, "asset_id": reward.asset_id})
    return rows[0].balance if rows else 0


def _write(reward: Reward, *, status: str, reversed_: int, lost: int, lost_why: str) -> None:
    values = {"id": reward.pk, "was": reward.status, "status": status, "reversed": reversed_, "lost": lost}
    if not execute(CANCEL, values | {"lost_why": lost_why or reward.lost_why}):
        raise AssertionError("Whoever holds the tenant's lock changes rewards alone.")


def _tell(reward: Reward, reason: str, actor: Actor, *, at: datetime) -> None:
    told = _fact(reward, reason, actor)
    facts.record(facts=[told], at=at)
    changes = {name: value for name, value in told.data.items() if name not in {"reward_id", "actor"}}
    actor.note(action="reward.cancelled", target=f"reward:{reward.pk}", changes=changes, at=at)


def _fact(reward: Reward, reason: str, actor: Actor) -> Fact:
    data = {
        "reward_id": reward.pk,
        "status": reward.status,
        "taken_back": reward.reversed,
        "lost": reward.lost,
        "lost_why": reward.lost_why,
        "reason": reason,
        "actor": actor.name,
    }
    depth = min(reward.event.depth + 1, facts.DEPTH_MAX)
    return Fact("reward.cancelled", f"reward:{reward.pk}:cancelled", data, reward.member_id, reward.event_id, depth)


GRANTED = "SELECT max(id) AS id FROM rewards_posting WHERE reward_id = %(id)s AND reason = 'grant'"
BALANCE = "SELECT balance FROM rewards_account WHERE member_id = %(member_id)s AND asset_id = %(asset_id)s"
CANCEL = """
UPDATE rewards_reward
SET status = %(status)s, reversed = %(reversed)s, lost = %(lost)s, lost_why = %(lost_why)s
WHERE id = %(id)s AND status = %(was)s
"""
CALL_OFF = """
WITH locked AS MATERIALIZED (
    SELECT id FROM rewards_reward WHERE id = ANY(%(ids)s::bigint[]) AND status IN ('flagged', 'pending')
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE rewards_reward r SET status = 'cancelled', reversed = r.given - r.lost FROM locked WHERE r.id = locked.id
"""

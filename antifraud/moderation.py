"""
What a moderator decides about a case: approve, reject, and for some minutes take it back.

Every verb holds the tenant's lock, so that nothing that scoring has read of limits and rewards changes under it, and
so that of two moderators at once one decides and the other is told.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from antifraud import counters
from antifraud.models import Case, CaseReward, Decision, FraudPolicy
from core.db import in_transaction, savepoint, transaction
from core.errors import Conflict, conflict_of
from events import facts
from events.facts import Fact
from members import people
from rewards import releases
from rewards.assets import POINTS
from rewards.levels import review
from rewards.models import Reward
from rewards.releases import Moved
from tenants import audit, context
from tenants.staff.models import Staff

NOTE_LENGTH_MAX = 500


class AlreadyDecided(Conflict):
    """Another moderator was quicker."""


class CaseHasGrown(Conflict):
    """More is at stake than whoever decides has seen."""

    message = _("More rewards have joined this case in the meantime. Look at it again.")


class NotUndoable(Conflict):
    """There is no decision to undo, or its time is over."""


@transaction
def approve(*, case: Case, by: Staff, note: str = "", seen: int | None = None, at: datetime) -> Decision:
    """
    Let the case's rewards go: granted, or pending until they are mature. `seen` is how many whoever decides has seen.

    :raises AlreadyDecided: names who was quicker.
    :raises CaseHasGrown: when more rewards than that have joined the case.
    """
    _lock()
    _require_seen(case, seen)
    decision = _decide(case, Decision.Action.APPROVE, by=by, note=note, at=at)
    moved = releases.release(reward_ids=_reward_ids(case), at=at)
    _tell("approved", moved, decision=decision, at=at)
    return decision


@transaction
def reject(*, case: Case, by: Staff, note: str = "", seen: int | None = None, at: datetime) -> Decision:
    """
    Refuse the case's rewards: nothing is paid, and what they used of limits and budgets is free again.

    :raises AlreadyDecided: names who was quicker.
    :raises CaseHasGrown: as for `approve`.
    """
    _lock()
    _require_seen(case, seen)
    decision = _decide(case, Decision.Action.REJECT, by=by, note=note, at=at)
    counters.give_back(reward_ids=_reward_ids(case, Reward.Status.FLAGGED), zone=context.current().time_zone)
    moved = releases.reject(reward_ids=_reward_ids(case))
    _tell("rejected", moved, decision=decision, at=at)
    return decision


@transaction
def undo(*, case: Case, by: Staff, at: datetime) -> Decision:
    """
    Take the last decision back: the rewards wait again, and what was paid is posted back.

    :raises NotUndoable: when the policy's minutes are over, or nothing is decided.
    :raises antifraud.counters.LimitReached: when others have used what a rejection had freed.
    :raises core.errors.Conflict: when what was paid has been spent.
    """
    _lock()
    last = _get_undoable(case, at=at)
    decision = Decision.objects.create(case=case, action=Decision.Action.UNDO, by=by, at=at)
    moved = releases.reopen(reward_ids=_reward_ids(case), decision=decision.pk, at=at)
    if last.action == Decision.Action.REJECT:
        # Only of those that wait again: what a refund has used up meanwhile stays rejected.
        counters.take_again(reward_ids=[each.id for each in moved], zone=context.current().time_zone)
    _reopen(case)
    _tell("reopened", moved, decision=decision, at=at)
    return decision


def undoable_until(*, decided_at: datetime, policy: FraudPolicy) -> datetime:
    """Return the last instant at which a decision of that time may be taken back."""
    return decided_at + timedelta(minutes=policy.undo_minutes)


@in_transaction
def _lock() -> None:
    people.lock(context.current().schema_name)


def _require_seen(case: Case, seen: int | None) -> None:
    if seen is not None and CaseReward.objects.filter(case=case).count() > seen:
        raise CaseHasGrown


STATUS = {Decision.Action.APPROVE: Case.Status.APPROVED, Decision.Action.REJECT: Case.Status.REJECTED}


def _decide(case: Case, action: Decision.Action, *, by: Staff, note: str, at: datetime) -> Decision:
    open_case = Case.objects.filter(pk=case.pk, status=Case.Status.OPEN)
    if not open_case.update(status=STATUS[action], decided_at=at, decided_by=by):
        raise _already_decided(case)
    case.refresh_from_db()
    return Decision.objects.create(case=case, action=action, by=by, note=note[:NOTE_LENGTH_MAX], at=at)


SENTENCES = {
    Case.Status.APPROVED: _("%(who)s has already approved this case."),
    Case.Status.REJECTED: _("%(who)s has already rejected this case."),
}


def _already_decided(case: Case) -> AlreadyDecided:
    fresh = Case.objects.select_related("decided_by").get(pk=case.pk)
    who = fresh.decided_by.get_full_name() or fresh.decided_by.get_username() if fresh.decided_by else ""
    return AlreadyDecided(SENTENCES[Case.Status(fresh.status)] % {"who": who})


def _get_undoable(case: Case, *, at: datetime) -> Decision:
    last = Decision.objects.filter(case=case).order_by("-pk").first()
    if last is None or last.action == Decision.Action.UNDO:
        raise NotUndoable(_("This case is open: there is no decision to undo."))
    policy = FraudPolicy.objects.get()
    if at > undoable_until(decided_at=last.at, policy=policy):
        raise NotUndoable(
            _("A decision can be undone for %(minutes)s minutes; that time is over.") % {"minutes": policy.undo_minutes}
        )
    return last


def _reopen(case: Case) -> None:
    try:
        with savepoint():
            Case.objects.filter(pk=case.pk).update(status=Case.Status.OPEN, decided_at=None, decided_by=None)
    except IntegrityError as error:
        if conflict_of(error) != "case_open_once_a_group":
            raise
        raise NotUndoable(_("The same people have another open case by now: decide that one.")) from error
    case.refresh_from_db()


def _reward_ids(case: Case, *statuses: str) -> list[int]:
    rows = CaseReward.objects.filter(case=case)
    if statuses:
        rows = rows.filter(reward__status__in=statuses)
    return sorted(rows.values_list("reward_id", flat=True))


# What follows from a decision


def _tell(what: str, moved: Sequence[Moved], *, decision: Decision, at: datetime) -> None:
    """Raise levels, record the facts, and write the audit log."""
    told = [*_facts(what, moved, decision)]
    risen = review.rise(member_ids={each.member_id for each in moved if each.status == Reward.Status.GRANTED}, at=at)
    facts.record(facts=[*told, *risen], at=at)
    audit.record(
        actor_kind="staff",
        actor=decision.by.get_username(),
        action=f"case.{what}",
        target=f"case:{decision.case_id}",
        changes={
            "rewards": [each.id for each in moved],
            "points": sum(fact.data["points"] for fact in told if fact.kind == f"reward.{what}"),
            "note": decision.note,
        },
        at=at,
    )


def _facts(what: str, moved: Sequence[Moved], decision: Decision) -> Iterator[Fact]:
    rewards = Reward.objects.filter(pk__in=[each.id for each in moved])
    rows = {row.pk: row for row in rewards.select_related("event", "asset").only("event__depth", "asset__code")}
    for each in moved:
        cause, asset = rows[each.id].event, rows[each.id].asset
        code = asset.code if asset else ""
        told = Fact(
            kind=f"reward.{what}",
            key=f"reward:{each.id}:{what}:{decision.pk}",
            data={
                "reward_id": each.id,
                "case_id": decision.case_id,
                "points": each.amount if code == POINTS else 0,
                "given": each.amount,
                "kind": each.kind,
                "what": each.what,
                "asset": code,
            },
            member_id=each.member_id,
            cause_id=cause.pk,
            depth=min(cause.depth + 1, facts.DEPTH_MAX),
        )
        yield told
        if each.status == Reward.Status.GRANTED:
            yield told._replace(kind="reward.granted", key=f"reward:{each.id}:granted:{decision.pk}")

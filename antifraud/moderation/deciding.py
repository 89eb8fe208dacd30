"""
What a moderator decides about a case: approve, reject, and for some minutes take it back.

Every verb holds the tenant's lock, so that nothing that scoring has read of limits and rewards changes under it, and
so that of two moderators at once one decides and the other is told. Both sides of a referral are settled in one
transaction: what a rejection does not take, it releases.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from antifraud.limits import counters
from antifraud.models import Case, CaseReward, Decision, FraudPolicy
from antifraud.moderation import owners, reach, tellings
from antifraud.moderation import sides as referral_sides
from antifraud.moderation.tellings import Came
from core.db import in_transaction, savepoint
from core.errors import Conflict, conflict_of
from members import people
from rewards import releases
from rewards.models import Reward
from tenants import context
from tenants.staff.models import Staff

NOTE_LENGTH_MAX: Final = 500


class AlreadyDecided(Conflict):
    """Another moderator was quicker."""


class CaseHasGrown(Conflict):
    """More is at stake than whoever decides has seen."""

    message = _("More rewards have joined this case in the meantime. Look at it again.")


class NotUndoable(Conflict):
    """There is no decision to undo, or its time is over, or what was given is out of reach."""


@in_transaction
def approve(*, case: Case, by: Staff, note: str = "", seen: int | None = None, at: datetime) -> Decision:
    """
    Let the case's rewards go, of both sides: granted, or pending until they are mature.

    `seen` is how many of them whoever decides has seen.

    :raises AlreadyDecided: names who was quicker.
    :raises CaseHasGrown: when more rewards than that have joined the case.
    :raises antifraud.moderation.owners.OwnCase: when whoever decides is a party.
    """
    _begin(case, by=by, seen=seen, at=at)
    decision = _decide(case, Decision.Action.APPROVE, by=by, note=note, at=at)
    moved = releases.release(reward_ids=list(_waiting(case)), at=at)
    tellings.tell(decision=decision, came=Came(approved=moved), at=at)
    return decision


@in_transaction
def reject(
    *, case: Case, by: Staff, note: str = "", seen: int | None = None, sides: str | None = None, at: datetime
) -> Decision:
    """
    Refuse the case's rewards: nothing is paid, and what they used of limits and budgets is free again.

    `sides` are those whose rewards are refused (`Decision.sides`); the other side's are released. None stands for the
    policy's choice, or for both where that side has nothing to refuse.

    :raises antifraud.moderation.sides.UnknownSides:
    :raises antifraud.moderation.sides.NothingToReject: when the side that was named has no reward here.
    :raises AlreadyDecided: | CaseHasGrown | antifraud.moderation.owners.OwnCase: as for `approve`.
    """
    _begin(case, by=by, seen=seen, at=at)
    waiting = _waiting(case)
    chosen = _sides(waiting, sides)
    spared = [each for each, side in waiting.items() if referral_sides.is_spared(side=side, sides=chosen)]
    refused = [each for each in waiting if each not in spared]
    decision = _decide(case, Decision.Action.REJECT, by=by, note=note, sides=chosen, at=at)
    counters.give_back(reward_ids=refused, zone=context.current().time_zone)
    came = Came(
        rejected=releases.reject(reward_ids=refused),
        approved=releases.release(reward_ids=spared, at=at),
    )
    tellings.tell(decision=decision, came=came, at=at)
    return decision


@in_transaction
def undo(*, case: Case, by: Staff, at: datetime) -> Decision:
    """
    Take the last decision back, of whichever sides: its rewards wait again, and what was paid is posted back.

    What an earlier decision about the case has settled stays settled, and a reward that a refund or staff has taken
    back meanwhile stays as it is.

    :raises NotUndoable: when the policy's minutes are over, nothing is decided, or what was given is spent, seen, used
        or sent: then it says what.
    :raises antifraud.limits.counters.LimitReached: when others have used what a rejection had freed.
    :raises antifraud.moderation.owners.OwnCase: as for `approve`.
    """
    _begin(case, by=by, seen=None, at=at)
    last = _get_undoable(case, at=at)
    decided = tellings.moved_by(decision=last, reward_ids=_reward_ids(case))
    rejected = set(_reward_ids(case, Reward.Status.REJECTED))
    _require_within_reach(case, decided)
    decision = Decision.objects.create(case=case, action=Decision.Action.UNDO, by=by, sides=last.sides, at=at)
    moved = releases.reopen(reward_ids=decided, decision=decision.pk, at=at)
    # Only of those that wait again: what a refund has used up meanwhile stays rejected.
    counters.take_again(reward_ids=[each.id for each in moved if each.id in rejected], zone=context.current().time_zone)
    _reopen(case)
    tellings.tell(decision=decision, came=Came(reopened=moved), at=at)
    return decision


def undoable_until(*, decided_at: datetime, policy: FraudPolicy) -> datetime:
    """Return the last instant at which a decision of that time may be taken back."""
    return decided_at + timedelta(minutes=policy.undo_minutes)


def sides_of(*, case: Case) -> str:
    """Return what a rejection of an open case takes unless its moderator says otherwise."""
    return _sides(_waiting(case), None)


@in_transaction
def _begin(case: Case, *, by: Staff, seen: int | None, at: datetime) -> None:
    people.lock(context.current().schema_name)
    owners.require_stranger(case=case, by=by, at=at)
    if seen is not None and CaseReward.objects.filter(case=case).count() > seen:
        raise CaseHasGrown


def _waiting(case: Case) -> dict[int, str]:
    """Return the sides of the case's flagged rewards, by their ids. A refund may have cancelled others."""
    rows = CaseReward.objects.filter(case=case, reward__status=Reward.Status.FLAGGED).order_by("reward_id")
    return dict(rows.values_list("reward_id", "reward__side"))


def _sides(waiting: Mapping[int, str], wanted: str | None) -> str:
    policy = FraudPolicy.objects.get(singleton=True)
    return referral_sides.choose(waiting=waiting.values(), wanted=wanted, policy=policy.on_reject)


STATUS = {Decision.Action.APPROVE: Case.Status.APPROVED, Decision.Action.REJECT: Case.Status.REJECTED}


def _decide(
    case: Case, action: Decision.Action, *, by: Staff, note: str, sides: str = referral_sides.BOTH, at: datetime
) -> Decision:
    open_case = Case.objects.filter(pk=case.pk, status=Case.Status.OPEN)
    if not open_case.update(status=STATUS[action], decided_at=at, decided_by=by):
        raise already_decided(Case.objects.select_related("decided_by").get(pk=case.pk))
    case.refresh_from_db()
    return Decision.objects.create(case=case, action=action, by=by, note=note[:NOTE_LENGTH_MAX], sides=sides, at=at)


SENTENCES = {
    Case.Status.APPROVED: _("%(who)s has already approved this case."),
    Case.Status.REJECTED: _("%(who)s has already rejected this case."),
}


def already_decided(case: Case) -> AlreadyDecided:
    """Return the failure that names who has decided a case."""
    who = case.decided_by.get_full_name() or case.decided_by.get_username() if case.decided_by else ""
    return AlreadyDecided(SENTENCES[Case.Status(case.status)] % {"who": who}, extra={"decided_by": who})


def _get_undoable(case: Case, *, at: datetime) -> Decision:
    last = Decision.objects.filter(case=case).order_by("-pk").first()
    if last is None or last.action == Decision.Action.UNDO:
        raise NotUndoable(_("This case is open: there is no decision to undo."))
    policy = FraudPolicy.objects.get(singleton=True)
    if at > undoable_until(decided_at=last.at, policy=policy):
        raise NotUndoable(
            _("A decision can be undone for %(minutes)s minutes; that time is over.") % {"minutes": policy.undo_minutes}
        )
    return last


def _require_within_reach(case: Case, reward_ids: Sequence[int]) -> None:
    if beyond := reach.beyond_of(case=case, reward_ids=reward_ids):
        raise NotUndoable(" ".join([str(_("This cannot be undone.")), *beyond]))


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

"""All that a program reads of a case: what the page of the case tells, without its drawing and its portraits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from antifraud.models import Case, Decision
from antifraud.moderation import dossiers, queue, reach, stakes
from antifraud.moderation.dossiers import Basis, Record
from antifraud.moderation.queue import Shown
from members.names import external_ids_of
from rewards.models import Reward
from tenants.staff import programs
from tenants.staff.models import Staff


class Who(NamedTuple):
    """Somebody of the staff by user name, or a key by what it is called."""

    kind: str
    name: str


class Party(NamedTuple):
    """A member of the case; `side` is empty for a party to the referral who is not rewarded."""

    member_id: int
    external_id: str | None
    side: str


@dataclass(frozen=True, slots=True)
class Line:
    """A case in a list."""

    case: Case
    shown: Shown
    parties: tuple[Party, ...]
    assigned_to: Who | None
    decided_by: Who | None


class Stake(NamedTuple):
    """One reward of the case. `amount` is what is left of it; the cost is in minor units of the tenant's currency."""

    reward: Reward
    external_id: str | None
    amount: int
    cost_minor: int


@dataclass(frozen=True, slots=True)
class File:
    """A case with what was seen, what was decided before, and what can no longer be taken back, in sentences."""

    line: Line
    basis: Basis
    record: Record
    stakes: tuple[Stake, ...]
    decisions: tuple[tuple[Decision, Who], ...]
    irreversible: tuple[str, ...]


def lines_of(cases: Sequence[Case], *, at: datetime) -> list[Line]:
    """Return cases as lines, in a fixed number of statements. They come with whoever has or had to do with them."""
    shown = queue.shown_of(cases, at=at)
    ids = external_ids_of(person.member_id for each in shown.values() for person in each.people)
    return [
        Line(
            case=case,
            shown=shown[case.pk],
            parties=tuple(Party(each.member_id, ids.get(each.member_id), each.side) for each in shown[case.pk].people),
            assigned_to=who(case.assigned_to),
            decided_by=who(case.decided_by),
        )
        for case in cases
    ]


def file_of(case: Case, *, at: datetime) -> File:
    """Return all about one case, in a fixed number of statements."""
    (line,) = lines_of([case], at=at)
    ids = {party.member_id: party.external_id for party in line.parties}
    decisions = Decision.objects.filter(case=case).select_related("by").order_by("pk")
    return File(
        line=line,
        basis=dossiers.basis_of(rewards=line.shown.rewards),
        record=dossiers.record_of(case=case, member_ids=set(ids)),
        stakes=tuple(_stake(reward, ids.get(reward.member_id)) for reward in line.shown.rewards),
        decisions=tuple((each, _who(each.by)) for each in decisions),
        irreversible=tuple(reach.irreversible(case=case)),
    )


def who(staff: Staff | None) -> Who | None:
    """Return who somebody of the staff is, or which key stands there."""
    return None if staff is None else _who(staff)


def _who(staff: Staff) -> Who:
    key = programs.key_of(staff)
    return Who("staff", staff.get_username()) if key is None else Who("key", key)


def _stake(reward: Reward, external_id: str | None) -> Stake:
    return Stake(reward, external_id, reward.given - reward.reversed - reward.lost, stakes.cost_left(reward))

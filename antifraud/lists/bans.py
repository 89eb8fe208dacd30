"""
Banning a member: they earn and spend nothing more. What they were to get, and what they got, goes by choice.

What waits is called off, and its limits are free again. What was given is taken back onto the moderators' desk: it is
flagged, in a case of its own or in the one that it was approved in, and a rejection leaves it there for good. What is
spent, seen, used or sent cannot be flagged: it stays as it is, and is told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import IntegrityError
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from antifraud.judging.reasons import BANNED
from antifraud.lists import listings
from antifraud.lists.lines import Line
from antifraud.lists.listings import Wish
from antifraud.models import Case, CaseReward, Decision, Listing
from antifraud.moderation import cases, owners
from antifraud.moderation.cases import Flagged
from core.db import current_schema, execute, fetch, in_transaction, savepoint
from core.errors import Conflict, Invalid, conflict_of
from events import facts
from events.facts import Fact
from members import people
from members.models import Identity, Member
from members.normalise import TYING
from rewards import beyond, cancelling, releases
from rewards.actors import Actor
from rewards.models import Reward
from tenants.staff import programs
from tenants.staff.models import Staff

# What a ban takes, each what those before it take too.
NOTHING, PENDING, GRANTED = "nothing", "pending", "granted"
TAKES: Final = (NOTHING, PENDING, GRANTED)
NOTE_LENGTH_MAX: Final = 300
# Of what was given, so much of the latest is flagged.
GRANTED_MAX: Final = 1_000
# By what one finds somebody who comes back. An address is many people's.
SHUT_OUT_BY: Final = ("external_id", "telegram", "email", "phone", "card", "device")


class UnknownTake(Invalid):
    """A ban takes nothing, what is pending, or what was granted as well."""

    message = _("Say what the ban takes: nothing, what is pending, or what was granted as well.")


class NoReason(Invalid):
    """Nobody says why."""

    message = _("Say why: it stands in the log.")


class AlreadyBanned(Conflict):
    """They are banned already, or forgotten."""

    message = _("This member is blocked already, or erased.")


class NotBanned(Conflict):
    """There is nothing to lift."""

    message = _("This member is not blocked.")


@dataclass(frozen=True, slots=True)
class Banned:
    """What came of a ban: the rewards that were called off, those that were flagged, and those out of reach."""

    cancelled: list[int] = field(default_factory=list)
    flagged: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)


@in_transaction
def ban(*, member: Member, by: Staff, note: str, takes: str = NOTHING, at: datetime) -> Banned:
    """
    Block a member. `takes` is one of TAKES.

    :raises UnknownTake: | NoReason | AlreadyBanned
    :raises antifraud.moderation.owners.OwnCase: when it is whoever bans.
    """
    if takes not in TAKES:
        raise UnknownTake(pointer="/takes")
    note = _require_note(note)
    people.lock(current_schema())
    owners.require_other(member=member, by=by, at=at)
    _move(member, was=Member.Status.ACTIVE, to=Member.Status.BLOCKED, otherwise=AlreadyBanned)
    number = _number(member)
    cancelled = _call_off(member, by=by, note=note, at=at) if takes != NOTHING else []
    flagged, kept = _flag(member, number=number, by=by, note=note, at=at) if takes == GRANTED else ([], [])
    told = {"takes": takes, "note": note, "cancelled": cancelled, "flagged": flagged, "kept": kept}
    _tell("member.banned", member, number=number, by=by, told=told, at=at)
    return Banned(cancelled, flagged, kept)


@in_transaction
def lift(*, member: Member, by: Staff, note: str, at: datetime) -> None:
    """
    Let a member earn and spend again. What a ban took stays where it is: what was flagged waits for a moderator.

    :raises NotBanned: | NoReason
    :raises antifraud.moderation.owners.OwnCase: when it is whoever lifts.
    """
    note = _require_note(note)
    people.lock(current_schema())
    owners.require_other(member=member, by=by, at=at)
    _move(member, was=Member.Status.BLOCKED, to=Member.Status.ACTIVE, otherwise=NotBanned)
    _tell("member.unbanned", member, number=_number(member), by=by, told={"note": note}, at=at)


@in_transaction
def shut_out(*, member: Member, by: Staff, note: str, at: datetime) -> int:
    """
    Put all that a member is known by into the stop list, so that they do not come back; return how many lines.

    What is somebody else's, be it that they gave it as theirs, stays out; a card or device that others have as well
    makes these wait for a moderator, and costs them nothing.
    """
    others = Identity.objects.filter(kind=OuterRef("kind"), lookup=OuterRef("lookup")).exclude(member=member)
    rows = Identity.objects.filter(Q(resolves=True) | Q(kind__in=TYING), member=member, kind__in=SHUT_OUT_BY)
    wishes = [
        Wish(
            list=Listing.List.BLOCK,
            line=Line(row.kind, row.lookup, row.value),
            answer=Listing.Answer.FLAG if row.is_shared and row.kind in TYING else Listing.Answer.REFUSE,
            note=note,
        )
        for row in rows.exclude(value="").annotate(is_shared=Exists(others)).order_by("pk")
    ]
    listings.put(wishes=wishes, by=by.get_username(), at=at)
    return len(wishes)


def _require_note(note: str) -> str:
    told = note.strip()[:NOTE_LENGTH_MAX]
    if not told:
        raise NoReason(pointer="/note")
    return told


def _move(member: Member, *, was: str, to: str, otherwise: type[Conflict]) -> None:
    if not Member.objects.filter(pk=member.pk, status=was).update(status=to):
        raise otherwise
    member.refresh_from_db()


def _number(member: Member) -> int:
    """Return which ban or lifting of the member's this is: it makes the keys of what follows from it."""
    return int(fetch(NUMBER, {"member_id": member.pk})[0].number)


def _call_off(member: Member, *, by: Staff, note: str, at: datetime) -> list[int]:
    ids = cancelling.call_off(member_id=member.pk, reason=note, actor=_actor_of(by), at=at)
    _settle(ids, by=by, note=note, at=at)
    return ids


def _settle(reward_ids: Sequence[int], *, by: Staff, note: str, at: datetime) -> None:
    """Decide the open cases in which nothing is left to decide."""
    touched = Case.objects.filter(case_rewards__reward__in=reward_ids, status=Case.Status.OPEN)
    waiting = CaseReward.objects.filter(case__in=touched.values("pk"), reward__status=Reward.Status.FLAGGED)
    empty = Case.objects.filter(pk__in=[*touched.values_list("pk", flat=True)]).exclude(pk__in=waiting.values("case"))
    ids = sorted(empty.values_list("pk", flat=True))
    Case.objects.filter(pk__in=ids).update(status=Case.Status.REJECTED, decided_at=at, decided_by=by)
    action = Decision.Action.REJECT
    Decision.objects.bulk_create([Decision(case_id=each, action=action, by=by, note=note, at=at) for each in ids])


def _flag(member: Member, *, number: int, by: Staff, note: str, at: datetime) -> tuple[list[int], list[int]]:
    """Flag what was given and can be taken back; return that, and what cannot."""
    granted = Reward.objects.filter(member=member, status=Reward.Status.GRANTED).order_by("-pk")
    campaigns = dict(granted.values_list("pk", "campaign")[:GRANTED_MAX])
    out = {each.reward_id for each in beyond.beyond_reach(reward_ids=list(campaigns))}
    decided = dict(CaseReward.objects.filter(reward__in=campaigns.keys() - out).values_list("reward", "case"))
    closed = _reopened(set(decided.values()), by=by, note=note, at=at)
    out |= {reward_id for reward_id, case_id in decided.items() if case_id not in closed}
    ids = sorted(campaigns.keys() - out)
    if ids:
        execute(EXPLAIN, {"ids": ids, "member_id": member.pk, "banned": BANNED})
        releases.reopen(reward_ids=ids, decision=f"ban:{number}", at=at)
        new = [Flagged(f"ban:{member.pk}:campaign:{campaigns[each]}", campaigns[each], each) for each in ids]
        cases.record(flagged=[each for each in new if each.reward_id not in decided], signals=[], at=at)
    return ids, sorted(out)


def _reopened(case_ids: Iterable[int], *, by: Staff, note: str, at: datetime) -> set[int]:
    """Open the cases again in which something was approved, and return those that are open."""
    found = set()
    for case in Case.objects.filter(pk__in=case_ids).order_by("pk"):
        if case.status == Case.Status.OPEN or _reopen(case, by=by, note=note, at=at):
            found.add(case.pk)
    return found


def _reopen(case: Case, *, by: Staff, note: str, at: datetime) -> bool:
    try:
        with savepoint():
            execute(REOPEN, {"id": case.pk, "at": at})
            Decision.objects.create(case=case, action=Decision.Action.UNDO, by=by, note=note, at=at)
    except IntegrityError as error:
        # The same people have another open case by now.
        if conflict_of(error) != "case_open_once_a_group":
            raise
        return False
    return True


def _tell(kind: str, member: Member, *, number: int, by: Staff, told: Mapping[str, object], at: datetime) -> None:
    data = {**told, "by": by.get_username()}
    key = f"member:{member.pk}:{kind.removeprefix('member.')}:{number}"
    facts.record(facts=[Fact(kind, key, data, member.pk)], at=at)
    _actor_of(by).note(action=kind, target=f"member:{member.pk}", changes=told, at=at)


def _actor_of(by: Staff) -> Actor:
    key = programs.key_of(by)
    return Actor("staff", by.get_username()) if key is None else Actor("key", key)


NUMBER = """
SELECT count(*) + 1 AS number FROM events_event
WHERE member_id = %(member_id)s AND source = 'sarafan' AND kind IN ('member.banned', 'member.unbanned')
"""

EXPLAIN = """
UPDATE rewards_reward SET reasons = reasons || jsonb_build_array(
    jsonb_build_object('signal', %(banned)s::text, 'evidence', jsonb_build_object('member', %(member_id)s::bigint)))
WHERE id = ANY(%(ids)s::bigint[])
"""

REOPEN = """
UPDATE antifraud_case SET status = 'open', decided_at = NULL, decided_by_id = NULL, escalated_at = NULL,
    due_at = %(at)s::timestamptz + make_interval(
        hours => (SELECT due_hours FROM antifraud_fraudpolicy WHERE singleton))
WHERE id = %(id)s
"""

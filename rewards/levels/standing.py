"""Where a member stands and what they need next; and the level that staff gives or takes by hand."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from core.db import fetch, in_transaction
from core.errors import Conflict, Invalid, NotFound
from events import facts
from members import people
from members.models import Member
from rewards.actors import Actor
from rewards.levels import ladder, review, rows, setting
from rewards.levels.rows import Changed
from rewards.levels.setting import Setting, window_of
from rewards.models import Level, Standing
from tenants import context


class UnknownLevel(NotFound):
    """The tenant's ladder has no such level."""

    message = _("There is no such level.")


class StandsHigher(Conflict):
    """The member has earned more than is being given."""

    message = _("The member stands higher already.")


class NotGivenByHand(Conflict):
    """What was earned is not taken by hand: the next night would give it back."""

    message = _("This level was not given by hand.")


class LevelEnded(Invalid):
    """The end of a level lies in the past."""

    message = _("The end must lie in the future.")


class LevelNeedsReason(Invalid):
    """Whoever gives or takes a level by hand says why."""

    message = _("Say why: it goes into the audit log.")


@dataclass(frozen=True, slots=True)
class Goal:
    """
    Where a member stands, and what the next level asks for.

    `missing` is in what the policy measures. `by` is when counting begins anew, if it does. With `falls_at`, the member
    has `keep_missing` too little for the level that they stand on.
    """

    level: Level | None
    since: datetime | None
    is_manual: bool
    manual_until: datetime | None
    falls_at: datetime | None
    measured: int
    keep_missing: int
    next: Level | None
    missing: int | None
    by: datetime | None


def find(*, member_id: int) -> Standing | None:
    """Return where a member stands, with the level."""
    return Standing.objects.select_related("level").filter(member_id=member_id).first()


def get_level(code: str) -> Level:
    """
    Return a level by its code.

    :raises UnknownLevel:
    """
    level = Level.objects.filter(code=code).first()
    if level is None:
        raise UnknownLevel
    return level


def privileges_of(*, member_id: int) -> list[str]:
    """Return the codes of the gifts that a member's level brings for as long as they stand on it."""
    return [code for row in fetch(PRIVILEGES, {"member_id": member_id}) for code in row.privileges]


def next_goal(*, member_id: int, at: datetime) -> Goal:
    """Return where a member stands now, what the next level asks for, and until when."""
    chosen = setting.get()
    seen = rows.read_one(member_id=member_id, setting=chosen, at=at)
    here = chosen.ladder.get(seen.standing.level_id) if seen.standing else None
    above = chosen.ladder.above(here)
    levels = {level.pk: level for level in Level.objects.all()}
    stands = seen.standing or ladder.Standing(level_id=0, since=at, measured=0)
    return Goal(
        level=levels[here.id] if here else None,
        since=stands.since if here else None,
        is_manual=stands.is_manual,
        manual_until=stands.manual_until,
        falls_at=stands.falls_at,
        measured=seen.measured,
        keep_missing=max(here.threshold - seen.measured, 0) if here else 0,
        next=levels[above.id] if above else None,
        missing=max(above.threshold - seen.measured, 0) if above else None,
        by=window_of(policy=chosen.policy, zone=chosen.zone, at=at).end if above else None,
    )


@in_transaction
def give(*, member: Member, level: Level, until: datetime | None, by: Actor, reason: str, at: datetime) -> None:
    """
    Hold a member on a level until a time, or until it is taken. Given again, it has the new end.

    :raises StandsHigher: what was earned is not lowered by hand.
    :raises LevelEnded:
    :raises LevelNeedsReason:
    """
    _require_reason(reason)
    if until is not None and until <= at:
        raise LevelEnded(pointer="/until")
    people.lock(context.current().schema_name)
    chosen = setting.get()
    seen = rows.read_one(member_id=people.present(member.pk), setting=chosen, at=at)
    if _earned(seen, chosen) > chosen.ladder.get(level.pk).threshold:
        raise StandsHigher
    is_here = seen.standing is not None and seen.standing.level_id == level.pk
    since = seen.standing.since if seen.standing and is_here else at
    after = ladder.Standing(level_id=level.pk, since=since, measured=seen.measured, is_manual=True, manual_until=until)
    changed = Changed(seen.member_id, seen.standing, after, seen.measured)
    _write(changed, chosen, action="level.given", by=by, reason=reason, at=at)


@in_transaction
def take(*, member: Member, by: Actor, reason: str, at: datetime) -> None:
    """
    Take a level back that was given by hand: the member stands at once where they would without it.

    :raises NotGivenByHand:
    :raises LevelNeedsReason:
    """
    _require_reason(reason)
    people.lock(context.current().schema_name)
    chosen = setting.get()
    seen = rows.read_one(member_id=member.pk, setting=chosen, at=at)
    if seen.standing is None or not seen.standing.is_manual:
        raise NotGivenByHand
    after = ladder.rise(standing=None, measured=seen.measured, ladder=chosen.ladder, at=at)
    if after and after.level_id == seen.standing.level_id:
        after = replace(after, since=seen.standing.since)
    changed = Changed(member.pk, seen.standing, after, seen.measured)
    _write(changed, chosen, action="level.taken", by=by, reason=reason, at=at)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise LevelNeedsReason(pointer="/reason")


def _earned(seen: rows.Seen, chosen: Setting) -> int:
    """Return the threshold of the level that the member has without anybody's help."""
    matching = chosen.ladder.matching(seen.measured)
    stands = [chosen.ladder.get(seen.standing.level_id)] if seen.standing and not seen.standing.is_manual else []
    return max((step.threshold for step in [matching, *stands] if step), default=0)


def _write(changed: Changed, chosen: Setting, *, action: str, by: Actor, reason: str, at: datetime) -> None:
    rows.write(changed=[changed])
    facts.record(facts=review.facts_of(changed=[changed], setting=chosen, at=at), at=at)
    before, after = (chosen.ladder.get(each.level_id).code if each else "" for each in (changed.before, changed.after))
    until = changed.after.manual_until if changed.after else None
    by.note(
        action=action,
        target=f"member:{changed.member_id}",
        changes={"level": [before, after], "until": until.isoformat() if until else "", "reason": reason.strip()},
        at=at,
    )


PRIVILEGES = """
SELECT level.privileges
FROM rewards_standing standing JOIN rewards_level level ON level.id = standing.level_id
WHERE standing.member_id = %(member_id)s
"""

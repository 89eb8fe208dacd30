"""
Who stands where: up at once, down by the nightly review.

A refund that takes back what a level was reached with takes no level at once: the next night finds its member short,
and the grace period begins then. A threshold that was raised does the same.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from core.db import fetch, in_transaction, transaction
from events import facts
from events.facts import Fact
from members import people
from rewards.levels import ladder, rows, setting
from rewards.levels.ladder import Step
from rewards.levels.rows import Changed, Seen
from rewards.levels.setting import Setting

BATCH = 1000


@in_transaction
def rise(*, member_ids: Collection[int], at: datetime) -> list[Fact]:
    """
    Raise those of the members who have enough for a higher level, and return the facts, which the caller records.

    Three statements at most, however many members; one where there are no levels. Nobody falls. The caller holds the
    tenant's lock.
    """
    chosen = setting.get() if member_ids else None
    if chosen is None or not chosen.ladder.steps:
        return []
    changed = [
        Changed(seen.member_id, seen.standing, after, seen.measured)
        for seen in rows.read(member_ids=member_ids, setting=chosen, at=at)
        if _is_news(
            seen, after := ladder.rise(standing=seen.standing, measured=seen.measured, ladder=chosen.ladder, at=at)
        )
    ]
    rows.write(changed=changed)
    return facts_of(changed=changed, setting=chosen, at=at)


def night(*, schema: str, day: date, at: datetime) -> None:
    """Be the step of the night: review everybody."""
    review_all(schema=schema, at=at)


def review_all(*, schema: str, at: datetime, size: int = BATCH) -> int:
    """
    Review everybody, `size` members in one transaction, and return how many facts there were to tell.

    Stopped half-way it is simply begun again: a second review at the same time changes nothing.
    """
    if not setting.get().ladder.steps:
        return 0
    told, after = 0, 0
    while True:
        last, count = review_batch(schema=schema, after=after, size=size, at=at)
        told += count
        if last is None:
            return told
        after = last


@transaction
def review_batch(*, schema: str, after: int, size: int, at: datetime) -> tuple[int | None, int]:
    """Review the next members by their numbers. Return the last of them, None if there is none, and the facts told."""
    # What is measured must stay true until it has been written.
    people.lock(schema)
    member_ids = [row.id for row in fetch(NEXT, {"after": after, "size": size})]
    if not member_ids:
        return None, 0
    told = review(member_ids=member_ids, at=at)
    facts.record(facts=told, at=at)
    return member_ids[-1], len(told)


@in_transaction
def review(*, member_ids: Collection[int], at: datetime) -> list[Fact]:
    """Review the members, and return the facts, which the caller records. The caller holds the tenant's lock."""
    chosen = setting.get()
    changed = []
    for seen in rows.read(member_ids=member_ids, setting=chosen, at=at):
        after = ladder.review(
            standing=seen.standing,
            measured=seen.measured,
            ladder=chosen.ladder,
            policy=chosen.policy,
            zone=chosen.zone,
            at=at,
        )
        if after != seen.standing:
            changed.append(Changed(seen.member_id, seen.standing, after, seen.measured))
    rows.write(changed=changed)
    return facts_of(changed=changed, setting=chosen, at=at)


def facts_of(*, changed: Sequence[Changed], setting: Setting, at: datetime) -> list[Fact]:
    """Return what is to be told of these changes."""
    return [fact for each in changed for fact in _facts(each, setting, at)]


def _is_news(seen: Seen, after: ladder.Standing | None) -> bool:
    # How far they have come is noted by the night: it changes with every event.
    return after is not None and (
        seen.standing is None or replace(after, measured=seen.standing.measured) != seen.standing
    )


def _facts(each: Changed, setting: Setting, at: datetime) -> Iterator[Fact]:
    before = setting.ladder.get(each.before.level_id) if each.before else None
    after = setting.ladder.get(each.after.level_id) if each.after else None
    height_before, height = (step.threshold if step else 0 for step in (before, after))
    if after and height > height_before:
        yield from _reached(each, before, after, setting, at)
    elif before and height < height_before:
        yield _fact("fallen", each, before, at, {"to": after.code if after else None})
    if after and each.after and each.after.falls_at and each.after.warned_at == at:
        lower = ladder.lower_of(standing=each.after, ladder=setting.ladder, policy=setting.policy)
        by = each.after.falls_at
        data = {"missing": height - each.measured, "by": by.isoformat(), "to": lower.code if lower else None}
        yield _fact("will_fall", each, after, by, data)


def _reached(each: Changed, before: Step | None, after: Step, setting: Setting, at: datetime) -> Iterator[Fact]:
    for step in setting.ladder.between(before, after):
        # One that is jumped over is reached as well, unless somebody was lifted over it by hand.
        if step == after or step.threshold <= each.measured:
            yield _fact("reached", each, step, at, {"from": before.code if before else None})
            before = step


def _fact(what: str, each: Changed, step: Step, at: datetime, data: dict[str, object]) -> Fact:
    key = f"level:{each.member_id}:{step.id}:{what}:{at.isoformat()}"
    told = {"level_id": step.id, "code": step.code, "measured": each.measured, **data}
    return Fact(f"level.{what}", key, told, each.member_id)


# Orders and friends of whoever was merged keep their number, and lift the one who stays.
NEXT = "SELECT id FROM members_member WHERE id > %(after)s AND status <> 'merged' ORDER BY id LIMIT %(size)s"

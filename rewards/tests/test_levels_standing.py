from datetime import UTC, datetime, timedelta

import pytest

from core.db import current_schema, transaction
from events.models import Event
from rewards.actors import Actor
from rewards.levels import standing
from rewards.levels.review import review_all, rise
from rewards.levels.standing import LevelEnded, LevelNeedsReason, NotGivenByHand, StandsHigher, UnknownLevel
from rewards.models import Level, RewardPolicy, Standing
from rewards.tests.stage import NOON
from tenants.staff.models import AuditEntry

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
MARTA = Actor("staff", "marta")


@pytest.fixture
def levels(acme):
    rows = [("silver", 100), ("gold", 500), ("platinum", 2_000)]
    return {code: Level.objects.create(code=code, name=code.title(), threshold=threshold) for code, threshold in rows}


def give(member, level, *, until=None, at=NOON, reason="An old friend"):
    standing.give(member=member, level=level, until=until, by=MARTA, reason=reason, at=at)


def take(member, *, at=NOON, reason="A mistake"):
    standing.take(member=member, by=MARTA, reason=reason, at=at)


def stands(member):
    found = standing.find(member_id=member.pk)
    return found and (found.level.code, found.since, found.is_manual, found.manual_until)


def earn(scene, member, points, *, at=NOON):
    scene.owe(member, status="granted", given=points)
    with transaction():
        rise(member_ids=[member.pk], at=at)


def kinds():
    return list(Event.objects.filter(kind__startswith="level.").order_by("pk").values_list("kind", flat=True))


# By hand


def test_a_level_is_given_until_a_day_with_a_reason(anna, levels):
    give(anna, levels["gold"], until=NOON + DAY, reason=" An old friend ")

    assert stands(anna) == ("gold", NOON, True, NOON + DAY)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target) == ("marta", "level.given", f"member:{anna.pk}")
    assert entry.changes == {"level": ["", "gold"], "until": "2026-03-18T12:00:00+00:00", "reason": "An old friend"}
    assert Event.objects.get(kind="level.reached").data == {
        "level_id": levels["gold"].pk,
        "code": "gold",
        "measured": 0,
        "from": None,
    }


def test_given_again_it_has_the_new_end(anna, levels):
    give(anna, levels["gold"], until=NOON + DAY)
    give(anna, levels["gold"], until=NOON + 9 * DAY, at=NOON + DAY / 2)

    assert stands(anna) == ("gold", NOON, True, NOON + 9 * DAY)
    assert kinds() == ["level.reached"]


def test_a_level_given_too_high_is_corrected_by_giving_the_right_one(anna, levels):
    give(anna, levels["platinum"])
    give(anna, levels["silver"], at=NOON + DAY)

    assert stands(anna) == ("silver", NOON + DAY, True, None)
    assert kinds() == ["level.reached", "level.fallen"]


def test_what_was_earned_is_not_lowered_by_hand(scene, anna, levels):
    earn(scene, anna, 500)

    with pytest.raises(StandsHigher):
        give(anna, levels["silver"])

    assert stands(anna) == ("gold", NOON, False, None)
    assert not AuditEntry.objects.exists()


def test_what_was_earned_before_and_not_taken_since_is_not_lowered_either(scene, anna, levels):
    earn(scene, anna, 500)
    RewardPolicy.objects.update(level_window="month")

    with pytest.raises(StandsHigher):
        give(anna, levels["silver"], at=NOON + 60 * DAY)


def test_an_earned_level_can_be_made_safe(scene, anna, levels):
    earn(scene, anna, 500)

    give(anna, levels["gold"], until=NOON + 9 * DAY, at=NOON + DAY)

    assert stands(anna) == ("gold", NOON, True, NOON + 9 * DAY)


def test_the_end_lies_in_the_future_and_the_reason_is_said(anna, levels):
    with pytest.raises(LevelEnded):
        give(anna, levels["gold"], until=NOON)
    with pytest.raises(LevelNeedsReason):
        give(anna, levels["gold"], reason=" ")
    with pytest.raises(LevelNeedsReason):
        take(anna, reason="")

    assert not Standing.objects.exists()
    assert not AuditEntry.objects.exists()


def test_what_was_given_is_taken_and_what_was_earned_remains(scene, anna, boris, levels):
    earn(scene, anna, 150)
    give(anna, levels["platinum"], at=NOON)
    give(boris, levels["gold"])

    take(anna, at=NOON + DAY)
    take(boris, at=NOON + DAY)

    assert stands(anna) == ("silver", NOON + DAY, False, None)
    assert stands(boris) is None
    assert kinds() == ["level.reached"] * 2 + ["level.fallen"] * 2
    assert AuditEntry.objects.last().changes == {"level": ["gold", ""], "until": "", "reason": "A mistake"}


def test_a_level_that_is_earned_by_now_is_only_no_longer_held(scene, anna, levels):
    give(anna, levels["silver"])
    earn(scene, anna, 150)

    take(anna, at=NOON + DAY)

    assert stands(anna) == ("silver", NOON, False, None)


def test_what_was_earned_or_is_not_there_cannot_be_taken(scene, anna, boris, levels):
    earn(scene, anna, 150)

    for member in (anna, boris):
        with pytest.raises(NotGivenByHand):
            take(member)

    assert stands(anna) == ("silver", NOON, False, None)
    assert not AuditEntry.objects.exists()


def test_when_a_lent_level_ends_the_nights_bring_it_down_with_a_notice(anna, levels):
    RewardPolicy.objects.update(level_grace_days=3, level_notice_days=1)
    midnight = datetime(2026, 3, 19, 21, 30, tzinfo=UTC)
    give(anna, levels["gold"], until=midnight)

    told = [review_all(schema=current_schema(), at=midnight + days * DAY) for days in range(-1, 4)]

    assert told == [0, 0, 0, 1, 1]
    assert stands(anna) is None
    assert kinds() == ["level.reached", "level.will_fall", "level.fallen"]


# What comes next


def test_a_newcomer_is_told_of_the_first_level(anna, levels):
    goal = standing.next_goal(member_id=anna.pk, at=NOON)

    assert (goal.level, goal.since, goal.measured, goal.falls_at) == (None, None, 0, None)
    assert (goal.next, goal.missing, goal.by) == (levels["silver"], 100, None)


def test_what_is_missing_and_by_when(scene, anna, levels):
    RewardPolicy.objects.update(level_window="quarter")
    earn(scene, anna, 120)

    goal = standing.next_goal(member_id=anna.pk, at=NOON)

    assert (goal.level, goal.since, goal.measured, goal.keep_missing) == (levels["silver"], NOON, 120, 0)
    assert (goal.next, goal.missing, goal.by) == (levels["gold"], 380, datetime(2026, 3, 31, 21, tzinfo=UTC))


def test_who_has_too_little_is_told_until_when_and_how_much(anna, levels):
    RewardPolicy.objects.update(level_fall="match", level_grace_days=10)
    Standing.objects.create(member=anna, level=levels["gold"], since=NOON, measured=500)
    review_all(schema=current_schema(), at=NOON)

    goal = standing.next_goal(member_id=anna.pk, at=NOON)

    assert (goal.keep_missing, goal.falls_at) == (500, datetime(2026, 3, 26, 21, tzinfo=UTC))


def test_above_the_last_level_nothing_is_missing(anna, levels):
    give(anna, levels["platinum"])

    goal = standing.next_goal(member_id=anna.pk, at=NOON)

    assert (goal.level, goal.is_manual) == (levels["platinum"], True)
    assert (goal.next, goal.missing, goal.by) == (None, None, None)


def test_without_levels_there_is_no_goal(anna):
    goal = standing.next_goal(member_id=anna.pk, at=NOON)

    assert (goal.level, goal.next, goal.missing) == (None, None, None)


def test_a_level_brings_its_privileges(anna, boris, levels):
    Level.objects.filter(code="gold").update(privileges=["vip-chat", "early"])
    give(anna, Level.objects.get(code="gold"))

    assert standing.privileges_of(member_id=anna.pk) == ["vip-chat", "early"]
    assert standing.privileges_of(member_id=boris.pk) == []


def test_a_level_is_found_by_its_code(levels):
    assert standing.get_level("gold") == levels["gold"]
    with pytest.raises(UnknownLevel):
        standing.get_level("bronze")

"""A stage for tests of levels: a ladder, what is earned and when, nights, and what was told."""

from datetime import UTC, datetime
from typing import Any

from core.db import current_schema, transaction
from events.facts import Fact
from events.models import Event
from members.models import Member
from rewards.levels import measures, setting
from rewards.levels.review import review_all, rise
from rewards.models import Level, Reward, RewardPolicy, Standing
from rewards.tests.stage import NOON, Stage

MIDNIGHT = datetime(2026, 3, 17, 21, tzinfo=UTC)  # In Moscow the 18th begins.
STEPS = {"silver": 100, "gold": 500, "platinum": 2_000}


def make_levels() -> dict[str, Level]:
    """Make a ladder of three."""
    return {
        code: Level.objects.create(code=code, name=code.title(), threshold=threshold)
        for code, threshold in STEPS.items()
    }


def choose(**columns: Any) -> None:
    """Change the policy: `fall="match"`."""
    RewardPolicy.objects.update(**{f"level_{name}": value for name, value in columns.items()})


@transaction
def raise_them(*members: Member, at: datetime = NOON) -> list[Fact]:
    """Raise those who have enough, as scoring does."""
    return rise(member_ids=[member.pk for member in members], at=at)


def night(at: datetime = MIDNIGHT, **arguments: Any) -> int:
    """Review everybody."""
    return review_all(schema=current_schema(), at=at, **arguments)


def earn(scene: Stage, member: Member, points: int, *, at: datetime) -> None:
    """Let points be granted at a time."""
    reward_id = scene.owe(member, status="granted", given=points)
    Reward.objects.filter(pk=reward_id).update(granted_at=at)


def level_of(member: Member) -> str | None:
    """Return the code of the level that a member stands on."""
    found = Standing.objects.filter(member=member).select_related("level").first()
    return found.level.code if found else None


def value_of(member: Member, *, at: datetime) -> int:
    """Return what a member has come to."""
    return measures.value_of(member_id=member.pk, setting=setting.get(), at=at)


def told() -> list[tuple[str, int | None, dict[str, Any]]]:
    """Return what was told of levels, in order."""
    rows = Event.objects.filter(kind__startswith="level.").order_by("pk")
    return [(row.kind, row.member_id, row.data) for row in rows]

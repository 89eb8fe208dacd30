"""
Which level somebody should stand on. Pure: values in, values out.

Up at once, several steps if need be. Down by review alone, as the policy says: nobody, a step, or to the level that
matches, and only after the grace period, with a notice before. Whatever makes a member short makes them short in the
same way: a window that has moved on, a refund that took points back, a threshold that was raised. None of them takes a
level away by itself: the next review finds the member short, and from then on the grace period runs.

A level given by hand is safe until its end: whoever rises above it meanwhile keeps the higher one as long. Then it is
reviewed like any other, with one difference: it was lent, so it ends even where nobody falls.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from tenants import periods


@dataclass(frozen=True, slots=True)
class Step:
    """A level as far as deciding goes."""

    id: int
    code: str
    threshold: int
    multiplier_bps: int = 10_000


@dataclass(frozen=True, slots=True)
class Policy:
    """What the tenant has chosen for levels. The values are those of the model of the same name."""

    measure: str = "earned"
    window: str = "ever"
    window_days: int | None = None
    fall: str = "never"
    grace_days: int = 30
    notice_days: int = 7

    @property
    def notice_before_fall_days(self) -> int:
        """How long a member is warned before a fall: never longer than the grace period. 0 is without a notice."""
        return min(self.notice_days, self.grace_days)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stands. Whoever stands on no level has none."""

    level_id: int
    since: datetime
    measured: int
    is_manual: bool = False
    manual_until: datetime | None = None
    falls_at: datetime | None = None
    warned_at: datetime | None = None

    def is_held(self, *, at: datetime) -> bool:
        """Tell whether staff holds the member on this level now."""
        return self.is_manual and (self.manual_until is None or at < self.manual_until)


class Ladder:
    """The levels in the order of their thresholds."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps = tuple(sorted(steps, key=lambda step: step.threshold))
        self._by_id = {step.id: step for step in self.steps}

    def get(self, level_id: int) -> Step:
        """Return the step of a level."""
        return self._by_id[level_id]

    def matching(self, measured: int) -> Step | None:
        """Return the highest step that somebody with so much deserves."""
        return next((step for step in reversed(self.steps) if step.threshold <= measured), None)

    def below(self, step: Step) -> Step | None:
        """Return the next step down."""
        return next((each for each in reversed(self.steps) if each.threshold < step.threshold), None)

    def between(self, low: Step | None, high: Step) -> list[Step]:
        """Return the steps on the way up from `low`, or from the ground, to `high`: the last is `high` itself."""
        bottom = low.threshold if low else 0
        return [each for each in self.steps if bottom < each.threshold <= high.threshold]

    def above(self, step: Step | None) -> Step | None:
        """Return the next step up: the first, for whoever stands on none."""
        return next((each for each in self.steps if step is None or each.threshold > step.threshold), None)


def rise(*, standing: Standing | None, measured: int, ladder: Ladder, at: datetime) -> Standing | None:
    """Return where somebody with so much stands now, never lower than before. Who has enough again falls no more."""
    earned = ladder.matching(measured)
    if standing is None:
        return Standing(level_id=earned.id, since=at, measured=measured) if earned else None
    here = ladder.get(standing.level_id)
    if measured < here.threshold:
        return replace(standing, measured=measured)
    held = standing.is_held(at=at)
    kept = replace(
        standing,
        measured=measured,
        is_manual=held,
        manual_until=standing.manual_until if held else None,
        falls_at=None,
        warned_at=None,
    )
    return replace(kept, level_id=earned.id, since=at) if earned and earned.threshold > here.threshold else kept


def review(
    *, standing: Standing | None, measured: int, ladder: Ladder, policy: Policy, zone: tzinfo, at: datetime
) -> Standing | None:
    """
    Return where somebody with so much stands after a review: raised, left alone, on the way down, or fallen.

    A second review at the same time changes nothing. Between two steps down lies at least a night.
    """
    found = rise(standing=standing, measured=measured, ladder=ladder, at=at)
    if found is None or measured >= ladder.get(found.level_id).threshold:
        return found
    if _way_down(found, policy) == "never" or found.is_held(at=at):
        return replace(found, falls_at=None, warned_at=None)
    if found.falls_at is None:
        found = replace(found, falls_at=_days_on(policy.grace_days, zone=zone, at=at))
    if at < (found.falls_at or at) or _is_owed_notice(found, policy):
        return _warned(found, policy=policy, zone=zone, at=at)
    return _fallen(found, ladder=ladder, policy=policy, zone=zone, at=at)


def lower_of(*, standing: Standing, ladder: Ladder, policy: Policy) -> Step | None:
    """Return where somebody who has too little would fall to."""
    if _way_down(standing, policy) == "match":
        return ladder.matching(standing.measured)
    return ladder.below(ladder.get(standing.level_id))


def _way_down(standing: Standing, policy: Policy) -> str:
    # What was lent for a time ends, or its end date would mean nothing.
    is_lent = standing.is_manual and standing.manual_until is not None
    return "match" if is_lent and policy.fall == "never" else policy.fall


def _is_owed_notice(standing: Standing, policy: Policy) -> bool:
    return standing.warned_at is None and policy.notice_before_fall_days > 0


def _warned(standing: Standing, *, policy: Policy, zone: tzinfo, at: datetime) -> Standing:
    days = policy.notice_before_fall_days
    latest = _days_on(days, zone=zone, at=at)
    falls_at = standing.falls_at or latest
    if not _is_owed_notice(standing, policy) or falls_at > latest:
        return standing
    # A night that was not run has warned nobody: what is late is the fall, not the notice.
    return replace(standing, warned_at=at, falls_at=falls_at if falls_at > at else latest)


def _fallen(standing: Standing, *, ladder: Ladder, policy: Policy, zone: tzinfo, at: datetime) -> Standing | None:
    target = lower_of(standing=standing, ladder=ladder, policy=policy)
    if target is None:
        return None
    fallen = Standing(level_id=target.id, since=at, measured=standing.measured)
    if standing.measured >= target.threshold:
        return fallen
    # One step was not enough: the grace period of the next one begins, and is a night at least.
    fallen = replace(fallen, falls_at=_days_on(max(policy.grace_days, 1), zone=zone, at=at))
    return _warned(fallen, policy=policy, zone=zone, at=at)


def _days_on(days: int, *, zone: tzinfo, at: datetime) -> datetime:
    return periods.midnight(at.astimezone(zone).date() + timedelta(days=days), zone=zone)

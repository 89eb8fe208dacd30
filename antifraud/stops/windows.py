"""Stop rules as values, and the windows that each looks back on. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from antifraud.stops.minutes import COUNTED, Subject, Tally, Window

MINUTE: Final = timedelta(minutes=1)
WEEK: Final = timedelta(weeks=1)
WEEKS_MAX: Final = 8

ABOVE, BELOW, ANOMALY = "above", "below", "anomaly"
STOP, THROTTLE, NOTIFY = "stop", "throttle", "notify"
# As campaigns.lifecycle.STOP has it, which is not pure.
STOPPABLE: Final = frozenset({"active", "paused"})

type_of_windows = Mapping[Window, Tally | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLine:
    """A stop rule as antifraud.models.StopRule has it; campaign_id None is each subject of its scope by itself."""

    id: int
    metric: str
    threshold: int
    window_minutes: int
    scope: str = "campaign"
    campaign_id: int | None = None
    comparison: str = ABOVE
    data_min: int = 20
    weeks_min: int = 4
    action: str = STOP
    throttle_per_hour: int | None = None
    cooldown_minutes: int = 60
    resume_minutes: int | None = None

    @property
    def can_wait(self) -> bool:
        """Whether the patrol is soon enough: it asks for too little of something, or only tells of a share."""
        return self.comparison == BELOW or (self.action == NOTIFY and self.metric not in COUNTED)

    def is_about(self, subject: Subject) -> bool:
        """Tell whether it looks at this subject."""
        return subject.scope == self.scope and self.campaign_id in {None, campaign_of(subject)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTrip:
    """A trip that is open, or that was closed a while ago; then `counted` is what its last minute had seen by then."""

    id: int
    stop_rule_id: int
    subject: Subject
    action: str
    throttle_per_hour: int | None
    resumed_at: datetime | None
    counted: Tally

    @property
    def is_open(self) -> bool:
        """Whether nobody has set it going again."""
        return self.resumed_at is None


def since_of(rule: StopLine, *, at: datetime) -> datetime:
    """Return the first of the minutes that a stop rule looks back on."""
    return (at - timedelta(minutes=rule.window_minutes)).replace(second=0, microsecond=0)


def weeks_of(rule: StopLine, subject: Subject, *, zone: tzinfo, at: datetime) -> list[Window]:
    """Return the same window of one to eight weeks ago, by the local clock: nine on Monday is compared with nines."""
    since, until = since_of(rule, at=at), at.replace(second=0, microsecond=0) + MINUTE
    ends = [weeks_before(until, weeks=weeks, zone=zone) for weeks in range(1, WEEKS_MAX + 1)]
    return [Window(subject, end - (until - since), end) for end in ends]


def weeks_before(instant: datetime, *, weeks: int, zone: tzinfo) -> datetime:
    """Return when the local clock showed the same so many weeks ago. What it skipped comes an hour on."""
    local = instant.astimezone(zone).replace(tzinfo=None) - weeks * WEEK
    return local.replace(tzinfo=zone).astimezone(UTC)


def hour_of(subject: Subject, *, zone: tzinfo, at: datetime) -> Window:
    """Return the hour that the tenant's clock shows."""
    local = at.astimezone(zone)
    return Window(subject, at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond))


def pressing(stop_rules: Iterable[StopLine]) -> list[StopLine]:
    """Return the rules that a batch looks at. Long windows of shares cost more to sum than all the others."""
    return [each for each in stop_rules if not each.can_wait]


def windows_of(
    *,
    stop_rules: Iterable[StopLine],
    trips: Sequence[PastTrip],
    subjects: Iterable[Subject],
    zone: tzinfo,
    at: datetime,
) -> list[Window]:
    """Return every window that watching these subjects asks for, each once."""
    found: dict[Window, None] = {}
    rules = list(stop_rules)
    for subject in subjects:
        for rule in (each for each in rules if each.is_about(subject)):
            found[Window(subject, begin_of(rule, subject, trips=trips, at=at)[0])] = None
            if rule.comparison == ANOMALY:
                found |= dict.fromkeys(weeks_of(rule, subject, zone=zone, at=at))
        if _is_throttled(subject, rules=rules, trips=trips):
            found[hour_of(subject, zone=zone, at=at)] = None
    return list(found)


def _is_throttled(subject: Subject, *, rules: Iterable[StopLine], trips: Iterable[PastTrip]) -> bool:
    may_be = any(each.action == THROTTLE and each.is_about(subject) for each in rules)
    return may_be or any(each.action == THROTTLE and each.is_open and each.subject == subject for each in trips)


def begin_of(rule: StopLine, subject: Subject, *, trips: Sequence[PastTrip], at: datetime) -> tuple[datetime, Tally]:
    """
    Return where the window begins, and what of its first minute it leaves out.

    What somebody has looked at and set going again would otherwise fire at once. That holds for the rule itself; and
    whoever sets a stopped campaign going has seen all its figures.
    """
    since, without = since_of(rule, at=at), Tally()
    for trip in trips:
        if trip.subject == subject and trip.resumed_at and (trip.stop_rule_id == rule.id or trip.action == STOP):
            minute = trip.resumed_at.replace(second=0, microsecond=0)
            if minute >= since:
                since, without = minute, trip.counted
    return since, without


def campaign_of(subject: Subject) -> int | None:
    """Return the number of a campaign, or None for anything else."""
    return int(subject.name) if subject.scope == "campaign" else None

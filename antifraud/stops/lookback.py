"""A stop rule, saved or not, on what has happened in the last months: before it is switched on."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from antifraud.models import StopRule
from antifraud.stops import hindsight, history, measures
from antifraud.stops.hindsight import Replay
from antifraud.stops.minutes import Subject
from antifraud.stops.windows import ANOMALY, WEEKS_MAX, StopLine

DAYS: Final = 90
WEEKS_BEFORE: Final = timedelta(weeks=WEEKS_MAX)


@dataclass(frozen=True, slots=True)
class Seen:
    """How it went for one subject, by its name."""

    name: str
    replay: Replay


@dataclass(frozen=True, slots=True)
class Lookback:
    """How it went between two instants, for those to whom most has happened."""

    since: datetime
    until: datetime
    replays: tuple[Seen, ...]


def of_rule(rule: StopRule, *, zone: tzinfo, at: datetime) -> Lookback:
    """
    Return what a rule would have done in the last 90 days. It need not have been saved; nothing is written.

    :raises TooMuchHistory:
    """
    line = line_of(rule)
    # The hour that has begun is not over.
    local = at.astimezone(zone)
    until = at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    since = until - timedelta(days=DAYS)
    begin = since - timedelta(minutes=rule.window_minutes)
    begin = begin - WEEKS_BEFORE if line.comparison == ANOMALY else begin
    found = history.read(rule=line, since=begin, until=until)
    replays = [
        hindsight.replay(rule=line, subject=subject, buckets=buckets, zone=zone, since=since, until=until)
        for subject, buckets in found.items()
    ]
    replays.sort(key=lambda each: (-len(each.trips), each.subject))
    names = measures.names_of_subjects([Subject(rule.scope, each.subject) for each in replays])
    return Lookback(since, until, tuple(Seen(name, each) for name, each in zip(names, replays, strict=True)))


def line_of(rule: StopRule) -> StopLine:
    """Return a stop rule as it is decided by."""
    return StopLine(
        id=rule.pk or 0,
        scope=rule.scope,
        campaign_id=rule.campaign_id,
        metric=rule.metric,
        comparison=rule.comparison,
        threshold=rule.threshold,
        window_minutes=rule.window_minutes,
        data_min=rule.data_min,
        weeks_min=rule.weeks_min,
        action=rule.action,
        throttle_per_hour=rule.throttle_per_hour,
        cooldown_minutes=rule.cooldown_minutes,
        resume_minutes=rule.resume_minutes,
    )

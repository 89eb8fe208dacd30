"""How moderation goes: what waits, how fast and how it is decided, what is overturned, and which signals are right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from django.db.models import Count, Min, Q, Sum
from django.utils.translation import gettext_lazy as _

from antifraud.judging import reasons
from antifraud.models import Case
from antifraud.moderation import queue
from antifraud.moderation.precision import Precision
from core.db import fetch
from tenants import periods

PERIODS_DAYS: Final = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits now. `cost_minor` is what it costs, in minor units of the tenant's currency."""

    waiting: int
    overdue: int
    escalated: int
    oldest_at: datetime | None
    cost_minor: int


@dataclass(frozen=True, slots=True)
class Decided:
    """
    Decisions of somebody, or of everybody together (`who` is "").

    Those that were undone afterwards are overturned. A decision takes from the opening of its case, or from the undo
    that opened it again: half of them took `median` or less, nine of ten `slow` or less.
    """

    who: str
    decisions: int = 0
    approved: int = 0
    overturned: int = 0
    median: timedelta | None = None
    slow: timedelta | None = None

    @property
    def approved_share(self) -> float | None:
        """The part that was approved, from 0 to 1; None without decisions."""
        return self.approved / self.decisions if self.decisions else None

    @property
    def overturned_share(self) -> float | None:
        """The part that was overturned, from 0 to 1; None without decisions."""
        return self.overturned / self.decisions if self.decisions else None


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a period, which begins at a midnight of the tenant's."""

    since: datetime
    until: datetime
    queue: Queue
    together: Decided
    moderators: tuple[Decided, ...]
    signals: tuple[Precision, ...]


def figures(*, days: int, zone: tzinfo, at: datetime) -> Figures:
    """Return the figures of the last `days` local days, of which today is one, in three statements."""
    since = periods.midnight(at.astimezone(zone).date() - timedelta(days=days - 1), zone=zone)
    decided = list(_decided(since, at))
    return Figures(
        since=since,
        until=at,
        queue=_queue(at),
        together=next((each for each in decided if not each.who), Decided("")),
        moderators=tuple(each for each in decided if each.who),
        signals=tuple(precisions(since=since, until=at)),
    )


def precisions(*, since: datetime, until: datetime) -> list[Precision]:
    """Return of each signal how often it was right in the cases that were decided then, the most seen first."""
    return [
        Precision(row.signal, row.decided, row.rejected, row.is_shadow)
        for row in fetch(SIGNALS, {"since": since, "until": until})
    ]


def rows_of(found: Figures) -> Iterator[Sequence[object]]:
    """Yield the rows of the table for a spreadsheet, below HEADER."""
    for each in (found.together, *found.moderators):
        took = (each.median, each.slow)
        yield (
            _("Moderator") if each.who else _("Everybody"),
            each.who,
            each.decisions,
            each.approved,
            each.decisions - each.approved,
            each.overturned,
            *(None if span is None else round(span.total_seconds()) for span in took),
        )
    for signal in found.signals:
        low, high = signal.interval
        yield (
            _("Signal"),
            reasons.short(signal.signal),
            signal.decided,
            signal.decided - signal.rejected,
            signal.rejected,
            *(None, None, None),
            *(round(100 * share, 1) for share in (signal.share, low, high)),
        )


HEADER: Final = (
    _("of"),
    _("name"),
    _("decided"),
    _("approved"),
    _("rejected"),
    _("overturned"),
    _("median, seconds"),
    _("nine of ten within, seconds"),
    _("precision, percent"),
    _("at least, percent"),
    _("at most, percent"),
)


def _queue(at: datetime) -> Queue:
    waiting = queue.with_stakes(Case.objects.filter(status=Case.Status.OPEN))
    return Queue(
        **waiting.aggregate(
            waiting=Count("pk"),
            overdue=Count("pk", filter=Q(due_at__lte=at)),
            escalated=Count("escalated_at"),
            oldest_at=Min("opened_at"),
            cost_minor=Sum("stake_minor", default=0),
        )
    )


def _decided(since: datetime, until: datetime) -> Iterator[Decided]:
    for row in fetch(DECIDED, {"since": since, "until": until}):
        yield Decided(row.who, row.decisions, row.approved, row.overturned, _span(row.median), _span(row.slow))


def _span(seconds: Any) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=float(seconds))


DECIDED = """
WITH decision AS (
    SELECT d.action, d.by_id, d.at, extract(epoch FROM d.at - coalesce(lag(d.at) OVER of_case, c.opened_at)) AS took,
        coalesce(lead(d.action) OVER of_case = 'undo', false) AS is_overturned
    FROM antifraud_decision d JOIN antifraud_case c ON c.id = d.case_id
    WINDOW of_case AS (PARTITION BY d.case_id ORDER BY d.id)
)
SELECT coalesce(s.username, '') AS who, count(*) AS decisions,
    count(*) FILTER (WHERE action = 'approve') AS approved,
    count(*) FILTER (WHERE is_overturned) AS overturned,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS median,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY took) AS slow
FROM decision JOIN staff_staff s ON s.id = by_id
WHERE action <> 'undo' AND at >= %(since)s AND at < %(until)s
GROUP BY GROUPING SETS ((), (s.username)) HAVING count(*) > 0
ORDER BY decisions DESC, who
"""

# What stop rules flag has no signal of its own: it is told by the reward's reasons alone.
SIGNALS = """
WITH seen AS (
    SELECT c.id, c.status, s.name, s.is_shadow
    FROM antifraud_case c
    JOIN antifraud_casereward cr ON cr.case_id = c.id
    JOIN rewards_reward r ON r.id = cr.reward_id
    CROSS JOIN LATERAL (
        SELECT name, is_shadow FROM antifraud_signal WHERE event_id = r.event_id AND rule_id = r.rule_id
        UNION ALL
        SELECT reason ->> 'signal', false FROM jsonb_array_elements(r.reasons) reason
    ) s
    WHERE c.status <> 'open' AND c.decided_at >= %(since)s AND c.decided_at < %(until)s
)
SELECT name AS signal, count(DISTINCT id) AS decided, count(DISTINCT id) FILTER (WHERE status = 'rejected') AS rejected,
    bool_and(is_shadow) AS is_shadow
FROM seen GROUP BY name ORDER BY decided DESC, name
"""

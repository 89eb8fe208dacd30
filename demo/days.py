"""The days of a business up to now: history is told backwards from the moment at which the demo was set up. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

OPENS: Final = time(10)
OPEN_FOR: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The days that end at `last_at`, in the business's zone. Instants keep the zone, which an event may carry."""

    last_at: datetime
    zone: ZoneInfo

    @property
    def last(self) -> date:
        """The day on which history ends: it is not over."""
        return self.last_at.astimezone(self.zone).date()

    def instant(self, day: date, part: float) -> datetime:
        """
        Return a moment of a day: `part` (from 0 to below 1) of the way from opening to closing.

        On the last day it is that part of the time from midnight to `last_at`, so that nothing lies ahead.
        """
        if day >= self.last:
            midnight = datetime.combine(self.last, time(), tzinfo=self.zone)
            return midnight + (self.last_at.astimezone(self.zone) - midnight) * part
        return datetime.combine(day, OPENS, tzinfo=self.zone) + OPEN_FOR * part

    def ago(self, days: int, part: float) -> datetime:
        """Return a moment of the day so many days before the last one."""
        return self.instant(self.last - timedelta(days=days), part)

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from demo.days import Days
from demo.tests.conftest import NOW

NEW_YORK = ZoneInfo("America/New_York")


def test_the_last_day_is_the_business_s_own(days):
    assert days.last == date(2026, 3, 17)
    assert Days(last_at=NOW, zone=ZoneInfo("Europe/Moscow")).last == date(2026, 3, 18)


def test_a_day_goes_from_opening_to_closing(days):
    assert days.ago(10, 0.0) == datetime(2026, 3, 7, 10, tzinfo=NEW_YORK)
    assert days.ago(10, 0.5) == datetime(2026, 3, 7, 16, tzinfo=NEW_YORK)


def test_clocks_that_were_put_forward_do_not_move_the_opening(days):
    # They were on 8 March 2026.
    opened = [days.ago(ago, 0.0).astimezone(UTC).hour for ago in (10, 9)]

    assert opened == [15, 14]


def test_on_the_last_day_nothing_lies_ahead(days):
    midnight = datetime(2026, 3, 17, tzinfo=NEW_YORK)

    assert days.ago(0, 0.0) == midnight
    assert days.ago(0, 0.999) < NOW
    assert days.instant(days.last + timedelta(days=3), 0.5) < NOW


def test_just_after_midnight_the_day_is_short():
    days = Days(last_at=datetime(2026, 3, 17, 0, 0, 40, tzinfo=NEW_YORK), zone=NEW_YORK)

    assert days.ago(0, 0.5) == datetime(2026, 3, 17, 0, 0, 20, tzinfo=NEW_YORK)

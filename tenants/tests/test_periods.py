from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants import periods

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
# Where the clocks change at midnight, a day may begin at one o'clock, or midnight may come twice.
ZONES = ["UTC", "Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"]
ODD_ZONES = ["America/Havana", "Asia/Beirut", "Atlantic/Azores", "Africa/Cairo", "Australia/Lord_Howe"]
CALENDAR = ["hour", "day", "week", "month", "quarter", "year", "2 days", "30 days", "92 days"]

instants = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(ZONES + ODD_ZONES).map(ZoneInfo)


def test_a_month_begins_at_the_zones_midnight():
    last_moment = datetime(2026, 3, 31, 20, 59, 59, tzinfo=UTC)

    assert periods.start_of("month", zone=MOSCOW, at=last_moment) == datetime(2026, 2, 28, 21, tzinfo=UTC)
    assert periods.start_of("month", zone=MOSCOW, at=last_moment + timedelta(seconds=1)) == datetime(
        2026, 3, 31, 21, tzinfo=UTC
    )


def test_a_week_begins_on_monday():
    sunday_night = datetime(2026, 3, 22, 20, 59, tzinfo=UTC)

    assert periods.start_of("week", zone=MOSCOW, at=sunday_night) == datetime(2026, 3, 15, 21, tzinfo=UTC)
    assert periods.start_of("week", zone=MOSCOW, at=sunday_night + timedelta(minutes=1)) == datetime(
        2026, 3, 22, 21, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("noon", "hours"),
    [
        (datetime(2026, 3, 28, 11, tzinfo=UTC), 24),
        (datetime(2026, 3, 29, 10, tzinfo=UTC), 23),
        (datetime(2026, 10, 25, 11, tzinfo=UTC), 25),
    ],
    ids=["usual", "spring", "autumn"],
)
def test_a_day_is_as_long_as_the_clocks_make_it(noon, hours):
    start = periods.start_of("day", zone=BERLIN, at=noon)

    assert periods.end_of("day", zone=BERLIN, start=start) - start == timedelta(hours=hours)


def test_a_day_that_begins_at_one_ends_at_midnight():
    havana = ZoneInfo("America/Havana")
    start = periods.start_of("day", zone=havana, at=datetime(2026, 3, 8, 16, tzinfo=UTC))

    assert start == datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert periods.end_of("day", zone=havana, start=start) == datetime(2026, 3, 9, 4, tzinfo=UTC)


@pytest.mark.parametrize(("month", "days"), [(1, 31), (2, 28), (4, 30), (12, 31)])
def test_a_month_ends_where_the_next_one_begins(month, days):
    start = datetime(2026, month, 1, tzinfo=UTC)

    assert periods.end_of("month", zone=UTC, start=start) == start + timedelta(days=days)


@pytest.mark.parametrize("zone", ["Europe/Moscow", "America/New_York", "Asia/Shanghai"])
@pytest.mark.parametrize(
    ("period", "on", "first", "next_first"),
    [
        ("day", date(2026, 3, 8), date(2026, 3, 8), date(2026, 3, 9)),
        ("day", date(2026, 11, 1), date(2026, 11, 1), date(2026, 11, 2)),
        ("week", date(2026, 3, 8), date(2026, 3, 2), date(2026, 3, 9)),
        ("month", date(2026, 1, 31), date(2026, 1, 1), date(2026, 2, 1)),
        ("month", date(2026, 3, 31), date(2026, 3, 1), date(2026, 4, 1)),
        ("month", date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        ("quarter", date(2026, 3, 8), date(2026, 1, 1), date(2026, 4, 1)),
        ("quarter", date(2026, 11, 1), date(2026, 10, 1), date(2027, 1, 1)),
        ("year", date(2028, 2, 29), date(2028, 1, 1), date(2029, 1, 1)),
    ],
)
def test_a_period_is_whole_days_of_the_calendar_wherever_its_clocks_change(zone, period, on, first, next_first):
    zone = ZoneInfo(zone)
    last_minute = datetime.combine(on, time(23, 59), tzinfo=zone)

    start = periods.start_of(period, zone=zone, at=last_minute)

    assert start.astimezone(zone) == datetime.combine(first, time(), tzinfo=zone)
    end = periods.end_of(period, zone=zone, start=start)
    assert end.astimezone(zone) == datetime.combine(next_first, time(), tzinfo=zone)
    assert end.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 1, 31), 3, date(2026, 4, 30)),
        (date(2026, 1, 31), 12, date(2027, 1, 31)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 1, 31), 0, date(2026, 1, 31)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_of_a_shorter_month(day, months, then):
    assert periods.add_months(day, months=months) == then


def test_midnight_that_is_skipped_is_the_first_instant_after_it():
    assert periods.midnight(date(2026, 3, 8), zone=ZoneInfo("America/Havana")) == datetime(2026, 3, 8, 5, tzinfo=UTC)
    # What comes twice begins the day the first time.
    assert periods.midnight(date(2026, 11, 1), zone=ZoneInfo("America/Havana")) == datetime(2026, 11, 1, 4, tzinfo=UTC)


def test_for_ever_begins_in_1970_and_has_no_end():
    assert periods.start_of("ever", zone=MOSCOW, at=datetime(2026, 3, 17, tzinfo=UTC)) == periods.EPOCH
    assert periods.end_of("ever", zone=MOSCOW, start=periods.EPOCH) is None
    assert periods.end_of("minute", zone=MOSCOW, start=datetime(2026, 3, 17, 12, tzinfo=UTC)) is None


@given(period=st.sampled_from(CALENDAR), zone=zones, at=instants)
def test_every_instant_lies_in_its_period(period, zone, at):
    start = periods.start_of(period, zone=zone, at=at)
    end = periods.end_of(period, zone=zone, start=start)

    assert start <= at < end


@given(period=st.sampled_from(CALENDAR), zone=zones, at=instants)
def test_periods_follow_each_other_without_a_gap(period, zone, at):
    start = periods.start_of(period, zone=zone, at=at)
    end = periods.end_of(period, zone=zone, start=start)

    assert periods.start_of(period, zone=zone, at=end) == end
    assert periods.start_of(period, zone=zone, at=end - timedelta(microseconds=1)) == start


@pytest.mark.parametrize(
    ("zone", "at", "start", "end"),
    [
        # The clock goes back by an hour: two o'clock comes twice, and each is an hour of its own.
        ("Europe/Berlin", (2026, 10, 25, 0, 30), (2026, 10, 25, 0), (2026, 10, 25, 1)),
        ("Europe/Berlin", (2026, 10, 25, 1, 30), (2026, 10, 25, 1), (2026, 10, 25, 2)),
        # Half past five by Greenwich is a quarter past eleven in Nepal.
        ("Asia/Kathmandu", (2026, 5, 4, 5, 30), (2026, 5, 4, 5, 15), (2026, 5, 4, 6, 15)),
        # By half an hour: that hour is one and a half.
        ("Australia/Lord_Howe", (2026, 4, 4, 15, 10), (2026, 4, 4, 14), (2026, 4, 4, 15, 30)),
        # And forward: half of an hour is missing.
        ("Australia/Lord_Howe", (2026, 10, 3, 15, 40), (2026, 10, 3, 15, 30), (2026, 10, 3, 16)),
    ],
)
def test_an_hour_is_one_of_the_local_clock(zone, at, start, end):
    local = ZoneInfo(zone)
    found = periods.start_of("hour", zone=local, at=datetime(*at, tzinfo=UTC))

    assert found == datetime(*start, tzinfo=UTC)
    assert periods.end_of("hour", zone=local, start=found) == datetime(*end, tzinfo=UTC)


@given(at=instants, zone=zones, days=st.integers(2, 92))
def test_blocks_of_days_are_laid_end_to_end(at, zone, days):
    block = periods.block_of(days)
    start = periods.start_of(block, zone=zone, at=at)
    end = periods.end_of(block, zone=zone, start=start)

    assert (periods.days_of(block), periods.days_of("month")) == (days, None)
    assert end is not None
    assert start <= at < end
    assert periods.start_of(block, zone=zone, at=end) == end
    local = periods.midnights([(start, days)], zone=zone)
    assert (len(local), min(local)) == (days, start)
    assert at.astimezone(zone).date() in local.values()

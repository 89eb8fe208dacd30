"""Which stop rules fire of what happens, when, and what waits because of one. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from antifraud.stops import windows
from antifraud.stops.minutes import TENANT, Subject, Tally, Window
from antifraud.stops.watch import Watch
from antifraud.stops.windows import PastTrip, StopLine

NOON = datetime(2026, 3, 17, 12, 0, tzinfo=UTC)
MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
SPRING, SUMMER = Subject("campaign", "1"), Subject("campaign", "2")
ANNA, BORIS = Subject("inviter", "7"), Subject("inviter", "8")
MINUTE, HOUR, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(weeks=1)


def line(**told: Any) -> StopLine:
    return StopLine(**{"id": 9, "metric": "rewards", "threshold": 3, "window_minutes": 60, **told})


def trip(**told: Any) -> PastTrip:
    usual = {"id": 5, "stop_rule_id": 9, "subject": SPRING, "action": "stop", "throttle_per_hour": None}
    return PastTrip(**{**usual, "resumed_at": None, "counted": Tally(), **told})


def watching(
    *stop_rules: StopLine,
    trips: tuple[PastTrip, ...] = (),
    happened: dict[Window, Tally | None] | None = None,
    may_stop: bool = True,
    zone: Any = UTC,
    at: datetime = NOON,
) -> Watch:
    """Return a watch over the cast; where nothing is said to have `happened`, nothing has."""
    subjects = [SPRING, SUMMER, ANNA, BORIS, TENANT, Subject("channel", "telegram")]
    asked = windows.windows_of(stop_rules=stop_rules, trips=trips, subjects=subjects, zone=zone, at=at)
    sums: dict[Window, Tally | None] = {window: Tally() for window in asked}
    assert set(happened or {}) <= set(asked)
    return Watch(
        stop_rules=stop_rules,
        trips=trips,
        sums=sums | (happened or {}),
        zone=zone,
        may_stop=lambda _campaign_id: may_stop,
        at=at,
    )


def reward(watched: Watch, times: int, subject: Subject = SPRING, **columns: int) -> None:
    for _ in range(times):
        watched.note(subject, {"rewards": 1, "points": 100, **columns})


def told(watched: Watch) -> list[tuple[int, Subject, int]]:
    return [(each.stop_rule.id, each.subject, each.figure) for each in watched.tripped]


# Above


@pytest.mark.parametrize(("before", "now", "figure"), [(0, 3, None), (0, 4, 4), (2, 1, None), (2, 2, 4), (3, 1, 4)])
def test_it_fires_with_the_first_reward_beyond_its_threshold(before, now, figure):
    watched = watching(line(), happened={Window(SPRING, NOON - HOUR): Tally(rewards=before)})

    reward(watched, now)

    assert told(watched) == ([] if figure is None else [(9, SPRING, figure)])


def test_it_fires_once():
    watched = watching(line())

    reward(watched, 9)

    assert told(watched) == [(9, SPRING, 4)]
    assert watched.noted == {SPRING: Tally(rewards=9, points=900)}


def test_points_cost_sign_ups_and_orders_are_counted_as_they_come():
    watched = watching(
        line(id=1, metric="points", threshold=299, action="notify"),
        line(id=2, metric="cost", threshold=50, action="notify"),
        line(id=3, metric="signups", threshold=1, scope="tenant", action="notify"),
        line(id=4, metric="orders", threshold=1, scope="tenant", action="notify"),
    )

    reward(watched, 3, cost_minor=20)
    watched.note(TENANT, {"signups": 2})
    watched.note(TENANT, {"orders": 2})

    assert [each[0] for each in told(watched)] == [1, 2, 3, 4]
    assert [each.figure for each in watched.tripped] == [300, 60, 2, 2]


def test_a_rule_of_another_campaign_or_scope_does_not_look():
    watched = watching(line(campaign_id=2), line(id=8, scope="inviter", action="flag"))

    reward(watched, 9)

    assert told(watched) == []


def test_each_subject_is_counted_by_itself():
    watched = watching(line(scope="inviter", action="flag"))

    reward(watched, 3, ANNA)
    reward(watched, 3, BORIS)
    assert told(watched) == []
    reward(watched, 1, ANNA)

    assert told(watched) == [(9, ANNA, 4)]


def test_inviters_are_counted_only_for_a_rule_that_asks():
    watched = watching(line())

    watched.note(ANNA, {"rewards": 1})

    assert watched.noted == {}


def test_what_cannot_be_stopped_does_not_trip_but_may_be_told_of():
    watched = watching(line(), line(id=8, action="notify"), may_stop=False)

    reward(watched, 4)

    assert told(watched) == [(8, SPRING, 4)]


def test_a_campaign_is_stopped_by_one_rule():
    watched = watching(line(id=1), line(id=2), line(id=3, action="flag"))

    reward(watched, 4)

    assert [each[0] for each in told(watched)] == [1, 3]


# Shares


def test_a_share_is_looked_at_when_the_batch_is_over():
    watched = watching(line(metric="flagged_share", threshold=5_000, data_min=4, action="flag"))

    reward(watched, 3, flagged=1)
    reward(watched, 1)
    assert told(watched) == []
    watched.close()

    assert told(watched) == [(9, SPRING, 7_500)]


def test_a_share_of_too_little_fires_nothing():
    watched = watching(line(metric="flagged_share", threshold=5_000, data_min=4, action="flag"))

    reward(watched, 3, flagged=1)
    watched.close()

    assert told(watched) == []


def test_of_a_share_that_is_only_told_the_patrol_is_soon_enough():
    watched = watching(line(metric="flagged_share", threshold=5_000, data_min=4, action="notify"))

    reward(watched, 4, flagged=1)
    watched.close()
    assert told(watched) == []
    watched.look(SPRING, known_since=None)

    assert told(watched) == [(9, SPRING, 10_000)]


# Below


def test_too_little_is_only_seen_by_who_looks_for_it():
    watched = watching(line(comparison="below", threshold=5, action="notify"))

    reward(watched, 1)
    watched.close()
    assert told(watched) == []
    watched.look(SPRING, known_since=NOON - HOUR)

    assert told(watched) == [(9, SPRING, 1)]


def test_exactly_the_threshold_is_not_too_little():
    window = Window(SPRING, NOON - HOUR)
    watched = watching(line(comparison="below", threshold=5, action="notify"), happened={window: Tally(rewards=5)})

    watched.look(SPRING, known_since=NOON - HOUR)

    assert told(watched) == []


def test_who_has_not_been_there_for_the_whole_window_has_not_too_little():
    watched = watching(line(comparison="below", threshold=5, action="notify"))

    watched.look(SPRING, known_since=NOON - HOUR + MINUTE)
    watched.look(SUMMER, known_since=None)

    assert told(watched) == []


@pytest.mark.parametrize(("ago", "fires"), [(timedelta(minutes=59), False), (timedelta(minutes=60), True)])
def test_after_it_was_set_going_too_little_is_known_once_the_window_is_full(ago, fires):
    rule = line(comparison="below", threshold=5, action="notify", cooldown_minutes=0)
    closed = trip(action="notify", resumed_at=NOON - ago)
    watched = watching(rule, trips=(closed,))

    watched.look(SPRING, known_since=NOON - HOUR)

    assert bool(watched.tripped) is fires


# Anomaly


def usual(rule: StopLine, *numbers: int | None, zone: Any = UTC, at: datetime = NOON) -> dict[Window, Tally | None]:
    weeks = windows.weeks_of(rule, SPRING, zone=zone, at=at)
    known = [*numbers, *[None] * (8 - len(numbers))]
    return {
        window: None if number is None else Tally(rewards=number) for window, number in zip(weeks, known, strict=True)
    }


def test_an_anomaly_fires_above_what_is_usual_at_this_hour_of_the_week():
    rule = line(comparison="anomaly", threshold=3)
    watched = watching(rule, happened=usual(rule, 2, 2, 2, 2))

    reward(watched, 9)
    assert told(watched) == []
    reward(watched, 1)

    assert told(watched) == [(9, SPRING, 10)]
    assert watched.tripped[0].usual.as_json() == {
        "method": "poisson",
        "median": 2.0,
        "spread": 0.0,
        "most": 9,
        "weeks": [2, 2, 2, 2],
    }


def test_under_the_threshold_nothing_is_an_anomaly():
    rule = line(comparison="anomaly", threshold=30)
    watched = watching(rule, happened=usual(rule, 0, 0, 0, 0))

    reward(watched, 30)
    assert told(watched) == []
    reward(watched, 1)

    assert told(watched) == [(9, SPRING, 31)]


def test_without_enough_weeks_there_is_no_telling():
    rule = line(comparison="anomaly", weeks_min=4)
    watched = watching(rule, happened=usual(rule, 2, 2, 2))

    reward(watched, 500)

    assert told(watched) == []


def test_the_weeks_before_are_those_of_the_local_clock():
    # On 29 March 2026 Berlin went from one hour ahead of UTC to two: nine on Monday was 8:00 before, and is 7:00 now.
    monday = datetime(2026, 3, 30, 7, 0, tzinfo=UTC)
    berlin = windows.weeks_of(line(), SPRING, zone=BERLIN, at=monday)

    assert [window.until for window in berlin[:2]] == [
        datetime(2026, 3, 23, 8, 1, tzinfo=UTC),
        datetime(2026, 3, 16, 8, 1, tzinfo=UTC),
    ]
    assert {window.until - window.since for window in berlin} == {HOUR + MINUTE}
    assert [window.until for window in windows.weeks_of(line(), SPRING, zone=MOSCOW, at=monday)] == [
        monday + MINUTE - weeks * WEEK for weeks in range(1, 9)
    ]


def test_an_hour_that_the_clock_skipped_is_compared_with_the_next():
    assert windows.weeks_before(datetime(2026, 4, 5, 0, 30, tzinfo=UTC), weeks=1, zone=BERLIN) == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )


# Resting


def test_what_is_tripped_does_not_trip_again():
    watched = watching(line(), trips=(trip(),))

    reward(watched, 9)

    assert told(watched) == []


@pytest.mark.parametrize(("ago", "fires"), [(timedelta(minutes=59), False), (timedelta(minutes=60), True)])
def test_after_it_was_set_going_it_rests(ago, fires):
    watched = watching(line(window_minutes=30), trips=(trip(resumed_at=NOON - ago),))

    reward(watched, 4)

    assert bool(watched.tripped) is fires


def test_the_window_begins_where_it_was_set_going():
    resumed_at = NOON - timedelta(minutes=10, seconds=30)
    minute = resumed_at.replace(second=0)
    watched = watching(
        line(cooldown_minutes=0),
        trips=(trip(resumed_at=resumed_at, counted=Tally(rewards=50)),),
        # 50 of them were there before somebody looked at the figures.
        happened={Window(SPRING, minute): Tally(rewards=52)},
    )

    reward(watched, 1)
    assert told(watched) == []
    reward(watched, 1)

    assert told(watched) == [(9, SPRING, 4)]


def test_whoever_sets_a_stopped_campaign_going_has_seen_all_its_figures():
    rules = (line(id=9), line(id=8, action="flag"))
    seen = trip(resumed_at=NOON, counted=Tally(rewards=50))
    watched = watching(*rules, trips=(seen,), happened={Window(SPRING, NOON): Tally(rewards=50)})

    reward(watched, 3)

    assert told(watched) == []


def test_closing_a_note_lets_no_other_rule_forget():
    noted = trip(stop_rule_id=8, action="notify", resumed_at=NOON)
    watched = watching(
        line(id=9),
        line(id=8, action="notify"),
        trips=(noted,),
        happened={Window(SPRING, NOON - HOUR): Tally(rewards=3)},
    )

    reward(watched, 1)

    assert told(watched) == [(9, SPRING, 4)]


# What waits


@pytest.mark.parametrize("action", ["stop", "flag"])
def test_what_comes_after_waits_and_tells_of_the_trip(action):
    watched = watching(trips=(trip(action=action),))

    assert watched.hold([SUMMER, SPRING, TENANT]) == {"trip": 5}
    assert watched.hold([SUMMER, TENANT]) is None


def test_of_what_is_only_told_nothing_waits():
    watched = watching(line(action="notify"))

    reward(watched, 4)

    assert told(watched) == [(9, SPRING, 4)]
    assert watched.hold([SPRING]) is None


def test_the_reward_that_fires_waits_itself():
    watched = watching(line(action="flag"))

    reward(watched, 3)
    assert watched.hold([SPRING]) is None
    reward(watched, 1)

    held = watched.hold([SPRING])
    assert held == {}
    # Its number comes when it is written, and is then told by what it holds.
    watched.tripped[0].evidence["trip"] = 77
    assert held == {"trip": 77}


def test_what_is_throttled_gives_so_many_in_a_local_hour():
    # In Kathmandu the hour begins at a quarter past.
    zone = ZoneInfo("Asia/Kathmandu")
    hour = Window(SPRING, NOON - timedelta(minutes=45))
    open_trip = trip(action="throttle", throttle_per_hour=5)
    watched = watching(trips=(open_trip,), happened={hour: Tally(rewards=3)}, zone=zone)

    reward(watched, 2)
    assert watched.hold([SPRING]) is None
    reward(watched, 1)

    assert watched.hold([SPRING]) == {"trip": 5}


def test_what_is_closed_holds_nothing():
    watched = watching(trips=(trip(resumed_at=NOON - WEEK),))

    assert watched.hold([SPRING]) is None

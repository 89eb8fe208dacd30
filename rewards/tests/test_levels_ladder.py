from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.levels import ladder
from rewards.levels.ladder import Ladder, Policy, Standing, Step
from tenants import periods

SILVER, GOLD, PLATINUM = Step(1, "silver", 100), Step(2, "gold", 500), Step(3, "platinum", 2_000)
STEPS = Ladder([GOLD, PLATINUM, SILVER])
MOSCOW = ZoneInfo("Europe/Moscow")
NEW_YORK = ZoneInfo("America/New_York")
# Half past midnight in Moscow: when nights are.
NIGHT = datetime(2026, 3, 16, 21, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def on(step, **columns):
    """Stand on a level for a year."""
    return Standing(**{"level_id": step.id, "since": NIGHT - 365 * DAY, "measured": step.threshold, **columns})


def review(standing, measured, *, at=NIGHT, zone=MOSCOW, **policy):
    chosen = Policy(**{"fall": "match", **policy})
    return ladder.review(standing=standing, measured=measured, ladder=STEPS, policy=chosen, zone=zone, at=at)


def rise(standing, measured, *, at=NIGHT):
    return ladder.rise(standing=standing, measured=measured, ladder=STEPS, at=at)


def night(days):
    """Return when the night is, so many days on."""
    return NIGHT + days * DAY


def nights(standing, measured, *, days, **policy):
    """Return the level after each of so many nights."""
    found = []
    for nth in range(days):
        standing = review(standing, measured, at=night(nth), **policy)
        found.append(standing.level_id if standing else 0)
    return found


# Up


@pytest.mark.parametrize(
    ("measured", "level"), [(99, None), (100, SILVER), (499, SILVER), (500, GOLD), (2_000, PLATINUM), (9_999, PLATINUM)]
)
def test_from_its_threshold_on_a_level_is_reached_over_several_steps_if_need_be(measured, level):
    found = rise(None, measured)

    assert found == (Standing(level_id=level.id, since=NIGHT, measured=measured) if level else None)


def test_whoever_stands_higher_than_deserved_is_not_lowered_by_an_event():
    assert rise(on(PLATINUM), 0) == on(PLATINUM, measured=0)


def test_who_stays_has_stood_there_all_the_time():
    assert rise(on(GOLD), 1_999) == on(GOLD, measured=1_999)


def test_who_has_enough_again_falls_no_more():
    falling = on(GOLD, falls_at=night(3), warned_at=night(-4))

    assert rise(falling, 500) == on(GOLD)
    assert review(falling, 500) == on(GOLD)


# Down


def test_nobody_falls_where_nobody_is_to():
    assert nights(on(GOLD), 0, days=100, fall="never") == [GOLD.id] * 100


def test_a_policy_that_lets_nobody_fall_any_more_ends_what_had_begun():
    assert review(on(GOLD, falls_at=night(1), warned_at=NIGHT), 0, fall="never") == on(GOLD, measured=0)


def test_a_review_that_finds_somebody_short_begins_the_grace_period():
    found = review(on(GOLD), 499, grace_days=30, notice_days=7)

    thirty_days_on = datetime(2026, 4, 15, 21, tzinfo=UTC)
    assert found == on(GOLD, measured=499, falls_at=thirty_days_on)


def test_the_notice_comes_days_before_and_the_fall_with_the_night_when_grace_is_over():
    told = []
    standing = on(GOLD)
    for nth in range(31):
        standing = review(standing, 100, at=night(nth), grace_days=30, notice_days=7)
        told.append((standing.level_id, standing.warned_at))

    assert told[22] == (GOLD.id, None)
    assert told[23] == told[29] == (GOLD.id, night(23))
    assert told[30] == (SILVER.id, None)
    assert standing == Standing(level_id=SILVER.id, since=night(30), measured=100)


def test_to_the_matching_level_is_over_several_steps():
    assert nights(on(PLATINUM), 0, days=4, fall="match", grace_days=3)[-2:] == [PLATINUM.id, 0]


def test_a_step_is_one_step_and_then_grace_runs_again():
    assert nights(on(PLATINUM), 0, days=7, fall="step", grace_days=2) == [
        *[PLATINUM.id] * 2,
        *[GOLD.id] * 2,
        *[SILVER.id] * 2,
        0,
    ]


def test_without_grace_one_falls_at_once_but_never_two_steps_in_a_night():
    assert nights(on(PLATINUM), 0, days=4, fall="step", grace_days=0) == [GOLD.id, SILVER.id, 0, 0]
    assert review(on(PLATINUM), 0, fall="match", grace_days=0) is None


def test_a_notice_longer_than_the_grace_period_comes_when_it_begins():
    found = review(on(GOLD), 0, grace_days=3, notice_days=7)

    assert (found.warned_at, found.falls_at) == (NIGHT, datetime(2026, 3, 19, 21, tzinfo=UTC))


def test_without_notice_nobody_is_warned():
    found = review(on(GOLD), 0, grace_days=3, notice_days=0)

    assert found.warned_at is None
    assert review(found, 0, at=night(3), grace_days=3, notice_days=0) is None


def test_nobody_falls_unwarned_because_nights_were_not_run():
    found = review(on(GOLD), 0, grace_days=30, notice_days=7)

    late = review(found, 0, at=night(40), grace_days=30, notice_days=7)

    assert (late.level_id, late.warned_at) == (GOLD.id, night(40))
    assert review(late, 0, at=night(46), grace_days=30, notice_days=7) == late
    assert review(late, 0, at=night(47), grace_days=30, notice_days=7) is None


@pytest.mark.parametrize(
    ("zone", "at", "falls_at"),
    [
        # The clocks go forward on 29 March in Berlin, on 8 March in New York: a day of 23 hours lies between.
        ("Europe/Berlin", datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 8, 5, 30, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 4, 30, tzinfo=UTC), datetime(2026, 11, 2, 5, tzinfo=UTC)),
        ("Europe/Moscow", datetime(2026, 1, 30, 21, 30, tzinfo=UTC), datetime(2026, 1, 31, 21, tzinfo=UTC)),
        ("Asia/Shanghai", datetime(2026, 2, 27, 16, 30, tzinfo=UTC), datetime(2026, 2, 28, 16, tzinfo=UTC)),
    ],
)
def test_grace_ends_at_a_local_midnight_whatever_the_clocks_do(zone, at, falls_at):
    found = review(on(GOLD, since=at), 0, at=at, zone=ZoneInfo(zone), grace_days=1, notice_days=0)

    assert found.falls_at == falls_at
    assert found.falls_at == periods.midnight(falls_at.astimezone(ZoneInfo(zone)).date(), zone=ZoneInfo(zone))


# By hand


def test_a_level_given_by_hand_is_safe_until_its_end():
    given_level = on(PLATINUM, is_manual=True, manual_until=night(10))

    assert review(given_level, 0, grace_days=0) == replace(given_level, measured=0)
    assert review(given_level, 0, at=night(10), grace_days=0) is None


def test_a_level_given_without_an_end_stays():
    given_level = on(PLATINUM, is_manual=True)

    assert review(given_level, 0, at=night(10_000), grace_days=0) == replace(given_level, measured=0)


def test_what_was_lent_ends_with_grace_and_notice_even_where_nobody_falls():
    lent = on(PLATINUM, is_manual=True, manual_until=NIGHT)

    told = nights(lent, 150, days=12, fall="never", grace_days=10, notice_days=3)

    assert told == [PLATINUM.id] * 10 + [SILVER.id] * 2
    assert review(lent, 150, fall="never", grace_days=10).falls_at == datetime(2026, 3, 26, 21, tzinfo=UTC)


def test_what_was_lent_and_is_earned_by_then_is_an_ordinary_level():
    lent = on(GOLD, is_manual=True, manual_until=NIGHT)

    assert review(lent, 500) == on(GOLD)


def test_who_rises_above_a_level_given_by_hand_keeps_the_higher_as_long():
    lent = on(SILVER, is_manual=True, manual_until=night(5))

    risen = rise(lent, 500)

    assert risen == Standing(GOLD.id, NIGHT, 500, is_manual=True, manual_until=night(5))


# Whatever happens

standings = st.none() | st.builds(
    Standing,
    level_id=st.sampled_from([1, 2, 3]),
    since=st.just(NIGHT - 400 * DAY),
    measured=st.integers(0, 3_000),
    is_manual=st.just(False),
    falls_at=st.none() | st.integers(-40, 40).map(night),
    warned_at=st.none() | st.integers(-40, 0).map(night),
)
lent = st.builds(
    lambda standing, days: (
        standing and replace(standing, is_manual=True, manual_until=None if days is None else night(days))
    ),
    standings,
    st.none() | st.integers(-5, 5),
)
policies = st.fixed_dictionaries(
    {
        "fall": st.sampled_from(["never", "step", "match"]),
        "grace_days": st.integers(0, 40),
        "notice_days": st.integers(0, 40),
    }
)
amounts = st.integers(0, 3_000)


def height(standing):
    return STEPS.get(standing.level_id).threshold if standing else 0


@given(standings | lent, amounts, policies)
def test_a_second_review_at_the_same_time_changes_nothing(standing, measured, policy):
    found = review(standing, measured, **policy)

    assert review(found, measured, **policy) == found


@given(standings | lent, amounts, amounts)
def test_more_never_leads_lower(standing, measured, more):
    assert height(rise(standing, measured)) <= height(rise(standing, measured + more))
    assert height(rise(standing, measured)) >= height(standing)


@given(standings | lent, amounts, policies)
def test_nobody_with_enough_falls_and_nobody_without_rises(standing, measured, policy):
    found = review(standing, measured, **policy)

    if measured >= height(standing):
        assert height(found) >= height(standing)
        assert found is None or found.falls_at is None
    else:
        assert height(found) <= height(standing)


@given(standings, st.lists(amounts, max_size=60), st.integers(0, 5), st.integers(0, 5))
def test_one_step_down_in_a_night_at_most(standing, history, grace_days, notice_days):
    heights = [0, *(step.threshold for step in STEPS.steps)]
    for nth, measured in enumerate(history):
        found = review(standing, measured, at=night(nth), fall="step", grace_days=grace_days, notice_days=notice_days)
        assert heights.index(height(standing)) - heights.index(height(found)) <= 1
        standing = found


@given(st.lists(amounts, max_size=90), st.integers(1, 20), st.integers(1, 20), st.sampled_from(["step", "match"]))
def test_nobody_falls_without_a_notice_as_many_days_before_as_were_promised(history, grace_days, notice_days, fall):
    policy = {"fall": fall, "grace_days": grace_days, "notice_days": notice_days}
    standing = None
    for nth, measured in enumerate(history):
        found = review(standing, measured, at=night(nth), **policy)
        if height(found) < height(standing):
            assert standing.warned_at is not None
            assert night(nth) - standing.warned_at >= min(grace_days, notice_days) * DAY
        standing = found


@given(standings, st.lists(amounts, max_size=60), st.integers(0, 40))
def test_a_level_given_by_hand_is_never_lost_before_its_end(standing, history, days):
    held = replace(standing or on(SILVER), is_manual=True, manual_until=night(days), falls_at=None, warned_at=None)
    least = height(held)
    for nth, measured in enumerate(history[:days]):
        held = review(held, measured, at=night(nth), fall="match", grace_days=0)
        assert height(held) >= least

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from antifraud import guard
from antifraud.guard import Guard, Proposal, StopLine, Tripped
from antifraud.usage import Key, Reading, Used
from campaigns.definitions import LimitLine, Miss
from campaigns.tests.offers import offer, rule
from tenants import periods

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
ANNA = 7
BUDGET = guard.budget_key(1)
MINUTE = guard.minute_key(campaign_id=1, at=NOON)
LADDER = guard.ladder_key(rule_id=1, member_id=ANNA)


def limit(**told: Any) -> LimitLine:
    return LimitLine(**{"id": 5, "per": "member", "period": "month", "max_count": None, "max_points": None, **told})


def key_of(line: LimitLine, *, member_id: int = ANNA) -> Key:
    starts = {"month": MAY, "ever": periods.EPOCH}
    return Key("limit", line.id, member_id if line.per == "member" else 0, line.period, starts[line.period])


def proposal(**told: Any) -> Proposal:
    return Proposal(offer=offer(**told), rule=rule(), member_id=ANNA, occurred_at=NOON)


def guard_of(
    *limits: LimitLine,
    used: dict[Key, Used] | None = None,
    stop_rules: Sequence[StopLine] = (),
    window: Used | None = None,
) -> Guard:
    """Return a guard for limits of all versions that has read what is used; of what is not told, nothing is."""
    keys = [key_of(line) for line in limits] + [BUDGET, MINUTE, LADDER]
    reading = Reading(
        counters={key: Used() for key in keys} | (used or {}),
        windows={(each.id, 1): window or Used() for each in stop_rules},
    )
    return Guard(reading=reading, limits=lambda _id: limits, stop_rules=stop_rules, zone=UTC, at=NOON)


# Limits


@pytest.mark.parametrize(("used", "is_free"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_limit_of_rewards_is_reached_with_the_last_of_them(used, is_free):
    line = limit(max_count=2)
    found = guard_of(line, used={key_of(line): Used(count=used)}).left(proposal(limits=(line,)), due=100)

    assert found == (100 if is_free else Miss("limit_count", {"per": "member", "period": "month", "max": 2}))


@pytest.mark.parametrize(
    ("used", "when_short", "left"),
    [
        (50, "cap", 100),
        (51, "cap", 99),
        (149, "cap", 1),
        (150, "cap", None),
        (200, "cap", None),
        (50, "refuse", 100),
        (51, "refuse", None),
    ],
)
def test_a_limit_of_points_gives_the_rest_or_nothing(used, when_short, left):
    line = limit(max_points=150)
    proposed = proposal(limits=(line,), when_short=when_short)

    found = guard_of(line, used={key_of(line): Used(points=used)}).left(proposed, due=100)

    miss = Miss("limit_points", {"per": "member", "period": "month", "max": 150})
    assert found == (miss if left is None else left)


@pytest.mark.parametrize("told", [{"limits": (limit(max_points=99),)}, {"budget_points": 99}])
def test_what_is_given_whole_is_never_cut(told):
    proposed = proposal(**told, when_short="cap")
    lines = told.get("limits", ())

    assert guard_of(*lines).left(proposed, due=100) == 99
    found = guard_of(*lines).left(proposed, due=100, is_whole=True)
    assert isinstance(found, Miss)


def test_what_gives_no_points_asks_for_none():
    line = limit(max_points=50, max_count=2)
    proposed = proposal(limits=(line,), budget_points=50)
    spent = {key_of(line): Used(1, 50), BUDGET: Used(1, 50)}

    assert guard_of(line, used=spent).left(proposed, due=0) == 0
    full = {key_of(line): Used(2, 50), BUDGET: Used(2, 50)}
    assert guard_of(line, used=full).left(proposed, due=0).code == "limit_count"


def test_the_tightest_of_several_limits_decides():
    month, ever = limit(max_points=80), limit(id=6, period="ever", max_points=60)
    proposed = proposal(limits=(month, ever), when_short="cap", budget_points=70)

    assert guard_of(month, ever).left(proposed, due=100) == 60


def test_the_first_limit_that_says_no_is_named():
    first, second = limit(max_count=1), limit(id=6, period="ever", max_count=1)
    used = {key_of(first): Used(count=1), key_of(second): Used(count=1)}

    found = guard_of(first, second, used=used).left(proposal(limits=(first, second)), due=100)

    assert found.params["period"] == "month"


@pytest.mark.parametrize(
    ("used", "when_short", "found"),
    [
        (0, "refuse", 100),
        (50, "refuse", 100),
        (51, "refuse", Miss("budget", {"budget": 150, "left": 99})),
        (51, "cap", 99),
        (149, "cap", 1),
        (150, "cap", Miss("budget", {"budget": 150, "left": 0})),
        (170, "cap", Miss("budget", {"budget": 150, "left": 0})),
    ],
)
def test_a_budget_gives_the_rest_or_nothing(used, when_short, found):
    proposed = proposal(budget_points=150, when_short=when_short)

    assert guard_of(used={BUDGET: Used(points=used)}).left(proposed, due=100) == found


def test_a_campaign_without_bounds_gives_all():
    assert guard_of(used={BUDGET: Used(points=10**9)}).left(proposal(), due=100) == 100


def test_the_limit_of_a_campaign_is_one_for_all_members():
    line = limit(per="campaign", max_count=1)
    shared = Key("limit", line.id, 0, "month", MAY)

    assert guard_of(line, used={shared: Used(count=1)}).left(proposal(limits=(line,)), due=100).code == "limit_count"


def test_the_budget_of_a_campaign_is_counted_for_all_members_and_for_ever():
    assert Key("campaign", 1, 0, "ever", periods.EPOCH) == BUDGET


def test_what_a_friend_was_given_for_coming_is_counted_apart_from_the_friends_they_bring():
    assert guard.ladder_key(rule_id=1, member_id=ANNA, side="invitee") != LADDER
    assert guard.ladder_key(rule_id=1, member_id=ANNA, side="inviter") == LADDER


# Reserving


def test_a_reservation_counts_everywhere_the_reward_stands():
    line = limit(max_count=2, max_points=500)
    watched = guard_of(line)

    watched.reserve(proposal(limits=(line,), budget_points=900), given=60, is_history=False)

    assert watched.changed == {
        key_of(line): Used(1, 60, 2, 500),
        BUDGET: Used(1, 60, None, 900),
        MINUTE: Used(1, 60),
    }


def test_what_one_reward_uses_the_next_one_finds_used():
    line = limit(max_count=1)
    watched = guard_of(line)

    watched.reserve(proposal(limits=(line,)), given=100, is_history=False)

    assert watched.left(proposal(limits=(line,)), due=100).code == "limit_count"


def test_a_limit_of_another_version_is_used_and_binds_nothing():
    line = limit(max_count=1, max_points=100)
    watched = guard_of(line, used={key_of(line): Used(1, 100, max_count=1, max_points=100)})
    assert watched.left(proposal(), due=100) == 100

    watched.reserve(proposal(), given=100, is_history=False)

    # The maximum gives way, or the database would refuse what an older version had promised.
    assert watched.changed[key_of(line)] == Used(2, 200, max_count=2, max_points=200)


def test_the_ladder_counts_on_and_is_not_stored():
    climbing = Proposal(offer=offer(), rule=rule(amount_kind="tiers"), member_id=ANNA, occurred_at=NOON)
    watched = guard_of(used={LADDER: Used(count=2)})
    assert watched.nth(climbing) == 3

    watched.reserve(climbing, given=100, is_history=False)

    assert watched.nth(climbing) == 4
    assert LADDER not in watched.changed


def test_giving_back_frees_limits_budget_and_ladder_and_no_minute():
    line = limit(max_count=2)
    watched = guard_of(
        line,
        used={key_of(line): Used(2, 200, max_count=2), BUDGET: Used(5, 500, max_points=900), LADDER: Used(count=3)},
    )

    watched.give_back(proposal().place, count=1, points=100)

    assert watched.changed == {key_of(line): Used(1, 100, max_count=2), BUDGET: Used(4, 400, max_points=900)}
    assert watched.nth(proposal()) == 3


def test_a_partial_refund_frees_points_only():
    watched = guard_of(used={BUDGET: Used(5, 500)})

    watched.give_back(proposal().place, count=0, points=30)

    assert watched.changed == {BUDGET: Used(5, 470)}


# Stop rules


def stop_line(**told: Any) -> StopLine:
    return StopLine(**{"id": 9, "campaign_id": None, "metric": "rewards", "threshold": 3, "window_minutes": 60, **told})


def reserve(watched: Guard, times: int, *, given: int = 100, is_history: bool = False) -> None:
    for _ in range(times):
        watched.reserve(proposal(), given=given, is_history=is_history)


@pytest.mark.parametrize(("before", "now", "figure"), [(0, 3, None), (0, 4, 4), (2, 1, None), (2, 2, 4), (3, 1, 4)])
def test_a_stop_rule_fires_with_the_first_reward_beyond_its_threshold(before, now, figure):
    line = stop_line()
    watched = guard_of(stop_rules=[line], window=Used(count=before))

    reserve(watched, now)

    assert watched.tripped == ({} if figure is None else {1: Tripped(line, 1, figure)})


def test_it_fires_once():
    line = stop_line()
    watched = guard_of(stop_rules=[line])

    reserve(watched, 6)

    assert watched.tripped == {1: Tripped(line, 1, 4)}


@pytest.mark.parametrize(("given", "figure"), [(100, None), (101, 301)])
def test_points_are_compared_with_the_threshold_too(given, figure):
    line = stop_line(metric="points", threshold=300)
    watched = guard_of(stop_rules=[line], window=Used(points=100))

    reserve(watched, 1)
    reserve(watched, 1, given=given)

    assert watched.tripped == ({} if figure is None else {1: Tripped(line, 1, figure)})


def test_a_rule_for_another_campaign_does_not_look():
    watched = guard_of(stop_rules=[stop_line(campaign_id=2)])

    reserve(watched, 9)

    assert watched.tripped == {}


def test_history_is_not_counted_by_stop_rules():
    watched = guard_of(stop_rules=[stop_line()])

    reserve(watched, 9, is_history=True)

    assert watched.tripped == {}
    assert MINUTE not in watched.changed
    assert watched.changed[BUDGET] == Used(9, 900)


def test_a_minute_is_that_of_the_handling():
    key = guard.minute_key(campaign_id=1, at=NOON + timedelta(seconds=59, microseconds=1))

    assert key == Key("campaign", 1, 0, "minute", NOON)

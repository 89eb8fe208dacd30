from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from antifraud.limits import guard, places
from antifraud.limits.alarms import NEARLY, UP
from antifraud.limits.guard import Guard, Proposal
from antifraud.limits.usage import Asked, Figures, Key, Reading, Thing, Used
from campaigns.definitions import LimitLine, Miss
from campaigns.tests.offers import offer, rule
from rewards.costs import Price
from tenants import periods

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
TODAY = date(2026, 5, 4)
ANNA, BORIS = 7, 8
BUDGET = guard.budget_key(1)
LADDER = guard.ladder_key(rule_id=1, member_id=ANNA)
# A point costs half a rouble.
PRICE = Price(50)


def limit(**told: Any) -> LimitLine:
    return LimitLine(**{"id": 5, "per": "member", "period": "month", **told})


def key_of(line: LimitLine, *, subject_id: int = ANNA) -> Key:
    starts = {"month": MAY, "ever": periods.EPOCH}
    return Key("limit", line.id, subject_id if line.per == "member" else 0, line.period, starts[line.period])


def proposal(**told: Any) -> Proposal:
    return Proposal(offer=offer(**told), rule=rule(), member_id=ANNA, occurred_at=NOON, actor_id=BORIS, inviter_id=ANNA)


def points(units: int, *, price: Price = PRICE) -> Asked:
    return Asked(units, price.cost_of(units), units, price)


def whole(units: int) -> Asked:
    """Return what is given in full or not at all."""
    return Asked(units, PRICE.cost_of(units))


def guard_of(
    *limits: LimitLine,
    everywhere: Sequence[LimitLine] = (),
    used: dict[Key, Used] | None = None,
    things: dict[tuple[str, int], tuple[Thing, ...]] | None = None,
) -> Guard:
    """Return a guard for limits of all versions that has read what is used; of what is not told, nothing is."""
    asked = [ask.key for ask in places.asks(proposal().place, limits=limits, everywhere=everywhere, zone=UTC)]
    asked += [
        key
        for line in (*limits, *everywhere)
        for key in places.keys_of(line, proposal().place, zone=UTC, things=things or {})
    ]
    reading = Reading(
        counters={key: Used() for key in (*asked, LADDER)} | (used or {}), windows={}, things=things or {}
    )
    return Guard(reading=reading, limits=lambda _id: limits, everywhere=everywhere, zone=UTC, at=NOON)


def left(watched: Guard, asked: Asked, **told: Any) -> int | Miss:
    """Return how many points are left of those asked for, or why none."""
    found = watched.left(proposal(**told), asked=asked)
    return found if isinstance(found, Miss) else found.points


# Limits


@pytest.mark.parametrize(("used", "is_free"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_limit_of_rewards_is_reached_with_the_last_of_them(used, is_free):
    line = limit(max_count=2)
    found = left(guard_of(line, used={key_of(line): Used(count=used)}), points(100), limits=(line,))

    assert found == (100 if is_free else Miss("limit_count", {"per": "member", "period": "month", "max": 2}))


@pytest.mark.parametrize(
    ("used", "when_short", "rest"),
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
def test_a_limit_of_points_gives_the_rest_or_nothing(used, when_short, rest):
    line = limit(max_points=150)
    found = left(
        guard_of(line, used={key_of(line): Used(points=used)}), points(100), limits=(line,), when_short=when_short
    )

    miss = Miss("limit_points", {"per": "member", "period": "month", "max": 150})
    assert found == (miss if rest is None else rest)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"limits": (limit(max_points=99),)}, "limit_points"),
        ({"limits": (limit(max_cost_minor=4_999),)}, "limit_cost"),
        ({"budget_points": 99}, "budget"),
        ({"budget_minor": 4_999}, "budget_cost"),
    ],
)
def test_what_is_given_whole_is_never_cut(told, code):
    lines = told.get("limits", ())

    assert left(guard_of(*lines), points(100), **told, when_short="cap") == 99
    assert left(guard_of(*lines), whole(100), **told, when_short="cap").code == code


def test_what_gives_no_points_asks_for_none():
    line = limit(max_points=50, max_count=2)
    told = {"limits": (line,), "budget_points": 50, "budget_minor": 50}
    spent = {key_of(line): Used(1, 50), BUDGET: Used(1, 50, cost_minor=50)}

    assert guard_of(line, used=spent).left(proposal(**told), asked=Asked()) == Asked()
    full = {key_of(line): Used(2, 50), BUDGET: Used(2, 50)}
    assert left(guard_of(line, used=full), Asked(), **told).code == "limit_count"


def test_the_tightest_of_several_limits_decides():
    month, ever = limit(max_points=80), limit(id=6, period="ever", max_points=60)
    told = {"limits": (month, ever), "when_short": "cap", "budget_points": 70}

    assert left(guard_of(month, ever), points(100), **told) == 60


def test_the_first_limit_that_says_no_is_named():
    first, second = limit(max_count=1), limit(id=6, period="ever", max_count=1)
    used = {key_of(first): Used(count=1), key_of(second): Used(count=1)}

    found = left(guard_of(first, second, used=used), points(100), limits=(first, second))

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
    watched = guard_of(used={BUDGET: Used(points=used)})

    assert left(watched, points(100), budget_points=150, when_short=when_short) == found


def test_a_campaign_without_bounds_gives_all():
    assert left(guard_of(used={BUDGET: Used(points=10**9)}), points(100)) == 100


def test_the_limit_of_a_campaign_is_one_for_all_members():
    line = limit(per="campaign", max_count=1)
    shared = Key("limit", line.id, 0, "month", MAY)

    assert left(guard_of(line, used={shared: Used(count=1)}), points(100), limits=(line,)).code == "limit_count"


def test_the_budget_of_a_campaign_is_counted_for_all_members_and_for_ever():
    assert Key("campaign", 1, 0, "ever", periods.EPOCH) == BUDGET


def test_what_a_friend_was_given_for_coming_is_counted_apart_from_the_friends_they_bring():
    assert guard.ladder_key(rule_id=1, member_id=ANNA, side="invitee") != LADDER
    assert guard.ladder_key(rule_id=1, member_id=ANNA, side="inviter") == LADDER


# Reserving


def test_a_reservation_counts_everywhere_the_reward_stands():
    line = limit(max_count=2, max_points=500)
    watched = guard_of(line)

    watched.reserve(proposal(limits=(line,), budget_points=900, budget_minor=9_000), asked=points(60))

    assert watched.changed == {
        key_of(line): Used(1, 60, 2, 500, 3_000),
        BUDGET: Used(1, 60, None, 900, 3_000, 9_000),
    }


def test_what_one_reward_uses_the_next_one_finds_used():
    line = limit(max_count=1)
    watched = guard_of(line)

    watched.reserve(proposal(limits=(line,)), asked=points(100))

    assert left(watched, points(100), limits=(line,)).code == "limit_count"


def test_a_limit_of_another_version_is_used_and_binds_nothing():
    line = limit(max_count=1, max_points=100)
    watched = guard_of(line, used={key_of(line): Used(1, 100, max_count=1, max_points=100)})
    assert left(watched, points(100)) == 100

    watched.reserve(proposal(), asked=points(100))

    # The maximum gives way, or the database would refuse what an older version had promised.
    assert watched.changed[key_of(line)] == Used(2, 200, max_count=2, max_points=200, cost_minor=5_000)


def test_the_ladder_counts_on_and_is_not_stored():
    climbing = Proposal(offer=offer(), rule=rule(amount_kind="tiers"), member_id=ANNA, occurred_at=NOON)
    watched = guard_of(used={LADDER: Used(count=2)})
    assert watched.nth(climbing) == 3

    watched.reserve(climbing, asked=points(100))

    assert watched.nth(climbing) == 4
    assert LADDER not in watched.changed


def test_giving_back_frees_limits_budget_and_ladder():
    line = limit(max_count=2)
    watched = guard_of(
        line,
        used={key_of(line): Used(2, 200, max_count=2), BUDGET: Used(5, 500, max_points=900), LADDER: Used(count=3)},
    )

    watched.give_back(proposal().place, figures=Figures(1, 100, 70))

    assert watched.changed == {
        key_of(line): Used(1, 100, max_count=2, cost_minor=-70),
        BUDGET: Used(4, 400, max_points=900, cost_minor=-70),
    }
    assert watched.nth(proposal()) == 3


def test_a_partial_refund_frees_points_only():
    watched = guard_of(used={BUDGET: Used(5, 500)})

    watched.give_back(proposal().place, figures=Figures(0, 30))

    assert watched.changed == {BUDGET: Used(5, 470)}


# Money


@pytest.mark.parametrize(
    ("used", "when_short", "found"),
    [
        (0, "refuse", 100),
        (5_000, "refuse", 100),
        (5_001, "refuse", Miss("budget_cost", {"budget_minor": 10_000, "left_minor": 4_999})),
        # Of half a point's price nothing is given.
        (5_001, "cap", 99),
        (9_950, "cap", 1),
        (9_951, "cap", Miss("budget_cost", {"budget_minor": 10_000, "left_minor": 49})),
        (10_500, "cap", Miss("budget_cost", {"budget_minor": 10_000, "left_minor": 0})),
    ],
)
def test_a_budget_in_money_gives_the_rest_or_nothing(used, when_short, found):
    watched = guard_of(used={BUDGET: Used(cost_minor=used)})

    assert left(watched, points(100), budget_minor=10_000, when_short=when_short) == found


def test_a_limit_of_cost_says_so_in_money():
    line = limit(max_cost_minor=4_000)

    found = left(guard_of(line), points(100), limits=(line,))

    assert found == Miss("limit_cost", {"per": "member", "period": "month", "max_minor": 4_000})


def test_what_is_no_points_is_cut_to_what_it_may_cost():
    line = limit(max_cost_minor=4_000, max_points=1, when_short="cap")
    money = Asked(0, 10_000, 10_000, Price(1))

    found = guard_of(line).left(proposal(limits=(line,)), asked=money)

    assert found == Asked(0, 4_000, 4_000, Price(1))


@pytest.mark.parametrize(("of_limit", "of_campaign", "given"), [("cap", "refuse", 60), ("", "cap", 60)])
def test_a_limit_says_for_itself_whether_what_is_left_is_given(of_limit, of_campaign, given):
    line = limit(max_points=60, when_short=of_limit)

    assert left(guard_of(line), points(100), limits=(line,), when_short=of_campaign) == given


def test_a_limit_refuses_although_its_campaign_gives_what_is_left():
    line = limit(max_points=60, when_short="refuse")

    assert left(guard_of(line), points(100), limits=(line,), when_short="cap").code == "limit_points"


# Whose


def test_a_limit_of_an_inviter_has_a_counter_of_its_own():
    line = limit(per="inviter", max_count=1)
    key = Key("inviter", 5, ANNA, "month", MAY)

    assert left(guard_of(line, used={key: Used(count=1)}), points(100), limits=(line,)).params["per"] == "inviter"


def test_what_nobody_was_invited_for_has_no_inviter():
    line = limit(per="inviter", max_count=1)
    alone = proposal(limits=(line,))._replace(side="actor", inviter_id=0)

    assert guard_of(line).left(alone, asked=points(100)) == points(100)


def test_every_device_of_whoever_acted_must_have_room():
    line = limit(per="device", max_count=1)
    things = {("device", BORIS): (Thing(11, MAY), Thing(12, NOON))}
    key = Key("device", 5, 12, "month", MAY)
    watched = guard_of(line, things=things)

    watched.reserve(proposal(limits=(line,)), asked=points(100))

    assert {each.subject_id for each in watched.changed if each.scope == "device"} == {11, 12}
    assert watched.changed[key] == Used(1, 100, 1, cost_minor=5_000)
    assert left(watched, points(100), limits=(line,)).params["per"] == "device"


def test_a_device_that_is_known_later_has_nothing_to_do_with_it():
    line = limit(per="device", max_count=1)
    things = {("device", BORIS): (Thing(11, NOON + timedelta(microseconds=1)),)}
    watched = guard_of(line, things=things)

    watched.reserve(proposal(limits=(line,)), asked=points(100))

    assert set(watched.changed) == {BUDGET}


def test_of_whom_no_device_is_known_no_limit_of_devices_applies():
    line = limit(per="device", max_count=1)

    assert left(guard_of(line), points(100), limits=(line,)) == 100


def test_a_limit_over_all_campaigns_says_so():
    line = limit(max_count=1)
    watched = guard_of(everywhere=(line,), used={key_of(line): Used(count=1)})

    told = {"per": "member", "period": "month", "max": 1, "everywhere": True}
    assert left(watched, points(100)) == Miss("limit_count", told)


# So many days


def rolling(**told: Any) -> LimitLine:
    return limit(period="rolling", days=3, **told)


def block_of(day: date) -> Key:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Key("limit", 5, ANNA, "3 days", periods.start_of("3 days", zone=UTC, at=at))


def used_on(days: dict[date, int]) -> dict[Key, Used]:
    found: dict[Key, Used] = {}
    for day, rewards in days.items():
        found.setdefault(block_of(day), Used()).add(Figures(rewards, 0, 0), day=day)
    return found


@pytest.mark.parametrize(
    ("before", "is_free"),
    [
        ({}, True),
        ({-2: 1, 0: 1}, False),
        ({-3: 2}, True),
        ({-2: 2}, False),
        ({2: 2}, False),
        ({3: 2}, True),
        # In no window are there two besides: those of three days hold one of them each.
        ({-2: 1, 1: 1}, True),
        ({-1: 1, 1: 1}, False),
    ],
)
def test_no_window_of_so_many_days_is_overfilled_before_or_after(before, is_free):
    line = rolling(max_count=2)
    used = used_on({TODAY + timedelta(days=nth): rewards for nth, rewards in before.items()})

    found = left(guard_of(line, used=used), points(100), limits=(line,))

    told = {"per": "member", "period": "rolling", "max": 2, "days": 3}
    assert found == (100 if is_free else Miss("limit_count", told))


def test_so_many_days_give_what_is_left_of_points():
    line = rolling(max_points=150, when_short="cap")
    yesterday = TODAY - timedelta(days=1)
    watched = guard_of(line, used={block_of(yesterday): Used(1, 90, days={yesterday: Figures(1, 90, 0)})})

    assert left(watched, points(100), limits=(line,)) == 60


def test_a_reservation_is_written_down_under_its_day():
    line = rolling(max_count=2)
    watched = guard_of(line)

    watched.reserve(proposal(limits=(line,)), asked=points(100))

    assert watched.changed[block_of(TODAY)] == Used(1, 100, 2, cost_minor=5_000, days={TODAY: Figures(1, 100, 5_000)})


def test_what_is_given_back_leaves_its_day():
    line = rolling(max_count=2)
    watched = guard_of(line)
    watched.reserve(proposal(limits=(line,)), asked=points(100))

    watched.give_back(proposal().place, figures=Figures(1, 100, 5_000))

    assert watched.changed[block_of(TODAY)] == Used(max_count=2)


# Alarms


@pytest.mark.parametrize(
    ("before", "levels"), [(6, []), (7, [NEARLY]), (8, []), (9, [UP])], ids=["70%", "80%", "90%", "100%"]
)
def test_a_limit_for_all_together_is_told_of_at_80_and_100_percent(before, levels):
    line = limit(per="campaign", max_count=10)
    watched = guard_of(line, used={key_of(line): Used(count=before)})

    watched.reserve(proposal(limits=(line,)), asked=points(100))

    assert [(each.level, each.used, each.maximum) for each in watched.alarms] == [
        (level, before + 1, 10) for level in levels
    ]


def test_what_is_not_enough_for_a_reward_is_used_up():
    watched = guard_of(used={BUDGET: Used(points=95)})

    assert left(watched, points(10), budget_points=100).code == "budget"

    assert [(each.level, each.measure, each.used, each.limit_id, each.campaign_id) for each in watched.alarms] == [
        (UP, "points", 95, None, 1)
    ]


def test_a_members_own_limit_alarms_nobody():
    line = limit(max_count=1)
    watched = guard_of(line)

    watched.reserve(proposal(limits=(line,)), asked=points(100))
    left(watched, points(100), limits=(line,))

    assert watched.alarms == ()

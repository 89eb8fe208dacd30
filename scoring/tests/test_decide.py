"""What a batch earns, decided from values alone."""

from datetime import timedelta
from typing import Any

import pytest

from antifraud.limits import guard
from antifraud.limits.usage import Used
from antifraud.stops.minutes import Subject, Tally, Window
from antifraud.stops.windows import StopLine
from campaigns.definitions import Condition, LimitLine, Tier
from campaigns.tests.offers import NOON, offer, rule
from referrals.touch import Touch
from rewards.refunds import Held
from scoring.decide import decide
from scoring.plan import Plan
from scoring.tests.situations import (
    ANNA,
    BORIS,
    CLARA,
    event,
    joined,
    known_order,
    paid,
    person,
    refunded,
    situation,
    touches_of,
)

ACTOR = rule(recipient="actor")
HOUR = timedelta(hours=1)


def proposed(plan: Plan) -> list[tuple[int, str, int, str]]:
    return [(each.member_id, each.side, each.given, each.status) for each in plan.proposed]


def codes(plan: Plan, event_id: int = 1) -> list[str]:
    """Return the codes of an event's trace: a rule that was missed is stored as an array."""
    return [entry["code"] if isinstance(entry, dict) else entry[2] for entry in plan.traces[event_id]]


def held(**told: Any) -> Held:
    usual = {
        "reward_id": 31,
        "order_id": 5,
        "campaign_id": 1,
        "version_id": 11,
        "rule_id": 1,
        "member_id": ANNA,
        "asset_id": 77,
    }
    state = {"side": "inviter", "status": "granted", "given": 100, "reversed": 0, "lost": 0, "balance": 100}
    return Held(**{**usual, **state, "occurred_at": NOON, "created_at": NOON, **told})


# Who


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("actor", [(BORIS, "actor")]),
        ("inviter", [(ANNA, "inviter")]),
        ("invitee", [(BORIS, "invitee")]),
        ("both", [(ANNA, "inviter"), (BORIS, "invitee")]),
    ],
)
def test_the_recipient_of_a_rule(recipient, expected):
    plan = decide(situation(paid(), offers=[offer(rules=(rule(recipient=recipient),))], brought={BORIS: ANNA}))

    assert [(each.member_id, each.side) for each in plan.proposed] == expected


def test_a_referral_counts_from_the_next_event_of_its_own_batch_on():
    batch = [paid("1", id=1), joined(code="K", id=2), paid("2", id=3)]

    plan = decide(situation(*batch, offers=[offer()], codes={"K": ANNA}))

    assert [codes(plan, number) for number in (1, 2, 3)] == [
        ["not_referred"],
        ["existing_member", "no_rule"],
        ["not_referred"],
    ]
    plan = decide(situation(*batch[1:], offers=[offer()], codes={"K": ANNA}))
    assert [codes(plan, number) for number in (2, 3)] == [["referred", "no_rule"], ["granted"]]
    assert plan.qualified == {BORIS: NOON}


def test_the_inviter_of_the_batch_counts_the_signups_of_the_batch():
    friends = range(100, 112)
    batch = [joined(friend, code="K", id=friend) for friend in friends]
    people = [person(friend) for friend in friends]
    welcome = offer(rules=(rule(trigger="member.joined"),))

    plan = decide(situation(*batch, offers=[welcome], codes={"K": ANNA}, people=people))

    assert [each.status for each in plan.proposed] == ["granted"] * 10 + ["flagged"] * 2
    assert [each.seen.evidence["signups"] for each in plan.noticed] == [11, 12]


def test_signups_are_counted_up_to_each_whatever_the_order_in_which_they_are_told():
    batch = [
        joined(number, code="K", id=number, occurred_at=NOON - (number - 100) * HOUR / 20) for number in range(100, 112)
    ]
    welcome = offer(rules=(rule(trigger="member.joined"),), starts_at=NOON - HOUR)

    plan = decide(
        situation(*batch, offers=[welcome], codes={"K": ANNA}, people=[person(number) for number in range(100, 112)])
    )

    assert plan.noticed == []


def test_a_signup_says_more_than_the_click_before_it():
    click = Touch(inviter_id=ANNA, code_id=1, code="K", click_id=8, channel="site", utm={"source": "blog"}, at=NOON)
    touches = {"touches": touches_of(clicks={"C": [click]})}
    told = {"channel": "telegram", "utm": {"source": "bot"}}

    (plain,) = decide(situation(event("member.joined", click_id="C"), **touches)).attributed
    (better,) = decide(situation(event("member.joined", click_id="C", **told), **touches)).attributed

    assert (plain.channel, plain.utm, plain.click_id) == ("site", {"source": "blog"}, 8)
    assert (better.channel, better.utm) == ("telegram", {"source": "bot"})


@pytest.mark.parametrize(
    ("batch", "code"),
    [
        ([paid(id=1, occurred_at=NOON - HOUR), paid("2", id=2)], "existing_member"),
        ([paid(id=1), paid("2", id=2)], "referred"),
        ([event("order.cancelled", order_id="1001", id=1)], "referred"),
    ],
    ids=["paid before", "paid after", "cancelled"],
)
def test_what_a_batch_tells_of_orders_decides_whether_somebody_is_new(batch, code):
    is_cancelled = len(batch) == 1
    told = {
        "people": [person(BORIS, orders=[NOON - HOUR], orders_count=1)],
        "orders": [known_order(paid_at=NOON - HOUR)],
    }
    signup = joined(code="K", id=9, occurred_at=NOON - HOUR / 2)

    plan = decide(situation(*batch, signup, codes={"K": ANNA}, **(told if is_cancelled else {})))

    assert codes(plan, 9)[0] == code


def test_a_blocked_member_is_passed_over():
    plan = decide(situation(paid(), offers=[offer(rules=(ACTOR,))], people=[person(BORIS, is_blocked=True)]))

    assert (codes(plan), proposed(plan)) == (["member_blocked"], [])


# Which orders


def test_an_order_is_not_among_those_before_it():
    first = offer(rules=(rule(recipient="actor", order_number="first"),))

    plan = decide(situation(paid("1", id=1), paid("2", id=2), offers=[first]))

    assert [each.occurrence for each in plan.proposed] == ["order:1"]
    assert plan.traces[2] == [[11, 1, "not_first_order", {"earlier": 1}]]


def test_of_orders_told_newest_first_one_is_the_first():
    first = offer(rules=(rule(recipient="actor", order_number="first"),), starts_at=NOON - HOUR)
    batch = [paid("2", id=1), paid("1", id=2, occurred_at=NOON - HOUR)]

    plan = decide(situation(*batch, offers=[first]))

    assert [each.occurrence for each in plan.proposed] == ["order:2"]


def test_a_cancelled_order_leaves_the_next_one_first():
    first = offer(rules=(rule(recipient="actor", order_number="first"),))
    batch = [event("order.cancelled", order_id="1001", id=1), paid("1002", id=2)]
    customer = person(BORIS, orders=[NOON], orders_count=1)

    plan = decide(situation(*batch, offers=[first], people=[customer], orders=[known_order()]))

    assert [each.occurrence for each in plan.proposed] == ["order:1002"]


@pytest.mark.parametrize(("joined_ago", "days"), [(47 * HOUR, 1), (48 * HOUR, 2), (-48 * HOUR, 0)])
def test_days_since_joining_are_whole_and_never_below_zero(joined_ago, days):
    asked = (Condition(field="member.days", operator="equals", value=days),)
    line = rule(recipient="actor", conditions=asked)

    plan = decide(situation(paid(), offers=[offer(rules=(line,))], people=[person(BORIS, joined_at=NOON - joined_ago)]))

    assert codes(plan) == ["granted"]


# What it is for


@pytest.mark.parametrize(
    ("incoming", "occurrence"),
    [
        (paid("1001"), "order:1001"),
        (joined(), f"invitee:{BORIS}"),
        (event("check_in"), f"member:{BORIS}:day:2026-05-04"),
        (event("custom.quiz", id=9), "event:9"),
    ],
    ids=["order", "signup", "day", "anything else"],
)
def test_the_occurrence_of_each_kind(incoming, occurrence):
    line = rule(trigger=incoming.kind, recipient="actor")

    plan = decide(situation(incoming, offers=[offer(rules=(line,))]))

    assert [each.occurrence for each in plan.proposed] == [occurrence]


def test_what_was_rewarded_before_is_not_rewarded_again():
    line = rule(trigger="check_in", recipient="actor")
    before = frozenset({(1, BORIS, f"member:{BORIS}:day:2026-05-04")})

    plan = decide(situation(event("check_in"), offers=[offer(rules=(line,))], existing=before))

    assert codes(plan) == ["already_rewarded"]


# How much


def test_a_batch_climbs_the_ladder():
    ladder = offer(
        rules=(rule(amount_kind="tiers"),),
        tiers=(Tier(from_count=1, amount_points=100), Tier(from_count=3, amount_points=200)),
    )
    batch = [paid("1", BORIS, id=1), paid("2", CLARA, id=2)]
    used = {guard.ladder_key(rule_id=1, member_id=ANNA): Used(count=1)}

    plan = decide(situation(*batch, offers=[ladder], brought={BORIS: ANNA, CLARA: ANNA}, used=used))

    assert [each.given for each in plan.proposed] == [100, 200]


def test_what_is_due_and_what_is_given_are_both_told():
    poor = offer(rules=(ACTOR,), budget_points=30, when_short="cap")

    plan = decide(situation(paid(), offers=[poor]))

    assert [(each.due, each.given) for each in plan.proposed] == [(100, 30)]
    assert (plan.traces[1][0]["due"], plan.traces[1][0]["points"]) == (100, 30)


def test_one_limit_for_both_sides_is_used_by_the_first():
    line = LimitLine(id=3, per="campaign", period="day", max_count=1)
    both = offer(rules=(rule(recipient="both"),), limits=(line,))

    plan = decide(situation(paid(), offers=[both], brought={BORIS: ANNA}))

    assert codes(plan) == ["granted", "limit_count"]
    assert plan.used[guard.budget_key(1)] == Used(1, 100, cost_minor=10_000)


# Which campaign


def test_offers_are_tried_by_priority():
    low = offer(rules=(rule(recipient="actor", amount_points=1),))
    high = offer(campaign_id=2, version_id=22, priority=1, rules=(rule(id=2, recipient="actor", amount_points=2),))

    plan = decide(situation(paid(), offers=[low, high]))

    assert [each.given for each in plan.proposed] == [2, 1]


@pytest.mark.parametrize(("first_group", "given"), [("season", [2]), ("other", [2, 1]), ("", [2, 1])])
def test_one_of_an_exclusive_group_rewards(first_group, given):
    low = offer(rules=(rule(recipient="actor", amount_points=1),), exclusive_group="season")
    high = offer(
        campaign_id=2,
        priority=1,
        exclusive_group=first_group,
        rules=(rule(id=2, recipient="actor", amount_points=2),),
    )

    plan = decide(situation(paid(), offers=[low, high]))

    assert [each.given for each in plan.proposed] == given


def test_a_group_is_free_again_for_the_next_event():
    low = offer(rules=(rule(recipient="actor", amount_points=1),), exclusive_group="season")
    high = offer(campaign_id=2, priority=1, exclusive_group="season", rules=(rule(id=2, recipient="actor"),))

    plan = decide(situation(paid("1", id=1), paid("2", id=2), offers=[low, high]))

    assert [codes(plan, number) for number in (1, 2)] == [["granted", "exclusive_group"]] * 2


def test_what_a_reward_refuses_leaves_the_group_to_the_next():
    low = offer(rules=(rule(recipient="actor", amount_points=1),), exclusive_group="season")
    high = offer(
        campaign_id=2,
        priority=1,
        exclusive_group="season",
        budget_points=1,
        rules=(rule(id=2, recipient="actor"),),
    )

    plan = decide(situation(paid(), offers=[low, high]))

    assert codes(plan) == ["budget", "granted"]


# When it is paid


@pytest.mark.parametrize(
    ("hold_days", "ago", "status"), [(0, 0, "granted"), (14, 0, "pending"), (14, 13, "pending"), (14, 14, "granted")]
)
def test_a_hold_runs_from_when_it_occurred(hold_days, ago, status):
    line = rule(recipient="actor", hold_days=hold_days)
    then = NOON - timedelta(days=ago)

    plan = decide(situation(paid(occurred_at=then), offers=[offer(rules=(line,), starts_at=then)]))

    assert proposed(plan) == [(BORIS, "actor", 100, status)]


def test_a_flag_is_stronger_than_a_hold():
    shared = frozenset({("card", "x")})
    people = [person(ANNA, identities=shared), person(BORIS, identities=shared)]
    held_long = offer(rules=(rule(recipient="both", hold_days=14),))

    plan = decide(situation(paid(), offers=[held_long], brought={BORIS: ANNA}, people=people))

    assert [each.status for each in plan.proposed] == ["flagged", "flagged"]
    assert {each.verdict for each in plan.noticed} == {"flag"}


# Refunds


def test_a_refund_takes_back_in_proportion():
    plan = decide(situation(refunded(amount_minor=12_500), offers=[offer()], orders=[known_order(held())]))

    (taken,) = plan.taken_back
    assert (taken.taken, taken.after.reversed, taken.after.status, taken.refund_id) == (25, 25, "granted", "event:1")
    assert plan.returned[5].refunded_minor == 12_500


def test_two_refunds_of_a_batch_go_on_from_each_other():
    batch = [refunded(amount_minor=25_000, id=1), refunded(amount_minor=25_000, id=2)]

    plan = decide(situation(*batch, offers=[offer()], orders=[known_order(held())]))

    assert [(each.taken, each.after.status) for each in plan.taken_back] == [(50, "granted"), (50, "reversed")]
    assert [plan.traces[number][0]["points"] for number in (1, 2)] == [50, 50]
    assert plan.used[guard.budget_key(1)] == Used(-1, -100)


def test_what_the_member_has_spent_is_lost():
    plan = decide(situation(refunded(), offers=[offer()], orders=[known_order(held(balance=30))]))

    (taken,) = plan.taken_back
    assert (taken.taken, taken.after.reversed, taken.after.lost) == (30, 30, 70)
    assert (plan.traces[1][0]["points"], plan.traces[1][0]["params"]) == (30, {"lost": 70, "lost_why": "spent"})


def test_two_rewards_of_one_member_are_taken_from_one_balance():
    rewards = [held(balance=120), held(reward_id=32, balance=120)]

    plan = decide(situation(refunded(), offers=[offer()], orders=[known_order(*rewards)]))

    assert [each.taken for each in plan.taken_back] == [100, 20]


def test_a_rejected_reward_frees_nothing_again():
    plan = decide(situation(refunded(), offers=[offer()], orders=[known_order(held(status="rejected"))]))

    assert plan.used == {}


def test_a_refund_of_an_unknown_order_is_parked_and_holds_up_nobody():
    plan = decide(situation(refunded("404", id=1), paid("1", id=2), offers=[offer(rules=(ACTOR,))]))

    assert plan.parked == {1: "unknown_order"}
    assert list(plan.traces) == [2]


def test_a_refund_of_an_order_of_the_same_batch_ends_the_batch_before_it():
    batch = [paid("1", id=1), refunded("1", id=2), paid("2", id=3)]

    plan = decide(situation(*batch, offers=[offer(rules=(ACTOR,))]))

    assert (list(plan.traces), plan.parked) == ([1], {})


def test_an_order_whose_refund_came_before_it_in_the_batch_ends_the_batch():
    batch = [refunded("1", id=1), refunded("404", id=2), paid("1", id=3), paid("2", id=4)]

    plan = decide(situation(*batch, offers=[offer(rules=(ACTOR,))]))

    assert (list(plan.traces), plan.parked, plan.woken) == ([3], {2: "unknown_order"}, [])


def test_an_order_wakes_the_refunds_that_were_parked_and_ends_the_batch():
    batch = [paid("1", id=11), paid("2", id=12), paid("3", id=13)]

    plan = decide(situation(*batch, offers=[offer(rules=(ACTOR,))], early={"2": (7, 8), "3": (9,)}))

    assert (list(plan.traces), plan.parked, plan.woken) == ([11, 12], {}, [7, 8])


# Stops


def test_the_reward_that_trips_and_all_after_it_are_flagged():
    line = StopLine(id=9, campaign_id=None, metric="rewards", threshold=2, window_minutes=60)
    batch = [paid(str(number), id=number) for number in range(1, 5)]

    plan = decide(situation(*batch, offers=[offer(rules=(ACTOR,))], stop_rules=(line,)))

    assert [each.status for each in plan.proposed] == ["granted", "granted", "flagged", "flagged"]
    assert [(each.stop_rule, each.campaign_id, each.figure) for each in plan.tripped] == [(line, 1, 3)]


def test_what_a_stopped_campaign_owes_is_flagged():
    stopped = offer(status="stopped", rules=(ACTOR,))

    plan = decide(situation(paid(), offers=[stopped]))

    assert [each.status for each in plan.proposed] == ["flagged"]


def test_a_campaign_that_is_stopped_does_not_trip_again():
    line = StopLine(id=9, campaign_id=None, metric="rewards", threshold=1, window_minutes=60)
    stopped = offer(status="stopped", rules=(ACTOR,))

    plan = decide(situation(paid("1", id=1), paid("2", id=2), offers=[stopped], stop_rules=(line,)))

    assert plan.tripped == []


def test_what_the_window_has_seen_counts_too():
    line = StopLine(id=9, metric="rewards", threshold=2, window_minutes=60)
    before = Window(Subject("campaign", "1"), NOON - timedelta(hours=1))

    plan = decide(
        situation(
            paid("1", id=1),
            paid("2", id=2),
            offers=[offer(rules=(ACTOR,))],
            stop_rules=(line,),
            happened={before: Tally(rewards=1)},
        )
    )

    assert [each.status for each in plan.proposed] == ["granted", "flagged"]
    assert plan.noted[Subject("campaign", "1")].rewards == 2


def test_history_is_not_noted():
    plan = decide(situation(paid(is_history=True), offers=[offer(rules=(ACTOR,))]))

    assert [each.status for each in plan.proposed] == ["granted"]
    assert plan.noted == {}


def test_an_empty_batch_comes_to_nothing():
    assert decide(situation()) == Plan()

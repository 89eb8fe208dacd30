from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.refunds import Held, Refund, Settled, settle, target

NOON = datetime(2026, 3, 17, 12, tzinfo=UTC)


def held(*, status="granted", given=100, **columns):
    usual = {
        "reward_id": 1,
        "order_id": 1,
        "campaign_id": 1,
        "rule_id": 1,
        "version_id": 1,
        "member_id": 1,
        "asset_id": 1,
        "side": "actor",
        "reversed": 0,
        "lost": 0,
        "occurred_at": NOON,
        "created_at": NOON,
    }
    return Held(**{**usual, "status": status, "given": given, **columns})


def refund(refunded_minor, *, of=1000, is_cancelled=False):
    return Refund(amount_minor=of, refunded_minor=refunded_minor, is_cancelled=is_cancelled)


def outcome(settled: Settled):
    after = settled.after
    return after.status, after.reversed, after.lost, settled.taken


def test_half_of_the_money_takes_half_of_the_reward():
    settled = settle(held(), refund=refund(500), balance=100)

    assert outcome(settled) == ("granted", 50, 0, 50)
    assert settled.after.balance == 50


def test_rounds_down_so_that_nobody_loses_more_than_their_share():
    assert target(given=100, refund=refund(333)) == 33
    assert target(given=100, refund=refund(339)) == 33


def test_parts_add_up_to_the_whole():
    first = settle(held(), refund=refund(333), balance=100)
    second = settle(first.after, refund=refund(666), balance=first.after.balance)
    third = settle(second.after, refund=refund(1000), balance=second.after.balance)

    assert [each.taken for each in (first, second, third)] == [33, 33, 34]
    assert outcome(third) == ("reversed", 100, 0, 34)


def test_the_same_refund_again_takes_nothing():
    first = settle(held(), refund=refund(500), balance=100)

    assert settle(first.after, refund=refund(500), balance=50) is None


def test_a_full_refund_of_what_is_pending_cancels_it_and_touches_no_balance():
    assert outcome(settle(held(status="pending"), refund=refund(1000), balance=70)) == ("cancelled", 100, 0, 0)


def test_a_part_of_what_is_flagged_is_not_owed_any_more():
    assert outcome(settle(held(status="flagged"), refund=refund(250), balance=0)) == ("flagged", 25, 0, 0)


def test_a_cancelled_order_takes_everything():
    assert outcome(settle(held(), refund=refund(0, is_cancelled=True), balance=100)) == ("reversed", 100, 0, 100)


def test_a_refund_of_an_order_over_nothing_is_whole():
    assert outcome(settle(held(), refund=refund(0, of=0), balance=100)) == ("reversed", 100, 0, 100)


def test_what_has_been_spent_is_lost():
    assert outcome(settle(held(), refund=refund(1000), balance=40)) == ("reversed", 40, 60, 40)


@pytest.mark.parametrize(
    ("policy", "may_owe", "expected"),
    [
        ("pending_only", True, ("reversed", 0, 100, 0)),
        ("to_zero", True, ("reversed", 40, 60, 40)),
        ("debt", False, ("reversed", 40, 60, 40)),
        ("debt", True, ("reversed", 100, 0, 100)),
    ],
)
def test_what_was_granted_is_taken_as_the_campaign_said(policy, may_owe, expected):
    reward = held(refund_policy=policy, may_owe=may_owe)

    settled = settle(reward, refund=refund(1000), balance=40)

    assert outcome(settled) == expected
    assert settled.after.balance == 40 - expected[3]


@pytest.mark.parametrize("policy", ["pending_only", "to_zero", "debt"])
def test_what_is_pending_is_cancelled_whatever_the_campaign_said(policy):
    settled = settle(held(status="pending", refund_policy=policy, may_owe=True), refund=refund(500), balance=0)

    assert (outcome(settled), settled.after.lost_why) == (("pending", 50, 0, 0), "")


def test_nothing_is_taken_from_whoever_is_in_debt():
    settled = settle(held(), refund=refund(1000), balance=-30)

    assert (outcome(settled), settled.after.lost_why) == (("reversed", 0, 100, 0), "spent")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, ("reversed", 1, 0, 0)),
        ({"stuck": "shown"}, ("reversed", 0, 1, 0)),
        ({"refund_policy": "pending_only"}, ("reversed", 0, 1, 0)),
        ({"refund_policy": "debt"}, ("reversed", 1, 0, 0)),
        ({"status": "pending"}, ("cancelled", 1, 0, 0)),
    ],
)
def test_a_gift_is_taken_back_whole_or_lost(columns, expected):
    gift = held(given=1, asset_id=None, kind="product", what="mug", is_points=False, **columns)

    assert settle(gift, refund=refund(999), balance=0) is None
    assert outcome(settle(gift, refund=refund(1000), balance=0)) == expected


def test_why_something_is_lost_is_kept():
    settled = settle(held(given=1, asset_id=None, stuck="used"), refund=refund(1000), balance=0)

    assert settled.after.lost_why == "used"


def test_what_is_lost_is_not_asked_for_again():
    first = settle(held(), refund=refund(500), balance=10)
    second = settle(first.after, refund=refund(1000), balance=500)

    assert outcome(first) == ("granted", 10, 40, 10)
    assert outcome(second) == ("reversed", 60, 40, 50)


def test_a_rejected_reward_stays_rejected_but_remembers():
    settled = settle(held(status="rejected"), refund=refund(1000), balance=0)

    assert outcome(settled) == ("rejected", 100, 0, 0)
    assert settled.after.remaining == 0


@pytest.mark.parametrize("status", ["cancelled", "reversed"])
def test_nothing_is_left_of_what_is_over(status):
    assert settle(held(status=status, reversed=100), refund=refund(1000), balance=100) is None


@given(
    amount=st.integers(1, 10**12),
    given_points=st.integers(1, 10**9),
    parts=st.lists(st.integers(1, 10**12), max_size=6),
    balance=st.integers(0, 10**9),
    status=st.sampled_from(["flagged", "pending", "granted", "rejected"]),
)
def test_any_refunds_take_their_share_and_never_more(amount, given_points, parts, balance, status):
    reward, refunded, taken = held(status=status, given=given_points), 0, 0
    for part in parts:
        refunded = min(amount, refunded + part)
        settled = settle(reward, refund=refund(refunded, of=amount), balance=balance - taken)
        if settled is None:
            continue
        reward = settled.after
        taken += settled.taken
        assert settled.before.status == status

    due = given_points * refunded // amount
    assert reward.reversed + reward.lost == due
    assert taken == (reward.reversed if status == "granted" else 0) <= balance
    assert (reward.remaining == 0) == (refunded == amount)
    assert replace(reward, status="", reversed=0, lost=0, lost_why="", balance=0) == held(status="", given=given_points)

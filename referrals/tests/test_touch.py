from datetime import UTC, datetime, timedelta

import pytest

from referrals.touch import Miss, Policy, Touch, Touches, choose, forbid

JOINED_AT = datetime(2026, 3, 17, 12, tzinfo=UTC)
ANNA, BORIS, VERA = 1, 2, 3
MOMENT = timedelta(microseconds=1)


def click(inviter_id, at, click_id=1):
    return Touch(inviter_id=inviter_id, code_id=inviter_id, code=f"CODE{inviter_id}", click_id=click_id, at=at)


def typed(inviter_id):
    return Touch(inviter_id=inviter_id, code_id=inviter_id, code=f"CODE{inviter_id}")


def gathered(*, codes=(), clicks=None, policy=None):
    return Touches(
        policy=policy or Policy(),
        codes={each.code: each for each in codes},
        clicks=clicks or {},
        referrals={},
    )


def credited(touches, *, joined_at=JOINED_AT, **policy):
    found = choose(touches, policy=Policy(**policy), joined_at=joined_at)
    return found.code if isinstance(found, Miss) else found.inviter_id


# The window


@pytest.mark.parametrize(
    ("ago", "found"),
    [
        (timedelta(days=30), ANNA),
        (timedelta(days=30) + MOMENT, "outside_window"),
        (timedelta(0), ANNA),
        # Our clock may be ahead of the shop's.
        (-timedelta(minutes=5), ANNA),
        (-timedelta(minutes=5) - MOMENT, "outside_window"),
    ],
)
def test_both_ends_of_the_window_belong_to_it(ago, found):
    assert credited([click(ANNA, JOINED_AT - ago)], window_days=30) == found


def test_the_window_is_the_tenant_s_choice():
    yesterday = [click(ANNA, JOINED_AT - timedelta(days=2))]

    assert credited(yesterday, window_days=1) == "outside_window"
    assert credited(yesterday, window_days=2) == ANNA


# Last or first


@pytest.mark.parametrize(("touch", "found"), [("last", BORIS), ("first", ANNA)])
def test_the_last_or_the_first_click_is_credited(touch, found):
    clicks = [click(BORIS, JOINED_AT - timedelta(days=1), 2), click(ANNA, JOINED_AT - timedelta(days=3), 1)]

    assert credited(clicks, touch=touch) == found
    assert credited(clicks[::-1], touch=touch) == found


def test_a_click_outside_the_window_is_nobody_s_first():
    clicks = [click(ANNA, JOINED_AT - timedelta(days=31), 1), click(BORIS, JOINED_AT - timedelta(days=1), 2)]

    assert credited(clicks, touch="first", window_days=30) == BORIS


@pytest.mark.parametrize(("touch", "found"), [("last", BORIS), ("first", ANNA)])
def test_of_two_clicks_of_one_instant_the_order_of_arrival_decides(touch, found):
    assert credited([click(BORIS, JOINED_AT, 2), click(ANNA, JOINED_AT, 1)], touch=touch) == found


@pytest.mark.parametrize(("touch", "found"), [("last", BORIS), ("first", ANNA)])
def test_a_typed_code_is_a_touch_of_the_moment_of_joining(touch, found):
    assert credited([click(ANNA, JOINED_AT), typed(BORIS)], touch=touch) == found
    assert credited([typed(BORIS), click(ANNA, JOINED_AT - timedelta(days=1))], touch=touch) == found


# What the event named


def test_a_code_without_a_click_is_a_touch():
    touches = gathered(codes=[typed(ANNA)])

    assert touches.given(code="CODE1", click_key="") == [typed(ANNA)]


def test_a_click_brings_all_clicks_of_its_visitor():
    clicks = [click(ANNA, JOINED_AT, 1), click(BORIS, JOINED_AT, 2)]

    assert gathered(clicks={"key": clicks}).given(code="", click_key="key") == clicks


def test_a_code_that_came_with_the_click_does_not_outlive_the_window():
    old = [click(ANNA, JOINED_AT - timedelta(days=31))]
    touches = gathered(codes=[typed(ANNA)], clicks={"key": old})

    assert credited(touches.given(code="CODE1", click_key="key")) == "outside_window"


def test_another_code_than_that_of_the_click_was_typed():
    touches = gathered(codes=[typed(BORIS)], clicks={"key": [click(ANNA, JOINED_AT)]})

    assert touches.given(code="CODE2", click_key="key") == [click(ANNA, JOINED_AT), typed(BORIS)]


@pytest.mark.parametrize(
    ("code", "click_key", "miss"),
    [("", "", "not_invited"), ("CODE9", "", "unknown_code"), ("", "nine", "unknown_click")],
)
def test_what_is_unknown_brings_nobody(code, click_key, miss):
    given = gathered(codes=[typed(ANNA)]).given(code=code, click_key=click_key)

    assert given == Miss(miss)
    assert credited(given) == miss


def test_a_good_code_counts_beside_an_unknown_click():
    assert gathered(codes=[typed(ANNA)]).given(code="CODE1", click_key="nine") == [typed(ANNA)]


def test_a_good_click_counts_beside_an_unknown_code():
    clicks = [click(ANNA, JOINED_AT)]

    assert gathered(clicks={"key": clicks}).given(code="CODE9", click_key="key") == clicks


# Who may be brought


def forbidden(inviter_id, *, invitee_id=VERA, is_existing=False, inviters=None):
    found = forbid(typed(inviter_id), invitee_id=invitee_id, is_existing=is_existing, inviters=inviters or {})
    return found and found.code


def test_somebody_new_may_be_brought():
    assert forbidden(ANNA) is None
    assert forbidden(ANNA, inviters={ANNA: BORIS}) is None


def test_nobody_brings_themselves():
    assert forbidden(VERA) == "self_referral"


def test_nobody_is_brought_twice():
    assert forbidden(ANNA, inviters={VERA: BORIS}) == "already_referred"
    assert forbidden(ANNA, inviters={VERA: ANNA}) == "already_referred"


def test_a_customer_of_old_is_not_brought():
    assert forbidden(ANNA, is_existing=True) == "existing_member"


@pytest.mark.parametrize("length", [1, 2, 50])
def test_nobody_is_brought_by_somebody_they_brought(length):
    chain = {100 + n + 1: 100 + n for n in range(length)}

    assert forbidden(100 + length, invitee_id=100, inviters=chain) == "loop"


def test_a_ring_that_is_there_already_ends_the_search():
    assert forbidden(ANNA, inviters={ANNA: BORIS, BORIS: ANNA}) is None

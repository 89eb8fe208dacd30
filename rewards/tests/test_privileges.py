"""Privileges: a right for a time, prolonged when it is given again, and what a member may do now."""

from datetime import UTC, datetime, timedelta

import pytest

from rewards.kinds.privilege import holding
from rewards.models import Entitlement, Level, Standing
from rewards.tests import gifts
from rewards.tests.stage import NOON

pytestmark = pytest.mark.django_db

# Thirty days after 17 March, and thirty more, end at these midnights in Moscow.
FIRST_END = datetime(2026, 4, 16, 21, tzinfo=UTC)
SECOND_END = datetime(2026, 5, 16, 21, tzinfo=UTC)


@pytest.fixture
def chat(acme):
    return gifts.gift("privilege", code="vip-chat", name="VIP chat")


def period(entitlement: Entitlement) -> tuple[datetime | None, datetime | None]:
    fresh = Entitlement.objects.get(pk=entitlement.pk)
    return fresh.valid_from, fresh.valid_until


def test_a_right_holds_from_now_for_its_days(chat, anna, boris):
    (given,) = gifts.give(chat, anna)

    assert period(given) == (NOON, FIRST_END)
    assert holding.list_rights(member_id=anna.pk, at=NOON) == [holding.Right("vip-chat", "VIP chat", FIRST_END, False)]
    assert holding.list_rights(member_id=anna.pk, at=FIRST_END) == []
    assert holding.list_rights(member_id=boris.pk, at=NOON) == []


def test_given_again_it_is_prolonged_from_its_end(chat, anna):
    (first,) = gifts.give(chat, anna)

    (second,) = gifts.give(chat, anna, at=NOON + timedelta(days=3))

    assert [period(first), period(second)] == [(NOON, FIRST_END), (FIRST_END, SECOND_END)]
    assert [each.until for each in holding.list_rights(member_id=anna.pk, at=NOON)] == [SECOND_END]
    assert [each.until for each in holding.list_rights(member_id=anna.pk, at=FIRST_END)] == [SECOND_END]


def test_two_at_once_follow_each_other_and_are_each_members_own(chat, anna, boris):
    given = gifts.give(chat, anna, boris, anna)

    assert [period(each) for each in given] == [(NOON, FIRST_END), (NOON, FIRST_END), (FIRST_END, SECOND_END)]


def test_after_its_end_it_begins_anew(chat, anna):
    gifts.give(chat, anna)

    (second,) = gifts.give(chat, anna, at=FIRST_END)

    assert period(second) == (FIRST_END, datetime(2026, 5, 17, 21, tzinfo=UTC))


def test_a_right_for_ever_has_no_end(anna):
    (given,) = gifts.give(gifts.gift("privilege", terms={"days": None}), anna)

    assert period(given) == (NOON, None)
    assert [each.until for each in holding.list_rights(member_id=anna.pk, at=NOON + timedelta(days=9_999))] == [None]


def test_what_follows_one_that_is_taken_back_begins_earlier(chat, anna):
    first, second, third = gifts.give(chat, anna, anna, anna)
    at = NOON + timedelta(days=1)

    gifts.stop(first, at=at)

    assert gifts.statuses(first, second, third) == ["cancelled", "issued", "issued"]
    assert period(second) == (at, datetime(2026, 4, 17, 21, tzinfo=UTC))
    assert period(third) == (datetime(2026, 4, 17, 21, tzinfo=UTC), datetime(2026, 5, 17, 21, tzinfo=UTC))


def test_one_that_follows_can_be_taken_back_alone(chat, anna):
    first, second, third = gifts.give(chat, anna, anna, anna)

    gifts.stop(second)

    assert [period(first), period(third)] == [(NOON, FIRST_END), (FIRST_END, SECOND_END)]


def test_what_a_level_brings_holds_as_long_as_the_level(chat, anna):
    level = Level.objects.create(code="gold", name="Gold", threshold=100, privileges=["vip-chat"])
    Standing.objects.create(member=anna, level=level, since=NOON, measured=100)
    gifts.give(chat, anna)

    assert holding.list_rights(member_id=anna.pk, at=NOON) == [holding.Right("vip-chat", "VIP chat", None, True)]

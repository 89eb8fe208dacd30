"""What is beyond reach is told before anybody tries, and trying says the same."""

from datetime import timedelta

import pytest

from core.db import transaction
from rewards import beyond, entitlements, giving
from rewards.beyond import Beyond
from rewards.models import Account, Entitlement, Reward
from rewards.tests import gifts
from rewards.tests.stage import NOON

LATER = NOON + timedelta(hours=1)


# Units


def test_what_lies_on_the_account_is_within_reach(scene):
    reward_id = scene.owe(scene.member("anna"), status="granted")

    assert beyond.beyond_reach(reward_ids=[reward_id]) == []


def test_what_is_spent_is_not(scene):
    anna = scene.member("anna")
    reward_id = scene.owe(anna, status="granted", given=100)
    Account.objects.filter(member=anna).update(balance=40)

    assert beyond.beyond_reach(reward_ids=[reward_id]) == [Beyond(reward_id, "spent", 60)]


def test_of_several_rewards_what_is_left_covers_the_oldest(scene):
    anna = scene.member("anna")
    first, second = (scene.owe(anna, status="granted", given=100) for _ in range(2))
    Account.objects.filter(member=anna).update(balance=130)

    assert beyond.beyond_reach(reward_ids=[second, first]) == [Beyond(second, "spent", 70)]


def test_a_debt_covers_nothing(scene):
    anna = scene.member("anna")
    reward_id = scene.owe(anna, status="granted", given=100)
    Account.objects.filter(member=anna).update(balance=-30, may_owe=True)

    assert beyond.beyond_reach(reward_ids=[reward_id]) == [Beyond(reward_id, "spent", 100)]


def test_what_a_refund_could_not_take_is_told_with_its_reason(scene):
    reward_id = scene.owe(scene.member("anna"), status="granted", given=100)
    Reward.objects.filter(pk=reward_id).update(lost=30, lost_why="spent")

    assert beyond.beyond_reach(reward_ids=[reward_id]) == [Beyond(reward_id, "spent", 30)]


@pytest.mark.parametrize("status", ["flagged", "pending", "rejected"])
def test_what_was_never_granted_is_no_loss(scene, status):
    reward_id = scene.owe(scene.member("anna"), status=status)

    assert beyond.beyond_reach(reward_ids=[reward_id]) == []


def test_of_nothing_nothing_is_asked(django_assert_num_queries, acme):
    with django_assert_num_queries(0):
        assert beyond.beyond_reach(reward_ids=[]) == []


# Gifts: what is foretold is what comes of taking them back


@pytest.mark.parametrize(
    ("kind", "columns", "why"),
    [
        ("certificate", {"status": "issued", "code": "sealed", "issued_at": NOON}, ""),
        ("certificate", {"status": "issued", "code": "sealed", "issued_at": NOON, "shown_at": NOON}, "shown"),
        ("certificate", {"status": "used", "code": "sealed", "issued_at": NOON, "shown_at": NOON}, "used"),
        ("discount", {"status": "issued"}, ""),
        # A code of ours can be made worthless, whoever has seen it.
        ("discount", {"status": "issued", "shown_at": NOON}, ""),
        ("discount", {"status": "used"}, "used"),
        ("product", {"status": "placed"}, ""),
        ("product", {"status": "sent"}, "sent"),
        ("product", {"status": "delivered"}, "sent"),
        ("content", {"status": "issued"}, ""),
        ("content", {"status": "issued", "shown_at": NOON}, "shown"),
        ("privilege", {"status": "issued", "shown_at": NOON}, ""),
    ],
)
def test_a_gift_is_lost_for_the_reason_that_was_told(scene, kind, columns, why):
    anna = scene.member("anna")
    gift = gifts.gift(kind)
    reward_id = scene.owe(anna, status="pending", kind=kind, what=gift.code, asset_id=None, given=1)
    (given,) = gifts.give(gift, anna, reward_id=reward_id)
    Entitlement.objects.filter(pk=given.pk).update(**columns)

    foretold = beyond.beyond_reach(reward_ids=[reward_id])

    with transaction():
        came = giving.stop(reward_ids=[reward_id], why="undone", at=LATER)
    assert foretold == ([Beyond(reward_id, why)] if why else [])
    assert came == ({reward_id: why} if why else {})


def test_what_is_over_is_nobodys_loss(scene):
    anna = scene.member("anna")
    gift = gifts.gift("content")
    reward_id = scene.owe(anna, status="pending", kind="content", what=gift.code, asset_id=None, given=1)
    (given,) = gifts.give(gift, anna, reward_id=reward_id)
    Entitlement.objects.filter(pk=given.pk).update(status=entitlements.Status.CANCELLED, ended_at=NOON, shown_at=NOON)

    assert beyond.beyond_reach(reward_ids=[reward_id]) == []

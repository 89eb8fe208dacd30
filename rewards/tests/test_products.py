"""Products and content on their way: pieces are taken from the stock, and who waits is served in order."""

import pytest

from rewards import entitlements
from rewards.kinds.product import giving
from rewards.models import Entitlement, Gift, Redemption
from rewards.tests import gifts
from rewards.tests.stage import NOON
from tests.races import race

pytestmark = pytest.mark.django_db


def stock_of(gift: Gift) -> int | None:
    return Gift.objects.get(pk=gift.pk).stock


def test_a_product_is_placed_and_its_piece_taken(anna, boris):
    mug = gifts.gift("product", stock=5)

    given = gifts.give(mug, anna, boris)

    assert [each.status for each in given] == ["placed", "placed"]
    assert stock_of(mug) == 3


def test_without_a_stock_nothing_is_counted(anna):
    mug = gifts.gift("product")

    (given,) = gifts.give(mug, anna)

    assert (given.status, stock_of(mug)) == ("placed", None)


def test_who_comes_too_late_waits_and_is_served_in_order(acme, anna, boris):
    mug = gifts.gift("product", stock=1)
    first, second, third = gifts.give(mug, anna, boris, anna)
    assert gifts.statuses(first, second, third) == ["placed", "waiting", "waiting"]

    Gift.objects.filter(pk=mug.pk).update(stock=1)
    placed = giving.serve(schema=acme.schema_name, gift_ids=[mug.pk])

    assert placed == 1
    assert gifts.statuses(first, second, third) == ["placed", "placed", "waiting"]
    assert stock_of(mug) == 0


def test_a_piece_that_is_called_off_is_in_stock_again_and_given_to_who_waits(anna, boris):
    mug = gifts.gift("product", stock=1)
    first, second = gifts.give(mug, anna, boris)

    assert gifts.stop(first) == {}

    assert gifts.statuses(first, second) == ["cancelled", "placed"]
    assert stock_of(mug) == 0


def test_what_waits_is_called_off_without_a_piece(anna):
    mug = gifts.gift("product", stock=0)
    (given,) = gifts.give(mug, anna)

    gifts.stop(given)

    assert (gifts.statuses(given), stock_of(mug)) == (["cancelled"], 0)


def test_a_purchase_has_taken_its_piece_already(scene, anna):
    mug = gifts.gift("product", stock=3)
    bought = Redemption.objects.create(
        key="purchase:1",
        purpose="purchase",
        status="captured",
        member=anna,
        asset=scene.points,
        gift=mug,
        amount=10,
        captured=10,
        created_at=NOON,
        settled_at=NOON,
    )

    (given,) = gifts.give(mug, anna, redemption_id=bought.pk)
    assert (given.status, stock_of(mug)) == ("placed", 3)
    gifts.stop(given)

    assert (gifts.statuses(given), stock_of(mug)) == (["cancelled"], 3)


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_at_once_one_gets_the_last_piece(anna):
    mug = gifts.gift("product", stock=1)

    def attempt(key: str) -> Entitlement:
        entitlements.lock()
        return entitlements.give(new=[gifts.new(mug, anna, key=key)], at=NOON)[0]

    results = race(*[lambda key=f"k-{nth}": attempt(key) for nth in range(16)])

    assert sorted(each.status for each in results) == ["placed"] + ["waiting"] * 15
    assert stock_of(mug) == 0

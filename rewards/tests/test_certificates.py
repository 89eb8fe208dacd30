"""Certificates from the stock: who gets which code, who waits, and what comes back."""

import pytest

from core.db import transaction
from events.models import Event
from rewards import entitlements
from rewards.certificates import brands, stock
from rewards.entitlements import NewEntitlement
from rewards.models import Entitlement, Gift, StockCode
from rewards.tests.stage import NOON

pytestmark = pytest.mark.django_db


def brand_of(code="coffee", *, low_stock=None, kind="certificate", **terms):
    return Gift.objects.create(
        code=code, kind=kind, name=code.title(), low_stock=low_stock, terms={"denominations": [50_000], **terms}
    )


@transaction
def put(gift, *codes, value_minor=50_000, expires_at=None, batch="first"):
    rows = [
        (
            value_minor,
            entitlements.seal(code),
            entitlements.index_of(kind=gift.kind, gift_id=gift.pk, code=code),
            expires_at,
        )
        for code in codes
    ]
    stock.put(gift=gift, rows=rows, batch=batch, at=NOON)


@transaction
def serve(gift):
    return stock.hand_out(gift_ids=[gift.pk], at=NOON)


@transaction
def give(gift, member, *keys, value_minor=50_000, at=NOON):
    new = [
        NewEntitlement(
            key=key, kind=gift.kind, gift_id=gift.pk, member_id=member.pk, value_minor=value_minor, currency="RUB"
        )
        for key in keys
    ]
    return entitlements.give(new=new, at=at)


@transaction
def stop(*rows, at=NOON):
    found = Entitlement.objects.select_related("gift").filter(pk__in=[row.pk for row in rows])
    return entitlements.stop(entitlements=list(found), why="refund", at=at)


def kinds_of_facts():
    return list(Event.objects.filter(source="sarafan").order_by("pk").values_list("kind", flat=True))


def test_the_oldest_code_goes_first_and_is_sealed(anna):
    coffee = brand_of()
    put(coffee, "AAA-1", "AAA-2")

    (given,) = give(coffee, anna, "k")

    assert (given.status, given.valid_until, entitlements.code_of(given)) == ("issued", None, "AAA-1")
    assert "AAA" not in given.code
    assert StockCode.objects.get(entitlement=given).pk == StockCode.objects.order_by("pk").first().pk
    assert kinds_of_facts() == ["entitlement.issued"]


def test_the_same_key_gets_no_second_code(anna):
    coffee = brand_of()
    put(coffee, "AAA-1", "AAA-2")

    assert give(coffee, anna, "k")[0].pk == give(coffee, anna, "k")[0].pk

    assert StockCode.objects.filter(entitlement=None).count() == 1


def test_a_certificate_is_valid_as_long_as_the_brand_says_and_no_longer_than_its_code(anna):
    coffee = brand_of(valid_days=30)
    soon = NOON.replace(day=20)
    put(coffee, "AAA-1", expires_at=soon)
    put(coffee, "AAA-2")

    first, second = give(coffee, anna, "k1", "k2")

    # 30 days from 17 March, until the midnight of Moscow.
    assert (first.valid_until, second.valid_until.isoformat()) == (soon, "2026-04-16T21:00:00+00:00")


def test_only_a_code_of_the_value_and_that_is_still_good_is_given(anna):
    coffee = brand_of()
    put(coffee, "OLD", expires_at=NOON)
    put(coffee, "LARGE", value_minor=100_000)

    (given,) = give(coffee, anna, "k")

    assert (given.status, given.problem) == ("waiting", "out_of_stock")
    assert kinds_of_facts() == []


def test_those_who_wait_are_served_in_their_order_when_there_is_stock(anna, boris):
    coffee = brand_of()
    (first,), (second,) = give(coffee, anna, "k1"), give(coffee, boris, "k2")
    (third,) = give(coffee, anna, "k3")
    put(coffee, "AAA-1", "AAA-2")

    served = serve(coffee)

    assert served == [first.pk, second.pk]
    codes = [entitlements.code_of(each) for each in Entitlement.objects.filter(pk__in=served).order_by("pk")]
    assert codes == ["AAA-1", "AAA-2"]
    third.refresh_from_db()
    assert third.status == "waiting"
    assert kinds_of_facts() == ["entitlement.issued"] * 2


def test_a_code_that_nobody_has_seen_goes_back_and_to_whoever_waits(anna, boris):
    coffee = brand_of()
    put(coffee, "AAA-1")
    (mine,) = give(coffee, anna, "k1")
    (theirs,) = give(coffee, boris, "k2")

    lost = stop(mine)

    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (lost, mine.status, mine.code) == ({}, "cancelled", "")
    assert (theirs.status, entitlements.code_of(theirs)) == ("issued", "AAA-1")


def test_a_code_that_was_seen_is_lost(anna):
    coffee = brand_of()
    put(coffee, "AAA-1")
    (mine,) = give(coffee, anna, "k1")
    Entitlement.objects.update(shown_at=NOON)

    lost = stop(mine)

    mine.refresh_from_db()
    assert (lost, mine.status) == ({mine.pk: "shown"}, "issued")
    assert StockCode.objects.filter(entitlement=None).count() == 0


def test_staff_is_told_once_that_the_stock_is_low(anna):
    coffee = brand_of(low_stock=2)
    put(coffee, "AAA-1", "AAA-2", "AAA-3")

    for key in ("k1", "k2", "k3"):
        give(coffee, anna, key)

    lows = Event.objects.filter(kind="stock.low")
    assert [each.data for each in lows] == [{"gift": "coffee", "left": 1, "low_stock": 2}]
    assert stock.low(at=NOON) == [coffee.pk]


def test_of_a_pool_the_member_chooses_a_brand_that_has_the_value(anna):
    coffee, books = brand_of(), brand_of("books", denominations=[100_000])
    pool = Gift.objects.create(code="any", kind="pool", name="Any", terms={"brands": ["coffee", "books"]})
    put(coffee, "AAA-1")
    (given,) = give(pool, anna, "k")
    assert given.status == "choosing"

    with transaction(), pytest.raises(brands.BrandNotInPool):
        brands.choose(entitlement=given, brand=books.code, at=NOON)
    with transaction():
        chosen = brands.choose(entitlement=given, brand="coffee", at=NOON)
    with transaction(), pytest.raises(brands.AlreadyChosen):
        brands.choose(entitlement=chosen, brand="books", at=NOON)

    assert (chosen.status, chosen.gift_id, entitlements.code_of(chosen)) == ("issued", coffee.pk, "AAA-1")
    assert chosen.details["pool"] == "any"


def test_a_pool_that_was_not_chosen_from_is_cancelled(anna):
    brand_of()
    pool = Gift.objects.create(code="any", kind="pool", name="Any", terms={"brands": ["coffee"]})
    (given,) = give(pool, anna, "k")

    assert stop(given) == {}

    given.refresh_from_db()
    assert given.status == "cancelled"

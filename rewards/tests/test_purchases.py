from datetime import timedelta

import pytest

from core.db import transaction
from events.models import Event, Order
from members.models import Member
from rewards import addresses, catalogue, ledger, purchases, redemptions
from rewards.models import Entitlement, Gift, Level, Redemption, Standing
from rewards.purchases import Wanted
from rewards.tests.selling import ADDRESS, BOT, MARTA, buy, call_off, earn, left_of, put_on_sale
from rewards.tests.stage import NOON, Stage
from tenants.staff.models import AuditEntry
from tests.races import race

JUNE = NOON + timedelta(days=80)
JULY = NOON + timedelta(days=110)


def balance_of(member):
    return ledger.balance_of(member_id=member.pk)


def stock_of(gift):
    return Gift.objects.get(pk=gift.pk).stock


def nothing_was_sold():
    return not Redemption.objects.exists() and not Entitlement.objects.exists()


def stand_on(member, code, threshold=500):
    level = Level.objects.create(code=code, name=code.title(), threshold=threshold)
    Standing.objects.create(member=member, level=level, since=NOON)


# Buying


def test_a_purchase_takes_the_price_and_a_piece_and_gives_the_gift(scene, anna):
    earn(anna, 250)
    mug = put_on_sale(stock=3)

    made = buy(anna, mug)

    assert (made.status, made.amount, made.captured, made.purpose) == ("captured", 100, 100, "purchase")
    assert (balance_of(anna), stock_of(mug)) == (150, 2)
    given = Entitlement.objects.get()
    assert (given.key, given.status, given.member_id, given.redemption_id) == (
        f"purchase:{made.pk}",
        "placed",
        anna.pk,
        made.pk,
    )
    assert Event.objects.get(kind="purchase.made").data == {
        "redemption_id": made.pk,
        "gift": mug.code,
        "asset": "points",
        "amount": 100,
    }
    assert ledger.verify() == []


@pytest.mark.parametrize(
    ("kind", "terms", "status"),
    [
        ("product", {}, "placed"),
        ("content", {"url": "https://example.com/notes"}, "issued"),
        ("privilege", {"days": 30}, "issued"),
        ("discount", {"type": "percent", "rate_bps": 1000, "pattern": "MUG-????-####"}, "issued"),
    ],
)
def test_each_kind_of_gift_is_given_in_its_own_way(scene, anna, kind, terms, status):
    earn(anna, 100)

    buy(anna, put_on_sale(kind=kind, terms=terms))

    given = Entitlement.objects.get()
    assert (given.kind, given.status) == (kind, status)
    assert ledger.verify() == []


def test_a_certificate_is_bought_for_the_value_that_its_terms_say(scene, anna):
    earn(anna, 100)
    certificate = put_on_sale(kind="certificate", terms={"denominations": [50_000, 90_000], "sold_minor": 90_000})

    buy(anna, certificate)

    given = Entitlement.objects.get()
    assert (given.value_minor, given.currency) == (90_000, "RUB")


def test_a_pool_is_bought_for_a_value_that_all_of_its_brands_have(scene, anna):
    for code, values in {"cafe": [10_000, 50_000], "cinema": [50_000, 90_000]}.items():
        Gift.objects.create(code=code, kind="certificate", name=code, terms={"denominations": values})

    pool = put_on_sale(kind="pool", terms={"brands": ["cafe", "cinema"]})

    assert purchases.value_of(pool) == 50_000


def test_the_same_request_buys_once(scene, anna):
    earn(anna, 250)
    mug = put_on_sale(stock=3)

    first, again = buy(anna, mug, key="k"), buy(anna, mug, key="k")

    assert first.pk == again.pk
    assert (balance_of(anna), stock_of(mug), Entitlement.objects.count()) == (150, 2, 1)


def test_the_same_key_with_another_request_is_refused(scene, anna, boris):
    earn(anna, 250)
    mug, cup = put_on_sale(), put_on_sale()
    buy(anna, mug, key="k")

    for other in ({"gift": cup}, {"gift": mug, "price": 100}, {"gift": mug, "address": ADDRESS}):
        with pytest.raises(redemptions.KeyReused):
            buy(anna, other.pop("gift"), key="k", **other)
    with pytest.raises(redemptions.KeyReused):
        buy(boris, mug, key="k")

    assert (balance_of(anna), Redemption.objects.count()) == (150, 1)


def test_points_that_expire_first_are_spent_first(scene, anna):
    earn(anna, 80, expires_at=JULY)
    earn(anna, 80, expires_at=JUNE)

    buy(anna, put_on_sale())

    assert left_of(anna) == [(60, JULY)]


def test_a_gift_that_costs_nothing_on_a_level_moves_nothing(scene, anna):
    stand_on(anna, "gold")

    made = buy(anna, put_on_sale(prices={"gold": 0}, stock=1))

    assert (made.amount, made.status) == (0, "captured")
    assert not Entitlement.objects.exclude(status="placed").exists()
    assert call_off(made).status == "returned"
    assert ledger.verify() == []


def test_a_price_is_that_of_the_members_level(scene, anna, boris):
    earn(anna, 100)
    earn(boris, 100)
    stand_on(anna, "gold")
    mug = put_on_sale(prices={"gold": 70})

    assert (buy(anna, mug).amount, buy(boris, mug).amount) == (70, 100)


# Not buying


@pytest.mark.parametrize(
    ("columns", "failure"),
    [
        ({"stock": 0}, catalogue.SoldOut),
        ({"available_from": NOON + timedelta(seconds=1)}, catalogue.NotForSale),
        ({"available_to": NOON}, catalogue.NotForSale),
        ({"is_active": False}, catalogue.UnknownGift),
        ({"price": None}, catalogue.UnknownGift),
        ({"kind": "certificate", "terms": {}}, catalogue.NotForSale),
        ({"kind": "pool", "terms": {"brands": []}}, catalogue.NotForSale),
        ({"audience": {"levels": ["gold"]}}, catalogue.NotForThisMember),
        (
            {"audience": {"conditions": [{"field": "member.orders", "operator": "at_least", "value": 1}]}},
            catalogue.NotForThisMember,
        ),
        (
            {"audience": {"conditions": [{"field": "member.invited", "operator": "is", "value": True}]}},
            catalogue.NotForThisMember,
        ),
        ({"price": 101}, ledger.InsufficientBalance),
        ({"terms": {"needs_address": True}}, addresses.InvalidAddress),
    ],
)
def test_what_cannot_be_bought_is_refused_and_nothing_is_taken(scene, anna, columns, failure):
    earn(anna, 100)
    gift = put_on_sale(**{"stock": 5, **columns})

    with pytest.raises(failure):
        buy(anna, gift)

    assert nothing_was_sold()
    assert (balance_of(anna), stock_of(gift)) == (100, columns.get("stock", 5))


def test_an_offer_holds_from_its_first_instant_until_its_last(scene, anna):
    earn(anna, 200)
    mug = put_on_sale(available_from=NOON, available_to=JUNE)

    buy(anna, mug, at=NOON)
    buy(anna, mug, at=JUNE - timedelta(seconds=1))

    assert balance_of(anna) == 0


def test_an_audience_is_asked_as_a_rule_would_be(scene, anna):
    earn(anna, 100)
    Order.objects.create(number="1", member=anna, event=scene.event(), amount_minor=100, currency="RUB", paid_at=NOON)
    asked = [
        {"field": "member.orders", "operator": "at_least", "value": 1},
        {"field": "member.days", "operator": "at_least", "value": 30},
    ]
    mug = put_on_sale(audience={"conditions": asked})

    with pytest.raises(catalogue.NotForThisMember):
        buy(anna, mug, at=NOON + timedelta(days=29))
    buy(anna, mug, at=NOON + timedelta(days=30))

    assert balance_of(anna) == 0


def test_somebody_blocked_buys_nothing(scene, anna):
    earn(anna, 100)
    Member.objects.filter(pk=anna.pk).update(status="blocked")

    with pytest.raises(catalogue.NotForThisMember):
        buy(anna, put_on_sale())

    assert nothing_was_sold()


def test_a_member_buys_no_more_than_one_may_unless_one_was_called_off(scene, anna, boris):
    earn(anna, 300)
    earn(boris, 100)
    mug = put_on_sale(per_member=1)
    made = buy(anna, mug)

    with pytest.raises(catalogue.TooMany):
        buy(anna, mug)
    buy(boris, mug)
    call_off(made)
    buy(anna, mug)

    assert (balance_of(anna), balance_of(boris)) == (200, 0)


def test_a_price_that_is_no_longer_what_was_shown_is_not_taken(scene, anna):
    earn(anna, 100)

    with pytest.raises(purchases.PriceChanged) as told:
        buy(anna, put_on_sale(), price=90)

    assert told.value.extra == {"price": 100}
    assert nothing_was_sold()


def test_points_that_have_expired_buy_nothing_though_they_still_lie_there(scene, anna):
    earn(anna, 100, expires_at=JUNE)

    with pytest.raises(ledger.InsufficientBalance):
        buy(anna, put_on_sale(), at=JUNE)

    assert (balance_of(anna), nothing_was_sold()) == (100, True)


# Addresses


def test_an_address_is_kept_sealed_and_only_if_something_is_sent_there(scene, anna):
    earn(anna, 200)

    buy(anna, put_on_sale(terms={"needs_address": True}), address=ADDRESS)
    buy(anna, put_on_sale(), address=ADDRESS)

    sealed, none = (each.details for each in Entitlement.objects.order_by("pk"))
    assert (addresses.unseal(sealed["address"]), none) == (ADDRESS, {})
    assert "Tverskaya" not in str(sealed)


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        (None, ["/address"]),
        ({}, ["/address/city", "/address/name", "/address/street"]),
        ({**ADDRESS, "city": " "}, ["/address/city"]),
        ({**ADDRESS, "phone": "1" * 31}, ["/address/phone"]),
        ({**ADDRESS, "passport": "1"}, ["/address/passport"]),
        ({**ADDRESS, "city": "a\nb"}, ["/address/city"]),
        ({**ADDRESS, "city": 7}, ["/address/city"]),
    ],
)
def test_an_address_that_nobody_could_deliver_to_is_refused(given, pointers):
    with pytest.raises(addresses.InvalidAddress) as told:
        addresses.read(given)

    assert [error["pointer"] for error in told.value.errors] == pointers


# Calling off


def test_a_purchase_called_off_gives_back_the_piece_and_the_points_with_their_old_expiry(scene, anna):
    earn(anna, 60, expires_at=JUNE)
    earn(anna, 60, expires_at=JULY)
    mug = put_on_sale(stock=1)
    made = buy(anna, mug)
    assert (left_of(anna), stock_of(mug)) == ([(20, JULY)], 0)

    returned = call_off(made, at=NOON + timedelta(days=3))

    assert (returned.status, returned.note) == ("returned", "A mistake")
    assert left_of(anna) == [(60, JUNE), (20, JULY), (40, JULY)]
    assert (stock_of(mug), Entitlement.objects.get().status) == (1, "cancelled")
    assert AuditEntry.objects.get().action == "purchase.cancelled"
    assert ledger.verify() == []


def test_points_that_expired_meanwhile_come_back_expired(scene, anna):
    earn(anna, 100, expires_at=JUNE)
    made = buy(anna, put_on_sale())

    call_off(made, at=JULY)

    assert left_of(anna) == [(100, JUNE)]
    with pytest.raises(ledger.InsufficientBalance):
        buy(anna, put_on_sale(), at=JULY)
    assert ledger.verify() == []


def test_a_purchase_is_called_off_once(scene, anna):
    earn(anna, 100)
    mug = put_on_sale(stock=1)
    made = buy(anna, mug)

    call_off(made)
    call_off(made)

    assert (balance_of(anna), stock_of(mug)) == (100, 1)
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("status", ["sent", "delivered"])
def test_what_was_sent_is_not_called_off(scene, anna, status):
    earn(anna, 100)
    mug = put_on_sale(stock=1)
    made = buy(anna, mug)
    Entitlement.objects.update(status=status)

    with pytest.raises(purchases.NotReturnable) as told:
        call_off(made)

    assert told.value.extra == {"why": "sent"}
    assert (balance_of(anna), stock_of(mug), Redemption.objects.get().status) == (0, 0, "captured")


def test_what_has_expired_is_not_called_off(scene, anna):
    earn(anna, 100)
    made = buy(anna, put_on_sale(kind="privilege", terms={"days": 1}))
    Entitlement.objects.update(status="expired", ended_at=NOON)

    with pytest.raises(purchases.NotReturnable):
        call_off(made)

    assert balance_of(anna) == 0


def test_what_is_no_purchase_is_not_called_off(scene, anna):
    with pytest.raises(redemptions.UnknownRedemption), transaction():
        purchases.cancel(redemption_id=1, reason="x", actor=MARTA, at=NOON)


def test_points_for_an_order_and_points_spent_are_two_matters(scene, anna):
    """Trap 8: what an order earned is taken back by its refund; what it was paid with comes back by itself."""
    reward = scene.owe(anna, status="granted", given=100)
    made = buy(anna, put_on_sale())

    call_off(made)

    assert reward
    assert balance_of(anna) == 100
    assert ledger.verify() == []


# What a shopper sees


def test_a_shopper_is_read_in_one_statement(scene, anna, django_assert_num_queries):
    earn(anna, 100)
    mug = put_on_sale()
    buy(anna, mug)

    with django_assert_num_queries(1):
        shopper = catalogue.shopper_of(member_id=anna.pk, gift_ids=[mug.pk], at=NOON)

    assert (shopper.level, dict(shopper.spendable), dict(shopper.bought)) == ("", {scene.points.pk: 0}, {mug.pk: 1})
    assert dict(shopper.fields) == {"member.orders": 0, "member.days": 0, "member.invited": False}


# Races


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_who_want_the_last_piece_one_gets_it_and_the_others_keep_their_points():
    stage = Stage()
    members = [stage.member(f"member-{nth}") for nth in range(16)]
    for member in members:
        earn(member, 100)
    mug = put_on_sale(stock=1)

    def want(member):
        wanted = Wanted(key=f"last-{member.pk}", member_id=member.pk, gift_code=mug.code)
        return lambda: purchases.buy(wanted=wanted, actor=BOT, at=NOON)

    results = race(*map(want, members))

    assert sum(isinstance(each, Redemption) for each in results) == 1
    assert sum(isinstance(each, catalogue.SoldOut) for each in results) == 15
    assert sorted(map(balance_of, members)) == [0, *[100] * 15]
    assert (stock_of(mug), Entitlement.objects.count()) == (0, 1)
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_purchases_with_one_whole_balance_one_is_made():
    anna = Stage().member("anna")
    earn(anna, 100)
    mug = put_on_sale(stock=16)

    def want(nth):
        wanted = Wanted(key=f"all-{nth}", member_id=anna.pk, gift_code=mug.code)
        return lambda: purchases.buy(wanted=wanted, actor=BOT, at=NOON)

    results = race(*map(want, range(16)))

    assert sum(isinstance(each, Redemption) for each in results) == 1
    assert sum(isinstance(each, ledger.InsufficientBalance) for each in results) == 15
    assert (balance_of(anna), stock_of(mug)) == (0, 15)
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_one_request_sent_eight_times_at_once_buys_once():
    anna = Stage().member("anna")
    earn(anna, 800)
    mug = put_on_sale(stock=8)
    wanted = Wanted(key="once", member_id=anna.pk, gift_code=mug.code)

    results = race(*[lambda: purchases.buy(wanted=wanted, actor=BOT, at=NOON)] * 8)

    assert len({each.pk for each in results}) == 1
    assert (balance_of(anna), stock_of(mug), Entitlement.objects.count()) == (700, 7, 1)
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_one_purchase_called_off_eight_times_at_once_is_given_back_once():
    anna = Stage().member("anna")
    earn(anna, 100)
    mug = put_on_sale(stock=1)
    made = buy(anna, mug)

    race(*[lambda: purchases.cancel(redemption_id=made.pk, reason="x", actor=MARTA, at=NOON)] * 8)

    assert (balance_of(anna), stock_of(mug)) == (100, 1)
    assert ledger.verify() == []


def test_a_discount_that_was_used_is_not_called_off(scene, anna):
    earn(anna, 100)
    made = buy(anna, put_on_sale(kind="discount", terms={"type": "percent", "rate_bps": 1000, "pattern": "M-????"}))
    Entitlement.objects.update(status="used", used_at=NOON)

    with pytest.raises(purchases.NotReturnable) as told:
        call_off(made)

    assert (told.value.extra, balance_of(anna)) == ({"why": "used"}, 0)

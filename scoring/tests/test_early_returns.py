"""A refund or a cancellation that comes before its order waits for it, and is made good however late the order is."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from events import retry
from events.models import Event, Order
from members import merging
from members.models import Member
from rewards import ledger
from rewards.models import Posting
from tenants import context
from tests.cast import NOON, Shop, codes_of, make_campaign

pytestmark = pytest.mark.django_db

EACH_ORDER = {"recipient": "actor", "order_number": "any"}

type_of_return = Callable[[Shop, str], Event]


def refunds_half(shop: Shop, order: str) -> Event:
    return shop.refunds("anna", "250", order=order)


def refunds_all(shop: Shop, order: str) -> Event:
    return shop.refunds("anna", "500", order=order)


def cancels(shop: Shop, order: str) -> Event:
    return shop.cancels("anna", order=order)


RETURNS = pytest.mark.parametrize(
    ("comes_back", "left", "status"),
    [(refunds_half, 50, "granted"), (refunds_all, 0, "reversed"), (cancels, 0, "reversed")],
)


@pytest.fixture
def _orders(shop):
    make_campaign(rule=EACH_ORDER)


def give_up(shop: Shop, event: Event) -> None:
    """Let the time pass in which it is tried again and again."""
    event.refresh_from_db()
    while event.status == "waiting":
        assert event.next_at is not None
        shop.at = event.next_at
        shop.handle()
        event.refresh_from_db()


def state_of(event: Event) -> tuple[str, str, int]:
    event.refresh_from_db()
    return event.status, event.error, event.attempts


@RETURNS
@pytest.mark.usefixtures("_orders")
def test_an_order_that_its_return_waits_for_is_taken_back_at_once(shop, comes_back, left, status):
    returned = comes_back(shop, "1001")
    assert state_of(returned) == ("waiting", "unknown_order", 1)

    paid = shop.pays("anna", "500", order="1001")

    assert (state_of(returned), codes_of(returned), codes_of(paid)) == (("handled", "", 0), ["refunded"], ["granted"])
    assert shop.balance_of("anna") == left
    assert [each.status for each in shop.rewards_of("anna")] == [status]


@RETURNS
@pytest.mark.usefixtures("_orders")
def test_an_order_that_comes_after_its_return_has_failed_is_taken_back_too(shop, comes_back, left, status):
    returned = comes_back(shop, "1001")
    give_up(shop, returned)
    assert state_of(returned) == ("failed", "unknown_order", 12)
    shop.at += timedelta(days=20)

    shop.pays("anna", "500", order="1001")

    assert (state_of(returned), codes_of(returned)) == (("handled", "", 0), ["refunded"])
    assert shop.balance_of("anna") == left
    assert [each.status for each in shop.rewards_of("anna")] == [status]


@pytest.mark.usefixtures("_orders")
def test_all_that_came_before_the_order_is_counted_once(shop):
    early = [shop.refunds("anna", "100", order="1001", refund=f"r{number}") for number in range(2)]
    give_up(shop, early[0])
    early += [shop.cancels("anna", order="1001"), shop.cancels("anna", order="1001")]

    shop.pays("anna", "500", order="1001")

    for each in early:
        each.refresh_from_db()
    assert [codes_of(each) for each in early] == [["refunded"]] * 3 + [["nothing_to_take_back"]]
    assert shop.balance_of("anna") == 0
    assert list(Posting.objects.filter(reason="refund").order_by("pk").values_list("amount", flat=True)) == [20, 20, 60]
    order = Order.objects.get()
    assert (order.refunded_minor, order.cancelled_at is not None) == (20_000, True)


@pytest.mark.usefixtures("_orders")
def test_returns_of_other_orders_go_on_waiting(shop):
    failed = shop.cancels("anna", order="100")
    give_up(shop, failed)
    parked = shop.refunds("anna", "500", order="10010")
    was = [state_of(each) for each in (failed, parked)]

    shop.pays("anna", "500", order="1001")

    assert [state_of(each) for each in (failed, parked)] == was
    assert parked.next_at == shop.at + timedelta(minutes=1)
    assert shop.balance_of("anna") == 100


@pytest.mark.usefixtures("_orders")
def test_what_failed_for_another_reason_stays_failed(shop):
    returned = shop.cancels("anna", order="1001")
    other = shop.report("check_in", "anna")
    Event.objects.filter(pk=returned.pk).update(status="failed", error="ValueError: no luck", next_at=None)
    Event.objects.filter(pk=other.pk).update(status="failed", error="unknown_order")

    shop.pays("anna", "500", order="1001")

    assert state_of(returned) == ("failed", "ValueError: no luck", 1)
    assert state_of(other) == ("failed", "unknown_order", 0)
    assert shop.balance_of("anna") == 100


@pytest.mark.usefixtures("_orders")
def test_a_return_and_then_its_order_in_one_batch(shop):
    returned = shop.report("order.cancelled", "anna", order_id="1001")
    shop.report("order.paid", "anna", order_id="1001", amount_minor=50_000, currency="RUB")
    after = shop.report("order.paid", "anna", order_id="1002", amount_minor=50_000, currency="RUB")

    shop.handle()

    assert (state_of(returned), codes_of(returned)) == (("handled", "", 0), ["refunded"])
    assert state_of(after) == ("handled", "", 0)
    assert [each.status for each in shop.rewards_of("anna")] == ["reversed", "granted"]
    assert shop.balance_of("anna") == 100


def test_what_a_return_frees_is_there_for_whoever_comes_next(shop):
    make_campaign(rule=EACH_ORDER, budget_points=100)
    give_up(shop, shop.cancels("anna", order="1001"))
    shop.report("order.paid", "anna", order_id="1001", amount_minor=50_000, currency="RUB")
    after = shop.report("order.paid", "anna", order_id="1002", amount_minor=50_000, currency="RUB")

    shop.handle()

    after.refresh_from_db()
    assert codes_of(after) == ["granted"]
    assert shop.balance_of("anna") == 100


def test_a_reward_that_is_held_never_matures(shop):
    make_campaign(rule={**EACH_ORDER, "hold_days": 14})
    give_up(shop, shop.cancels("anna", order="1001"))

    shop.pays("anna", "500", order="1001")

    assert [each.status for each in shop.rewards_of("anna")] == ["cancelled"]
    assert not Posting.objects.exists()


@pytest.mark.usefixtures("_orders")
def test_whoever_the_return_names_it_is_the_orders(shop):
    give_up(shop, shop.cancels("boris", order="1001"))

    shop.pays("anna", "500", order="1001")

    assert (shop.balance_of("anna"), shop.rewards_of("boris")) == (0, [])


def test_an_old_order_is_taken_back_as_a_new_one_is(shop):
    make_campaign(rule=EACH_ORDER, at=NOON - timedelta(days=400))
    shop.may_backfill = True
    returned = shop.tells("order.cancelled", "anna", order_id="1001", occurred_at=NOON - timedelta(days=199))
    give_up(shop, returned)

    paid = shop.pays("anna", "500", order="1001", occurred_at=NOON - timedelta(days=200))

    assert (returned.is_history, paid.is_history, codes_of(paid)) == (True, True, ["granted"])
    assert [each.status for each in shop.rewards_of("anna")] == ["reversed"]
    assert shop.balance_of("anna") == 0


@pytest.mark.usefixtures("_orders")
def test_the_order_of_somebody_who_was_merged_meanwhile_is_taken_back(shop):
    returned = shop.cancels("boris", order="1001")
    give_up(shop, returned)
    into, away = (Member.objects.get(pk=shop.id_of(name)) for name in ("anna", "boris"))
    merging.merge(into=into, away=away, actor_kind="staff", actor="marta", at=shop.at)

    shop.pays("boris", "500", order="1001")

    returned.refresh_from_db()
    assert (returned.member_id, codes_of(returned)) == (into.pk, ["refunded"])
    assert ledger.balance_of(member_id=into.pk) == 0


@pytest.mark.usefixtures("_orders")
def test_another_tenants_return_of_an_order_of_that_number_goes_on_waiting(shop, bolt):
    with context.in_tenant(bolt.schema_name):
        stranger = Shop().cancels("anna", order="1001")

    shop.pays("anna", "500", order="1001")

    assert shop.balance_of("anna") == 100
    with context.in_tenant(bolt.schema_name):
        assert state_of(stranger) == ("waiting", "unknown_order", 1)


@pytest.mark.usefixtures("_orders")
def test_a_return_that_somebody_tries_again_first_is_taken_back_once(shop):
    returned = shop.cancels("anna", order="1001")
    give_up(shop, returned)
    shop.report("order.paid", "anna", order_id="1001", amount_minor=50_000, currency="RUB")
    retry.retry(event=returned, at=shop.at)

    shop.handle()

    assert (state_of(returned), codes_of(returned)) == (("handled", "", 0), ["refunded"])
    assert shop.balance_of("anna") == 0
    assert Posting.objects.filter(reason="refund").count() == 1

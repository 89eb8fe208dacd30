"""Money goes back to a customer: what the order earned goes with it, in proportion, once."""

from datetime import timedelta

import pytest

from core.errors import Conflict
from events.models import Event, Order
from rewards import maturing
from rewards.models import Posting
from tests.cast import NOON, codes_of, make_campaign, trace_of

pytestmark = pytest.mark.django_db

EACH_ORDER = {"recipient": "actor", "order_number": "any"}
HELD = {**EACH_ORDER, "hold_days": 14}
FORTNIGHT = timedelta(days=14)


def statuses(shop, name="anna"):
    return [reward.status for reward in shop.rewards_of(name)]


def mature(at):
    return maturing.release_due(schema="t_acme", limit=10, at=at)


def test_a_held_reward_waits_for_its_time(shop):
    make_campaign(rule=HELD)
    paid = shop.pays("anna", "500")

    assert codes_of(paid) == ["pending"]
    assert shop.rewards_of("anna")[0].matures_at == NOON + FORTNIGHT
    assert mature(NOON + FORTNIGHT - timedelta(microseconds=1)) == 0
    assert mature(NOON + FORTNIGHT) == 1
    assert (statuses(shop), shop.balance_of("anna")) == (["granted"], 100)


def test_a_hold_runs_from_the_order_and_not_from_when_we_heard_of_it(shop):
    make_campaign(rule=HELD, at=NOON - 2 * FORTNIGHT)

    shop.pays("anna", "500", occurred_at=NOON - FORTNIGHT)

    assert statuses(shop) == ["granted"]


def test_a_refund_while_the_reward_is_held_cancels_it_and_frees_the_budget(shop):
    make_campaign(rule=HELD, budget_points=100)
    shop.pays("anna", "500", order="1001")

    refunded = shop.refunds("anna", "500", order="1001")

    assert codes_of(refunded) == ["refunded"]
    assert mature(NOON + FORTNIGHT) == 0
    assert (statuses(shop), shop.balance_of("anna")) == (["cancelled"], 0)
    assert not Posting.objects.exists()
    assert codes_of(shop.pays("anna", "500")) == ["pending"]


def test_a_partial_refund_of_a_held_reward_leaves_the_rest_to_mature(shop):
    make_campaign(rule=HELD)
    shop.pays("anna", "500", order="1001")
    shop.refunds("anna", "125", order="1001")

    mature(NOON + FORTNIGHT)

    assert (statuses(shop), shop.balance_of("anna")) == (["granted"], 75)


def test_a_refund_after_the_grant_reverses_it_by_a_posting(shop):
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500", order="1001")

    refunded = shop.refunds("anna", "500", order="1001")

    assert (statuses(shop), shop.balance_of("anna")) == (["reversed"], 0)
    back = Posting.objects.get(reason="refund")
    assert (back.amount, back.reverses.reason) == (100, "grant")
    assert (trace_of(refunded)[0]["points"], trace_of(refunded)[0]["outcome"]) == (100, "taken_back")


def test_three_partial_refunds_add_up_to_the_whole(shop):
    make_campaign(rule={**EACH_ORDER, "amount_points": 100})
    shop.pays("anna", "300", order="1001")

    balances = []
    for number in range(3):
        shop.refunds("anna", "100", order="1001", refund=f"r{number}")
        balances.append(shop.balance_of("anna"))

    assert balances == [67, 34, 0]
    assert statuses(shop) == ["reversed"]
    assert Order.objects.get().refunded_minor == 30_000


def test_refunds_in_one_batch_take_as_much_as_one_by_one(shop):
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "300", order="1001")
    for number in range(2):
        shop.report("order.refunded", "anna", order_id="1001", refund_id=f"r{number}", amount_minor=10_000)

    shop.handle()

    assert shop.balance_of("anna") == 34
    assert list(Posting.objects.filter(reason="refund").order_by("pk").values_list("amount", flat=True)) == [33, 33]


def test_the_same_refund_under_another_key_is_refused(shop):
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500", order="1001")
    shop.refunds("anna", "100", order="1001", refund="r1")

    with pytest.raises(Conflict):
        shop.refunds("anna", "100", order="1001", refund="r1")

    assert shop.balance_of("anna") == 80


def test_more_than_was_paid_cannot_come_back(shop):
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500", order="1001")

    shop.refunds("anna", "400", order="1001", refund="r1")
    shop.refunds("anna", "400", order="1001", refund="r2")
    third = shop.refunds("anna", "400", order="1001", refund="r3")

    assert codes_of(third) == ["nothing_to_take_back"]
    assert (statuses(shop), shop.balance_of("anna")) == (["reversed"], 0)
    assert Order.objects.get().refunded_minor == 50_000


def test_an_order_that_earned_nothing_has_nothing_to_take_back(shop):
    shop.pays("anna", "500", order="1001")

    assert codes_of(shop.refunds("anna", "500", order="1001")) == ["nothing_to_take_back"]


def test_a_cancelled_order_gives_everything_back_once(shop):
    make_campaign(rule={"recipient": "both"})
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500", order="1001")

    cancelled = shop.cancels("boris", order="1001")
    again = shop.cancels("boris", order="1001")

    assert codes_of(cancelled) == ["refunded", "refunded"]
    assert codes_of(again) == ["nothing_to_take_back"]
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 0)


def test_a_refund_after_a_cancellation_does_not_change_when_it_was_cancelled(shop):
    make_campaign(rule=EACH_ORDER)
    shop.pays("anna", "500", order="1001")
    shop.at = NOON + timedelta(hours=1)
    shop.cancels("anna", order="1001")

    shop.refunds("anna", "500", order="1001")

    order = Order.objects.get()
    assert (order.cancelled_at, order.refunded_minor) == (NOON + timedelta(hours=1), 50_000)


def test_after_a_cancelled_first_order_the_next_one_is_the_first(shop):
    make_campaign()
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500", order="1001")
    shop.cancels("boris", order="1001")

    second = shop.pays("boris", "500", order="1002")

    assert codes_of(second) == ["granted"]
    assert shop.balance_of("anna") == 100


def test_after_a_refunded_first_order_the_next_one_is_not_the_first(shop):
    make_campaign()
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500", order="1001")
    shop.refunds("boris", "500", order="1001")

    second = shop.pays("boris", "500", order="1002")

    assert codes_of(second) == ["not_first_order"]


def test_a_cancelled_order_and_the_next_one_in_one_batch(shop):
    make_campaign()
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500", order="1001")
    shop.report("order.cancelled", "boris", order_id="1001")
    second = shop.report("order.paid", "boris", order_id="1002", amount_minor=100, currency="RUB")

    shop.handle()

    second.refresh_from_db()
    assert codes_of(second) == ["granted"]
    assert shop.balance_of("anna") == 100


def test_an_order_and_its_refund_in_one_batch(shop):
    make_campaign(rule=EACH_ORDER)
    shop.report("order.paid", "anna", order_id="1001", amount_minor=50_000, currency="RUB")
    refund = shop.report("order.refunded", "anna", order_id="1001", refund_id="1", amount_minor=25_000)
    shop.report("order.paid", "anna", order_id="1002", amount_minor=100, currency="RUB")

    shop.handle()

    refund.refresh_from_db()
    assert (refund.status, refund.attempts, codes_of(refund)) == ("handled", 0, ["refunded"])
    assert shop.balance_of("anna") == 150


def test_a_refund_of_an_order_that_never_comes_fails_and_says_why(shop):
    refund = shop.refunds("anna", "500", order="1001")
    waits = []
    while refund.status == "waiting":
        waits.append(int((refund.next_at - shop.at).total_seconds() / 60))
        shop.at = refund.next_at
        shop.handle()
        refund.refresh_from_db()

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    assert (refund.status, refund.error, refund.attempts) == ("failed", "unknown_order", 12)
    assert Event.objects.filter(status="failed").count() == 1


def test_a_refund_of_a_flagged_reward_cancels_it(shop):
    make_campaign()
    shop.joins({"external_id": "anna", "device": "phone-1"})
    shop.joins({"external_id": "anna2", "device": "phone-1"}, invited_by="anna")
    shop.pays("anna2", "500", order="1001")

    shop.cancels("anna2", order="1001")

    assert statuses(shop) == ["cancelled"]
    assert not Posting.objects.exists()

"""Stories across all floors: what a campaign promised, what a moderator decided, and what a refund undid."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from antifraud.limits import counters
from antifraud.models import Case
from antifraud.moderation import deciding
from rewards import ledger, maturing
from tenants.staff.models import Staff
from tests.cast import NOON, Shop, codes_of, make_campaign
from tests.people import flag, staff_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HELD = {"recipient": "both", "order_number": "any", "hold_days": 14}


@pytest.fixture
def shop(acme) -> Iterator[Shop]:
    yield Shop()
    assert ledger.verify() == []
    assert counters.verify(zone="Europe/Moscow") == []


@pytest.fixture
def max_(acme) -> Staff:
    return staff_of("moderator", username="max")


def both(shop: Shop) -> list[str]:
    """Return what became of the first reward of each side."""
    return [shop.rewards_of(name)[0].status for name in ("anna", "boris")]


def first_order(shop: Shop) -> str:
    order = shop.rewards_of("boris")[0].order
    assert order
    return order.number


def cancel_first_order(shop: Shop) -> None:
    shop.cancels("boris", order=first_order(shop))


def mature(shop: Shop) -> int:
    return maturing.release_due(schema="t_acme", limit=10, at=shop.at)


def test_a_reward_waits_for_both_clocks_whichever_comes_first(shop, max_):
    make_campaign(rule=HELD)
    flag(shop)
    flag(shop, inviter="clara", friend="denis")
    anna_and_boris, clara_and_denis = Case.objects.order_by("pk")

    deciding.approve(case=anna_and_boris, by=max_, at=NOON)
    assert both(shop) == ["pending", "pending"]
    shop.at = NOON + 14 * DAY
    assert mature(shop) == 2
    assert shop.rewards_of("clara")[0].status == "flagged"
    deciding.approve(case=clara_and_denis, by=max_, at=shop.at)

    assert [shop.balance_of(name) for name in ("anna", "boris", "clara", "denis")] == [100] * 4


def test_a_flag_never_lapses_into_a_payment(shop):
    make_campaign(rule=HELD)
    flag(shop)
    shop.at = NOON + 5_000 * DAY

    assert mature(shop) == 0
    assert (both(shop), shop.balance_of("anna")) == (["flagged", "flagged"], 0)


def test_a_rejected_reward_whose_order_was_cancelled_stays_rejected_when_that_is_undone(shop, max_):
    make_campaign(rule=HELD, budget_points=200)
    flag(shop)
    case = Case.objects.get()
    deciding.reject(case=case, by=max_, at=NOON)
    cancel_first_order(shop)

    deciding.undo(case=case, by=max_, at=NOON)

    assert both(shop) == ["rejected", "rejected"]
    assert counters.verify(zone="Europe/Moscow") == []


def test_a_rejected_reward_whose_order_was_refunded_in_part_is_owed_the_rest_when_that_is_undone(shop, max_):
    make_campaign(rule={"recipient": "both"})
    flag(shop)
    case = Case.objects.get()
    deciding.reject(case=case, by=max_, at=NOON)
    shop.refunds("boris", "125", order=first_order(shop))

    deciding.undo(case=case, by=max_, at=NOON)
    deciding.approve(case=case, by=max_, at=NOON)

    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (75, 75)


def test_an_approved_reward_is_taken_back_with_its_order(shop, max_):
    make_campaign(rule={"recipient": "both"}, budget_points=200)
    flag(shop)
    deciding.approve(case=Case.objects.get(), by=max_, at=NOON)

    cancel_first_order(shop)

    assert (both(shop), shop.balance_of("anna"), shop.balance_of("boris")) == (["reversed", "reversed"], 0, 0)
    assert codes_of(shop.pays("boris", "500")) == ["flagged", "flagged"]


def test_what_was_approved_undone_and_refunded_is_paid_once_and_taken_back_once(shop, max_):
    make_campaign(rule={"recipient": "both"})
    flag(shop)
    case = Case.objects.get()
    for _ in range(2):
        deciding.approve(case=case, by=max_, at=NOON)
        deciding.undo(case=case, by=max_, at=NOON)
    deciding.approve(case=case, by=max_, at=NOON)
    assert shop.balance_of("anna") == 100

    cancel_first_order(shop)

    assert shop.balance_of("anna") == 0


def test_an_order_that_is_refunded_between_maturing_and_moderation_pays_nothing(shop, max_):
    make_campaign(rule=HELD)
    flag(shop)
    shop.at = NOON + 20 * DAY
    mature(shop)
    cancel_first_order(shop)

    deciding.approve(case=Case.objects.get(), by=max_, at=shop.at)

    assert (both(shop), shop.balance_of("anna")) == (["cancelled", "cancelled"], 0)


def test_what_a_rejection_frees_the_next_honest_friend_gets(shop, max_):
    make_campaign(limits=[{"per": "member", "period": "month", "max_count": 1}])
    flag(shop)
    shop.joins("clara", invited_by="anna")
    assert codes_of(shop.pays("clara", "500")) == ["limit_count"]

    deciding.reject(case=Case.objects.get(), by=max_, at=NOON)
    shop.joins("denis", invited_by="anna")

    assert codes_of(shop.pays("denis", "500")) == ["granted"]

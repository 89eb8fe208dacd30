from datetime import timedelta

import pytest

from core.db import transaction
from events.models import Event
from rewards import fulfilment, issuing, ledger
from rewards.fulfilment import Shipment
from rewards.models import Entitlement, Gift, Redemption, Reward
from rewards.tests.selling import ADDRESS, MARTA, buy, earn, put_on_sale
from rewards.tests.stage import NOON
from tenants.staff.models import AuditEntry
from tests.races import race

LATER = NOON + timedelta(hours=3)
POST = Shipment(partner="Post", tracking="RA 644 000 001", note="fragile")


@pytest.fixture
def parcel(scene, anna):
    earn(anna, 100)
    buy(anna, put_on_sale(stock=1, terms={"needs_address": True}), address=ADDRESS)
    return Entitlement.objects.get()


@transaction
def send(*parcels, shipment=POST):
    return fulfilment.mark_sent(ids=[each.pk for each in parcels], shipment=shipment, actor=MARTA, at=LATER)


@transaction
def deliver(*parcels):
    return fulfilment.mark_delivered(ids=[each.pk for each in parcels], actor=MARTA, at=LATER)


@transaction
def cancel(parcel):
    fulfilment.cancel(parcel_id=parcel.pk, reason="Broken", actor=MARTA, at=LATER)


@transaction
def take_back(parcel):
    fulfilment.take_back(parcel_id=parcel.pk, reason="Nobody was at home", actor=MARTA, at=LATER)


def now_of(parcel):
    return Entitlement.objects.get(pk=parcel.pk)


def balance_of(member):
    return ledger.balance_of(member_id=member.pk)


def test_a_parcel_goes_from_the_queue_to_the_door(parcel):
    assert (list(fulfilment.queue()), fulfilment.count_waiting()) == ([parcel], 1)

    assert send(parcel) == [parcel.pk]
    sent = now_of(parcel)
    assert deliver(parcel) == [parcel.pk]

    assert (sent.status, now_of(parcel).status, fulfilment.count_waiting()) == ("sent", "delivered", 0)
    assert {name: sent.details[name] for name in ("partner", "tracking", "note", "sent_by")} == {
        "partner": "Post",
        "tracking": "RA 644 000 001",
        "note": "fragile",
        "sent_by": "marta",
    }
    kinds = Event.objects.filter(kind__startswith="entitlement.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["entitlement.sent", "entitlement.delivered"]
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "parcel.sent",
        "parcel.delivered",
    ]


def test_what_is_handed_over_need_not_be_sent_first(parcel):
    deliver(parcel)

    assert now_of(parcel).status == "delivered"


def test_a_parcel_is_sent_once(parcel):
    send(parcel)

    with pytest.raises(fulfilment.ParcelMoved):
        send(parcel, shipment=Shipment(tracking="another"))

    assert now_of(parcel).details["tracking"] == "RA 644 000 001"


def test_of_many_those_that_wait_are_sent(scene, anna, parcel):
    earn(anna, 100)
    buy(anna, put_on_sale())
    other = Entitlement.objects.latest("pk")
    send(parcel)

    assert send(parcel, other, shipment=Shipment(partner="Courier")) == [other.pk]
    assert "tracking" not in now_of(other).details


def test_what_is_no_parcel_is_not_sent(scene, anna):
    earn(anna, 100)
    buy(anna, put_on_sale(kind="privilege", terms={"days": 3}))

    with pytest.raises(fulfilment.ParcelMoved):
        send(Entitlement.objects.get())

    assert Entitlement.objects.get().status == "issued"


def test_a_parcel_called_off_gives_back_what_it_cost(parcel, anna):
    cancel(parcel)

    assert (now_of(parcel).status, now_of(parcel).ended_why) == ("cancelled", "Broken")
    assert (Redemption.objects.get().status, balance_of(anna), Gift.objects.get().stock) == ("returned", 100, 1)
    assert ledger.verify() == []


def test_a_parcel_that_is_on_its_way_is_not_called_off(parcel, anna):
    send(parcel)

    with pytest.raises(fulfilment.ParcelMoved):
        cancel(parcel)

    assert (now_of(parcel).status, balance_of(anna)) == ("sent", 0)


def test_a_parcel_that_came_back_gives_back_what_it_cost(parcel, anna):
    send(parcel)

    take_back(parcel)

    assert (now_of(parcel).status, now_of(parcel).ended_why) == ("cancelled", "Nobody was at home")
    assert (Redemption.objects.get().status, balance_of(anna), Gift.objects.get().stock) == ("returned", 100, 1)
    assert ledger.verify() == []


def test_a_parcel_that_never_left_cannot_come_back(parcel, anna):
    with pytest.raises(fulfilment.ParcelMoved):
        take_back(parcel)

    assert (now_of(parcel).status, balance_of(anna)) == ("placed", 0)


# What a reward gave


@pytest.fixture
def prize(anna):
    """Give Anna a mug of which there were two, as a reward by hand."""
    mug = put_on_sale(stock=2)
    with transaction():
        issuing.issue(wanted=issuing.Wanted("k", anna.pk, "product", mug.code, 1, "A prize"), actor=MARTA, at=NOON)
    return Entitlement.objects.get()


def reward_of(parcel):
    found = Reward.objects.get(pk=parcel.reward_id)
    return found.status, found.reversed, found.lost


def told_of(parcel):
    kinds = ("entitlement.cancelled", "reward.cancelled")
    return list(Event.objects.filter(kind__in=kinds).order_by("pk").values_list("kind", "data__reason", "data__why"))


def test_a_prize_called_off_is_in_stock_again_and_its_reward_taken_back(prize):
    assert Gift.objects.get().stock == 1

    cancel(prize)

    assert (now_of(prize).status, Gift.objects.get().stock) == ("cancelled", 2)
    assert reward_of(prize) == ("reversed", 1, 0)
    assert told_of(prize) == [("entitlement.cancelled", None, "Broken"), ("reward.cancelled", "Broken", None)]


def test_a_prize_that_came_back_is_in_stock_again_and_its_reward_taken_back(prize):
    send(prize)
    deliver(prize)

    take_back(prize)

    assert (now_of(prize).status, Gift.objects.get().stock) == ("cancelled", 2)
    assert reward_of(prize) == ("reversed", 1, 0)
    assert told_of(prize) == [
        ("entitlement.cancelled", None, "Nobody was at home"),
        ("reward.cancelled", "Nobody was at home", None),
    ]


@pytest.mark.parametrize("end", [cancel, take_back])
def test_a_prize_goes_back_once(prize, end):
    if end is take_back:
        send(prize)
    end(prize)

    for again in (cancel, take_back):
        with pytest.raises(fulfilment.ParcelMoved):
            again(prize)

    assert (Gift.objects.get().stock, reward_of(prize)) == (2, ("reversed", 1, 0))


def test_a_piece_that_came_back_goes_to_whoever_waits(prize, boris):
    Gift.objects.update(stock=0)
    with transaction():
        wanted = issuing.Wanted("k2", boris.pk, "product", prize.gift.code, 1, "A prize")
        issuing.issue(wanted=wanted, actor=MARTA, at=NOON)
    waiting = Entitlement.objects.get(member=boris)
    assert waiting.status == "waiting"
    send(prize)

    take_back(prize)

    assert (now_of(waiting).status, Gift.objects.get().stock) == ("placed", 0)


def test_a_parcel_that_is_not_there_is_unknown(scene):
    with pytest.raises(fulfilment.UnknownParcel), transaction():
        fulfilment.cancel(parcel_id=7, reason="x", actor=MARTA, at=NOON)


def test_an_export_has_addresses_only_for_those_who_may_see_them(parcel):
    (line,) = fulfilment.rows_of([parcel], with_addresses=True)
    (bare,) = fulfilment.rows_of([parcel], with_addresses=False)

    told = dict(zip(fulfilment.HEADINGS, line, strict=True))
    assert (told["name"], told["city"], told["gift"], told["member"]) == ("Anna K.", "Moscow", "Mug", "anna")
    assert "Moscow" not in bare


@pytest.mark.django_db(transaction=True)
def test_of_sending_and_calling_off_at_once_one_happens(request):
    parcel = request.getfixturevalue("parcel")
    member = parcel.member

    results = race(
        lambda: fulfilment.mark_sent(ids=[parcel.pk], shipment=POST, actor=MARTA, at=LATER),
        lambda: fulfilment.cancel(parcel_id=parcel.pk, reason="x", actor=MARTA, at=LATER),
    )

    assert sum(isinstance(each, fulfilment.ParcelMoved) for each in results) == 1
    assert (now_of(parcel).status, balance_of(member)) in {("sent", 0), ("cancelled", 100)}
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_of_calling_a_prize_off_many_times_at_once_one_puts_its_piece_back(request):
    prize = request.getfixturevalue("prize")

    results = race(
        *[lambda: fulfilment.cancel(parcel_id=prize.pk, reason="x", actor=MARTA, at=LATER)] * 4,
    )

    assert sum(isinstance(each, fulfilment.ParcelMoved) for each in results) == 3
    assert (Gift.objects.get().stock, reward_of(prize), ledger.verify()) == (2, ("reversed", 1, 0), [])

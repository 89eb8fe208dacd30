"""Two who resume, the clock beside a person, and the patrol beside the worker."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from antifraud.limits import counters
from antifraud.models import StopRule, Tally, Trip
from antifraud.stops import patrol, resuming
from campaigns.models import Campaign
from events import claims
from events.models import Event
from rewards import ledger
from rewards.models import Reward
from tenants import context
from tests.cast import NOON, Shop, make_campaign

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Run each in a thread with a connection of its own, and return what came of them."""

    def alone(act: Callable[[], object]) -> str:
        try:
            with context.in_tenant("t_acme"):
                act()
        except Exception as error:
            return type(error).__name__
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(acts)) as threads:
        return sorted(threads.map(alone, acts))


def score(shop: Shop) -> Callable[[], None]:
    """Return what a worker does: it handles whatever waits, as soon as the tenant is free."""

    def act() -> None:
        while True:
            try:
                shop.handle()
            except claims.Busy:
                continue
            return

    return act


def is_well() -> bool:
    return ledger.verify() == [] and counters.verify(zone="Europe/Moscow") == []


@pytest.fixture
def shop(acme) -> Shop:
    StopRule.objects.update(is_active=False)
    StopRule.objects.create(metric="rewards", threshold=5, window_minutes=60, cooldown_minutes=0)
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop = Shop()
    shop.joins("anna")
    return shop


def order(shop: Shop, count: int) -> None:
    for number in range(count):
        shop.report("order.paid", "anna", order_id=f"{shop.at:%H%M}-{number}", amount_minor=100, currency="RUB")


def test_of_two_who_resume_one_does_and_the_other_is_told(shop, max_, mia):
    order(shop, 8)
    shop.handle()
    trip = Trip.objects.get()

    came = at_once(
        lambda: resuming.resume(trip=Trip.objects.get(), by=max_, at=NOON),
        lambda: resuming.resume(trip=Trip.objects.get(), by=mia, at=NOON),
    )

    assert came == ["AlreadyResumed", "done"]
    trip.refresh_from_db()
    assert Event.objects.filter(kind="campaign.resumed").count() == 1
    assert Campaign.objects.get().status == "active"
    assert is_well()


def test_whoever_resumes_beside_the_clock_resumes_once(shop, max_):
    order(shop, 8)
    shop.handle()
    Trip.objects.update(resume_at=NOON)

    came = at_once(
        lambda: resuming.resume(trip=Trip.objects.get(), by=max_, at=NOON),
        lambda: patrol.walk(at=NOON),
    )

    assert came in (["done", "done"], ["AlreadyResumed", "done"])
    assert Event.objects.filter(kind="trip.closed").count() == 1
    assert is_well()


def test_the_patrol_and_the_worker_stop_a_campaign_once(shop):
    order(shop, 30)

    came = at_once(score(shop), *[lambda: patrol.walk(at=NOON)] * 3)

    assert came == ["done"] * 4
    assert [(trip.action, trip.resumed_at) for trip in Trip.objects.all()] == [("stop", None)]
    assert Event.objects.filter(kind="campaign.stopped").count() == 1
    assert sorted(Reward.objects.values_list("status", flat=True)) == ["flagged"] * 25 + ["granted"] * 5
    assert is_well()


def test_what_is_resumed_while_the_worker_is_at_it_gives_no_more_than_the_rule_allows(shop, max_):
    order(shop, 8)
    shop.handle()
    shop.at = NOON + timedelta(minutes=1)
    order(shop, 30)

    came = at_once(score(shop), lambda: resuming.resume(trip=Trip.objects.get(resumed_at=None), by=max_, at=shop.at))

    assert came == ["done", "done"]
    granted = Reward.objects.filter(status="granted").count()
    # Five before; and five after it, if the campaign was going again by then.
    assert granted in {5, 10}
    assert sum(Tally.objects.filter(scope="campaign").values_list("rewards", flat=True)) == 38
    assert is_well()

"""A campaign attacked at fifty times its usual rate is stopped within the batch, by the rules of a new tenant."""

from datetime import timedelta

import pytest

from antifraud.models import Tally, Trip
from campaigns.models import Campaign
from events import handling
from rewards.models import Reward
from tests.cast import NOON, make_campaign

pytestmark = pytest.mark.django_db

USUAL = 12
TIMES = 50
# Usual are twelve an hour; three times that is what weeks of exactly twelve allow. The first of them began too late.
ALLOWED = 36


@pytest.fixture
def campaign(shop) -> Campaign:
    """Have a campaign of nine weeks that gave so many rewards in this hour of each."""
    campaign = make_campaign(
        rule={"trigger": "custom.visit", "recipient": "actor", "order_number": "any"}, at=NOON - timedelta(weeks=9)
    )
    Tally.objects.bulk_create(
        Tally(
            scope="campaign",
            subject=str(campaign.pk),
            minute=NOON - timedelta(weeks=weeks, minutes=minutes),
            rewards=USUAL // 4,
        )
        for weeks in range(1, 9)
        for minutes in (5, 20, 35, 50)
    )
    return campaign


def attack(shop, times: int) -> None:
    for number in range(times):
        shop.report("custom.visit", f"bot-{number % 10}", n=number)


def statuses() -> list[str]:
    return list(Reward.objects.order_by("pk").values_list("status", flat=True))


def test_it_is_stopped_at_the_reward_that_is_too_many(shop, campaign):
    attack(shop, TIMES * USUAL)

    handling.handle_batch(schema="t_acme", at=NOON)

    campaign.refresh_from_db()
    assert campaign.status == "stopped"
    trip = Trip.objects.get(action="stop")
    assert (trip.figure, trip.baseline["median"], trip.baseline["weeks"]) == (ALLOWED + 1, 12.0, [USUAL] * 7)
    first_batch = statuses()
    assert first_batch == ["granted"] * ALLOWED + ["flagged"] * (len(first_batch) - ALLOWED)

    shop.handle()

    # Not one more has leaked by the end of it.
    assert statuses() == ["granted"] * ALLOWED + ["flagged"] * (TIMES * USUAL - ALLOWED)
    assert Trip.objects.filter(action="stop").count() == 1


def test_three_times_as_many_as_usual_are_a_good_day(shop, campaign):
    attack(shop, ALLOWED)

    shop.handle()

    campaign.refresh_from_db()
    assert campaign.status == "active"
    assert statuses() == ["granted"] * ALLOWED
    assert not Trip.objects.exists()

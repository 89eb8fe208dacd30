"""Anna refers Boris, who pays with her card: two flagged rewards in one case. Max and Mia moderate."""

import pytest

from antifraud.models import Case, StopRule, Trip
from campaigns import lifecycle
from campaigns.models import Campaign
from core.db import transaction
from tenants.staff.models import Staff
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag, staff_of


@pytest.fixture
def shop(acme) -> Shop:
    return Shop()


@pytest.fixture
def campaign(acme) -> Campaign:
    return make_campaign(rule={"recipient": "both"})


@pytest.fixture
def case(shop: Shop, campaign: Campaign) -> Case:
    flag(shop)
    return Case.objects.get()


@pytest.fixture
def max_(acme) -> Staff:
    return staff_of("moderator", username="max")


@pytest.fixture
def mia(acme) -> Staff:
    return staff_of("moderator", username="mia")


@pytest.fixture
def trip(campaign) -> Trip:
    with transaction():
        lifecycle.stop(campaign=campaign, author="stop rule 1", at=NOON)
    return Trip.objects.create(
        stop_rule=StopRule.objects.earliest("pk"),
        campaign=campaign,
        metric="rewards",
        figure=501,
        threshold=500,
        window_minutes=60,
        tripped_at=NOON,
    )

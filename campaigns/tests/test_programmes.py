"""A loyalty programme by one click."""

from datetime import UTC, datetime

import pytest
import time_machine

from campaigns.models import Campaign, CampaignVersion
from campaigns.tests.pages import LIST, browser_of, messages_of, page_of
from tenants.staff.models import AuditEntry

pytestmark = pytest.mark.django_db

START = f"{LIST}start-programme/"


def test_a_loyalty_programme_is_one_click(mia, builtin):
    with time_machine.travel(datetime(2026, 3, 17, 12, tzinfo=UTC), tick=False):
        response = mia.post(START)

    campaign = Campaign.objects.get(is_builtin=False)
    assert response.url == page_of(campaign)
    assert (campaign.name, campaign.status, campaign.refund_policy) == ("Cashback 5%", "active", "to_zero")
    page = mia.get(response.url)
    assert messages_of(page) == ["“Cashback 5%” is active. Change what you like."]
    assert page.context["sentences"] == [
        "A member gets 5% of the order in points when they pay an order.",
        "The points can be spent after 14 days.",
        "It runs from March 17, 2026, 15:00 on.",
    ]
    [version] = CampaignVersion.objects.all()
    assert (version.campaign_id, version.author) == (campaign.pk, "marketer")
    assert AuditEntry.objects.filter(action="campaign.start_programme").count() == 1


def test_a_second_click_starts_no_second_programme(mia):
    mia.post(START)

    again = mia.post(START)

    assert Campaign.objects.count() == 1
    assert messages_of(mia.get(again.url))[-1] == "There is a campaign already: change that, or create another."
    assert "Start a programme" not in mia.get(LIST).content.decode()


def test_looking_at_the_button_s_address_starts_nothing(mia):
    assert mia.get(START).url == LIST
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("role", ["moderator", "analyst"])
def test_others_start_no_programme(acme, role):
    other = browser_of(role)

    assert other.post(START).status_code == 403
    assert "Start a programme" not in other.get(LIST).content.decode()
    assert not Campaign.objects.exists()

"""The buttons above a campaign's page: what each does, where it may, and what it leaves alone."""

import pytest

from campaigns.models import Campaign, CampaignVersion
from campaigns.tests.making import make_campaign
from campaigns.tests.pages import LIST, messages_of, page_of, press, save
from tenants.staff.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("status", "button", "leads_to"),
    [
        ("draft", "activate", "active"),
        ("active", "pause", "paused"),
        ("paused", "resume", "active"),
        ("stopped", "resume", "stopped"),
        ("ended", "resume", "ended"),
        ("draft", "pause", "draft"),
    ],
)
def test_a_button_does_what_it_says_where_it_may(mia, status, button, leads_to):
    campaign = make_campaign(status=status)

    press(mia, campaign, button)

    campaign.refresh_from_db()
    assert campaign.status == leads_to
    assert CampaignVersion.objects.count() == int(status != leads_to)
    audited = AuditEntry.objects.filter(action=f"campaign.{button}", target=f"campaign:{campaign.pk} Bring a friend")
    assert audited.count() == int(status != leads_to)


def test_the_end_is_asked_for_twice(mia, running):
    asked = press(mia, running, "end")

    assert asked.templates[0].name == "campaigns/end_campaign.html"
    running.refresh_from_db()
    assert running.status == "active"

    ended = press(mia, running, "end", sure="1")
    assert ended.url == page_of(running)
    running.refresh_from_db()
    assert running.status == "ended"


def test_a_button_says_what_keeps_a_campaign_from_being_activated(mia):
    campaign = make_campaign({"is_active": False})

    response = press(mia, campaign, "activate")

    assert messages_of(mia.get(response.url)) == [
        "No rule is in use: nobody would get anything.",
        "The campaign cannot be activated yet.",
    ]


def test_looking_at_a_button_s_address_does_nothing(mia, running):
    assert mia.get(f"{LIST}{running.pk}/pause/").url == LIST

    running.refresh_from_db()
    assert running.status == "active"


def test_a_stopped_campaign_shows_the_way_to_its_stop(mia):
    campaign = make_campaign(status="stopped")

    response = mia.get(page_of(campaign))

    assert response.context["stops_url"] == "/admin/antifraud/trip/"
    assert "resume/" not in response.content.decode()


def test_what_has_ended_is_only_read(mia):
    campaign = make_campaign(status="ended")

    assert save(mia, page_of(campaign), name="Again").status_code == 403

    campaign.refresh_from_db()
    assert campaign.name == "Bring a friend"


def test_only_a_draft_can_be_deleted(mia, running):
    draft = make_campaign(name="Draft")

    assert mia.post(f"{LIST}{running.pk}/delete/", {"post": "yes"}).status_code == 403
    assert mia.post(f"{LIST}{draft.pk}/delete/", {"post": "yes"}).status_code == 302

    assert [campaign.pk for campaign in Campaign.objects.all()] == [running.pk]

"""Who may do what at a campaign's page, and what nobody may: change what is built in."""

import pytest

from campaigns.models import Campaign, CampaignVersion
from campaigns.tests.making import make_campaign
from campaigns.tests.pages import ADD, LIST, browser_of, page_of, press, save
from tenants import context

pytestmark = pytest.mark.django_db


# Who may


@pytest.mark.parametrize("role", ["moderator", "analyst"])
def test_others_read_in_words_and_change_nothing(acme, running, role):
    other = browser_of(role)

    page = other.get(page_of(running))

    assert page.status_code == 200
    assert page.context["sentences"] == [
        "The inviter gets 100 points when a friend pays a first order.",
        "It runs from March 17, 2026, 15:00 on.",
        "All in all it gives at most 10,000 points.",
        "When less is left than is due, nothing is given.",
    ]
    assert page.context["inline_admin_formsets"] == []
    assert "_save" not in page.content.decode()
    assert other.get(LIST).status_code == 200
    assert other.get(ADD).status_code == 403
    assert other.post(ADD, {"name": "Mine"}).status_code == 403
    assert other.post(page_of(running), {"name": "Mine"}).status_code == 403
    for button in ("activate", "pause", "resume", "end"):
        assert press(other, running, button, sure="1").status_code == 403
    running.refresh_from_db()
    assert (running.name, running.status) == ("Bring a friend", "active")
    assert CampaignVersion.objects.count() == 1


def test_a_stranger_is_asked_to_log_in(client, running):
    client.defaults["HTTP_HOST"] = "acme.localhost"

    assert client.get(page_of(running)).url.startswith("/admin/login/")
    assert client.post(f"{LIST}{running.pk}/pause/").url.startswith("/admin/login/")

    running.refresh_from_db()
    assert running.status == "active"


def test_the_cookie_of_one_tenant_opens_nothing_of_another(mia, running, bolt):
    mia.defaults["HTTP_HOST"] = "bolt.localhost"

    assert mia.get(page_of(running), headers={"host": "bolt.localhost"}).url.startswith("/admin/login/")


def test_a_campaign_of_another_tenant_is_not_found(acme, bolt, running):
    with context.in_tenant(bolt.schema_name):
        stranger = browser_of("marketer", host="bolt.localhost")
        assert not Campaign.objects.exists()

    response = stranger.get(page_of(running))

    assert response.status_code == 302
    assert response.url == "/admin/"
    assert press(stranger, running, "pause").status_code == 404


# What is built in


def test_what_is_built_in_is_only_looked_at(mia, builtin):
    page = mia.get(page_of(builtin))

    assert page.status_code == 200
    assert (page.context["buttons"], page.context["remarks"]) == ("", [])
    assert page.context["inline_admin_formsets"] == []
    assert save(mia, page_of(builtin), name="Mine").status_code == 403
    assert mia.post(f"{LIST}{builtin.pk}/delete/", {"post": "yes"}).status_code == 403
    for button in ("activate", "pause", "resume", "end"):
        press(mia, builtin, button, sure="1")
    builtin.refresh_from_db()
    assert (builtin.name, builtin.status) == ("By hand", "active")
    assert not CampaignVersion.objects.exists()


def test_a_built_in_draft_is_not_deleted_either(mia, acme):
    draft = make_campaign(is_builtin=True)

    assert mia.post(f"{LIST}{draft.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Campaign.objects.filter(pk=draft.pk).exists()

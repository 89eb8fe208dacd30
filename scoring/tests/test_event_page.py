"""The page of an event: what was sent, what came of it, and another try."""

import pytest

from events.models import Event
from rewards.tests.gifts import gift
from tenants.staff.models import AuditEntry
from tests.cast import Shop, make_campaign
from tests.people import browser_of, staff_of

EVENTS = "/admin/events/event/"


@pytest.fixture
def shop(acme) -> Shop:
    return Shop()


def shown(path: str, role: str = "analyst") -> str:
    response = browser_of(staff_of(role)).get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_an_event_tells_what_was_sent_and_why_it_was_rewarded(shop):
    campaign = make_campaign(rule={"recipient": "actor"})
    event = shop.tells(
        "order.paid",
        {"external_id": "anna", "email": "anna.secret@example.com"},
        order_id="A-17",
        amount_minor=50_000,
        currency="RUB",
    )

    page = shown(f"{EVENTS}{event.pk}/change/")

    for part in ("A-17", "50000", "a***@e***.com", campaign.name, "Granted", "Rewarded"):
        assert part in page
    assert "anna.secret" not in page


def test_a_rule_that_gave_nothing_says_why(shop):
    make_campaign()
    event = shop.pays("anna", "500")

    assert "Nobody invited this member" in shown(f"{EVENTS}{event.pk}/change/")


def test_the_list_shows_what_was_reported_and_on_demand_what_we_recorded(shop):
    make_campaign(rule={"recipient": "actor"})
    shop.pays("anna", "500", order="A-17")
    browser = browser_of(staff_of("analyst"))

    reported, recorded = (browser.get(f"{EVENTS}{query}").content.decode() for query in ("", "?show=sarafan"))

    assert "A-17" in reported
    assert "reward.granted" not in reported
    # By what webhooks call it, with the kind below.
    assert '<br><code class="soft small">reward.granted</code>' in recorded
    assert "A reward was granted" in recorded


def test_an_order_is_found_by_its_number(shop):
    shop.pays("anna", "500", order="A-17")
    shop.pays("boris", "500", order="A-18")

    page = shown(f"{EVENTS}?q=A-17")

    assert "anna" in page
    assert "boris" not in page


def test_what_failed_is_tried_again_with_one_click(shop):
    event = shop.joins("anna")
    Event.objects.filter(pk=event.pk).update(status="failed", error="The sky fell.")
    browser = browser_of(staff_of("admin"))
    assert "The sky fell." in browser.get(f"{EVENTS}{event.pk}/change/").content.decode()

    browser.post(f"{EVENTS}{event.pk}/retry/")

    event.refresh_from_db()
    assert event.status == "waiting"
    assert AuditEntry.objects.get().action == "event.retried"


def test_an_analyst_tries_nothing_again(shop):
    event = shop.joins("anna")
    Event.objects.filter(pk=event.pk).update(status="failed", error="The sky fell.")

    assert browser_of(staff_of("analyst")).post(f"{EVENTS}{event.pk}/retry/").status_code == 403

    event.refresh_from_db()
    assert event.status == "failed"


def test_what_is_no_points_is_counted_beside_them(shop):
    gift("privilege", code="vip")
    extras = [{"kind": "privilege", "what": "vip", "amount": 1}]
    make_campaign(rule={"recipient": "actor", "extras": extras})
    shop.pays("anna", "500", order="A-17")

    page = shown(EVENTS)

    for part in ("100 points", "1 other reward<"):
        assert part in page

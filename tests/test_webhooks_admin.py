"""Webhooks in the back office."""

import re

import pytest
import time_machine

from core.db import transaction
from events import facts
from events.facts import Fact
from integrations.models import Delivery, Endpoint
from integrations.webhooks import kinds, resending
from tenants.staff.models import AuditEntry
from tests import webhooks
from tests.cast import NOON
from tests.people import browser_of, staff_of
from tests.stand_ins.receivers import StandIn

URL = "https://shop.example.com/hooks"
SURE = {"confirmed": "yes"}
PAGE, LOG = "/admin/integrations/endpoint/", "/admin/integrations/delivery/"
CHOSEN = {"url": URL, "description": "The shop", "confirmed": ["reward.granted"], "others": ["reward.pending"]}


@pytest.fixture
def browser(acme):
    with time_machine.travel(NOON, tick=False):
        yield browser_of(staff_of("admin"))


@transaction
def happen(*numbers: int) -> None:
    told = [Fact("reward.granted", f"r:{each}", {"reward_id": each, "kind": "points", "what": ""}) for each in numbers]
    facts.record(facts=told, at=NOON)


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def pressed(browser, path, body=None):
    """Press a button, and return what the page that follows says."""
    return browser.post(path, body or {}, follow=True).content.decode()


def test_the_form_comes_with_all_that_is_confirmed_and_the_secret_is_shown_once(browser):
    form = browser.get(f"{PAGE}add/").content.decode()
    page = browser.post(f"{PAGE}add/", CHOSEN).content.decode()

    checked = set(re.findall(r'value="([a-z_.]+)"[^>]*\schecked[\s>]', form))
    made = Endpoint.objects.get()
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", page)
    assert checked == set(kinds.CONFIRMED)
    assert (made.url, made.description, made.kinds) == (URL, "The shop", ["reward.granted", "reward.pending"])
    assert secret not in browser.get(f"{PAGE}{made.pk}/change/").content.decode()
    assert actions() == ["webhook.added"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"url": "http://shop.example.com/"}, "begins with https://"),
        ({"confirmed": [], "others": []}, "Choose at least one fact."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_added(browser, wrong, sentence):
    page = browser.post(f"{PAGE}add/", {**CHOSEN, **wrong}).content.decode()

    assert sentence in page
    assert not Endpoint.objects.exists()


def test_a_twenty_first_webhook_is_refused_in_words(browser):
    for _number in range(20):
        webhooks.add(URL)

    assert "There are 20 webhooks already" in browser.post(f"{PAGE}add/", CHOSEN).content.decode()
    assert Endpoint.objects.count() == 20


def test_what_is_changed_is_written_down(browser):
    endpoint, _ = webhooks.add(URL, kinds=["reward.granted"])

    browser.post(f"{PAGE}{endpoint.pk}/change/", {**CHOSEN, "url": URL + "/2"})

    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.kinds) == (URL + "/2", ["reward.granted", "reward.pending"])
    assert actions() == ["webhook.added", "webhook.changed"]


def test_the_buttons_pause_resume_test_and_rotate(browser):
    endpoint, secret = webhooks.add(URL)
    paths = {name: f"{PAGE}{endpoint.pk}/{name}/" for name in ("pause", "resume", "test", "rotate")}

    assert "Nothing is sent there for now" in pressed(browser, paths["pause"])
    assert "resume it first" in pressed(browser, paths["test"])
    assert "what waits is sent now" in pressed(browser, paths["resume"])
    assert "A test is on its way." in pressed(browser, paths["test"])
    rotated = pressed(browser, paths["rotate"])

    (new,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", rotated)
    assert new != secret
    assert Delivery.objects.get().kind == "webhook.test"
    assert actions() == ["webhook.added", "webhook.paused", "webhook.resumed", "webhook.tested", "webhook.rotated"]


def test_the_page_says_which_secrets_sign_and_ends_the_old_ones(browser):
    endpoint, first = webhooks.add(URL)
    page, path = f"{PAGE}{endpoint.pk}/change/", f"{PAGE}{endpoint.pk}/end-overlap/"
    alone = browser.get(page).content.decode()

    pressed(browser, f"{PAGE}{endpoint.pk}/rotate/")
    overlapping = browser.get(page).content.decode()
    asked = pressed(browser, path)
    still = browser.get(page).content.decode()
    ended = pressed(browser, path, SURE)
    after, again = browser.get(page).content.decode(), pressed(browser, path, SURE)

    assert [f"…{first[-5:-1]}=" in each for each in (alone, overlapping, still, after)] == [
        True,
        True,
        True,
        False,
    ]
    assert ["End the old secrets now" in each for each in (alone, overlapping, after)] == [False, True, False]
    assert first not in overlapping
    assert "Let only the newest secret sign?" in asked
    assert "Only the newest secret signs from now on." in ended
    assert "Only the newest secret signs already." in again
    assert actions() == ["webhook.added", "webhook.rotated", "webhook.overlap_ended"]


def test_a_fourth_secret_is_refused_in_words(browser):
    endpoint, _ = webhooks.add(URL)
    for _number in range(2):
        pressed(browser, f"{PAGE}{endpoint.pk}/rotate/")

    assert "Three secrets sign already" in pressed(browser, f"{PAGE}{endpoint.pk}/rotate/")
    assert actions() == ["webhook.added", "webhook.rotated", "webhook.rotated"]


def test_the_page_says_how_far_sending_again_is(browser, monkeypatch):
    monkeypatch.setattr(resending, "PIECE", 2)
    endpoint, _ = webhooks.add(URL)
    happen(1, 2, 3, 4)
    path = f"{PAGE}{endpoint.pk}/resend/"

    said = pressed(browser, path, {"since_0": "2026-03-17", "since_1": "00:00", "which": "undelivered"})
    page = browser.get(f"{PAGE}{endpoint.pk}/change/").content.decode()
    again = pressed(browser, path, {"since_0": "2026-03-17", "since_1": "00:00", "which": "undelivered"})

    assert "2 facts are sent again so far: 50 % of the log is gone through." in said
    assert "2 facts are sent again so far: 50 % of the log is gone through." in page
    assert "The log is still being gone through for this webhook" in again
    assert Delivery.objects.count() == 4


def test_nothing_is_done_by_looking(browser):
    endpoint, _ = webhooks.add(URL)

    for name in ("pause", "resume", "test", "rotate", "end-overlap", "resend"):
        assert browser.get(f"{PAGE}{endpoint.pk}/{name}/").status_code == 302
    assert actions() == ["webhook.added"]


def test_what_happened_since_is_sent_again_after_it_was_asked_from_when_on(browser):
    endpoint, _ = webhooks.add(URL)
    happen(1, 2)
    Delivery.objects.all().delete()
    path = f"{PAGE}{endpoint.pk}/resend/"

    asked = pressed(browser, path)
    too_early = pressed(browser, path, {"since_0": "2026-01-01", "since_1": "00:00", "which": "undelivered"})
    done = pressed(browser, path, {"since_0": "2026-03-17", "since_1": "00:00", "which": "undelivered"})

    assert 'name="since_0"' in asked
    assert "the last 30 days can be sent again" in too_early
    assert "2 facts are sent again." in done
    assert Delivery.objects.count() == 2


def test_the_list_says_how_each_goes(browser):
    endpoint, _ = webhooks.add(URL)
    happen(1, 2)
    Endpoint.objects.update(status="disabled", status_note="gone")

    page = browser.get(PAGE).content.decode()

    assert "The receiver answered 410" in page
    assert f'href="{LOG}?show=waiting&amp;endpoint={endpoint.pk}">2</a>' in page


def test_the_front_page_says_that_a_webhook_was_disabled_to_whoever_looks_after_them(browser):
    webhooks.add(URL)
    before = browser.get("/admin/").content.decode()
    Endpoint.objects.update(status="disabled", status_note="failing")

    assert "A webhook was disabled" not in before
    assert "A webhook was disabled" in browser.get("/admin/").content.decode()
    assert "A webhook was disabled" not in browser_of(staff_of("analyst")).get("/admin/").content.decode()


def test_a_delivery_is_looked_at_and_sent_again(browser):
    with StandIn() as stand_in:
        stand_in.receiver.mode, stand_in.receiver.answer = "down", b"Ouch <b>"
        webhooks.add(stand_in.url)
        happen(1)
        webhooks.send_due(at=NOON)
        delivery = Delivery.objects.get()
        page = browser.get(f"{LOG}{delivery.pk}/change/").content.decode()

        said = pressed(browser, f"{LOG}{delivery.pk}/resend/")

        (came,) = stand_in.receiver.came
    assert f"webhook-signature: {came.headers['webhook-signature']}" in page.replace("&#x3D;", "=").replace(
        "&#43;", "+"
    )
    assert "webhook-attempt: 1" in page
    assert "Of an answer that is no success the first 64 KiB are kept." in page
    assert (f"webhook-id: {delivery.message_id}" in page, "Ouch &lt;b&gt;" in page) == (True, True)
    assert "It is sent again now." in said
    delivery.refresh_from_db()
    assert (delivery.next_at, delivery.attempts) == (NOON, 0)


def test_the_log_is_filtered(browser):
    webhooks.add(URL)
    happen(1)

    assert "A reward was granted" in browser.get(f"{LOG}?show=waiting&kind=reward.granted").content.decode()
    assert Delivery.objects.get().message_id not in browser.get(f"{LOG}?show=delivered").content.decode()


def test_a_webhook_is_deleted_without_naming_each_delivery(browser):
    endpoint, _ = webhooks.add(URL)
    happen(1, 2)
    page = browser.get(f"{PAGE}{endpoint.pk}/delete/").content.decode()

    browser.post(f"{PAGE}{endpoint.pk}/delete/", {"post": "yes"})

    assert "msg_" not in page
    assert (Endpoint.objects.count(), Delivery.objects.count()) == (0, 0)
    assert actions() == ["webhook.added", "webhook.deleted"]


@pytest.mark.parametrize("role", ["marketer", "moderator", "analyst"])
def test_nobody_but_an_admin_sees_or_does_anything(browser, role):
    endpoint, _ = webhooks.add(URL)
    happen(1)
    somebody = browser_of(staff_of(role))
    delivery = Delivery.objects.get()

    reading = [PAGE, LOG, f"{PAGE}{endpoint.pk}/change/", f"{LOG}{delivery.pk}/change/", f"{PAGE}add/"]
    buttons = ("pause", "resume", "test", "rotate", "end-overlap", "resend", "delete")
    pressing = [f"{PAGE}{endpoint.pk}/{name}/" for name in buttons]
    assert {somebody.get(path).status_code for path in reading} == {403}
    assert {somebody.post(path).status_code for path in [*pressing, f"{LOG}{delivery.pk}/resend/"]} == {403}
    assert actions() == ["webhook.added"]

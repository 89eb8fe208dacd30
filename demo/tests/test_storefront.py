"""The shop's own site, against messages that are signed as Sarafan signs them."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests

from core import outbound
from demo.storefront import site
from demo.storefront.messages import KEPT, Inbox
from integrations.webhooks import signing

SECRET, OLD = (signing.secret_of(bytes([number]) * 32) for number in (1, 2))
BODY = json.dumps({"type": "reward.granted", "data": {"reward_id": 12}}).encode()


@pytest.fixture
def inbox():
    return Inbox(lambda: SECRET)


def headers(*secrets, number=1, ago=timedelta(), body=BODY):
    return signing.headers_of(message_id=f"msg_{number}", body=body, secrets=secrets, at=datetime.now(UTC) - ago)


def told(inbox):
    return [(each["id"], each["kind"], each["status"], each["signatures"]) for each in inbox.shown()]


def test_a_message_is_taken_once_however_often_it_comes(inbox):
    assert [inbox.take(headers(SECRET), BODY) for _time in range(2)] == [204, 204]

    again, first = inbox.shown()
    assert first["note"] == "Taken."
    assert again["note"] == "It had come before, so nothing was done about it."
    assert first["data"] == {"reward_id": 12}


def test_while_a_secret_is_replaced_one_signature_that_fits_is_enough(inbox):
    assert inbox.take(headers(SECRET, OLD), BODY) == 204

    assert told(inbox) == [("msg_1", "reward.granted", 204, 2)]


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (headers(OLD), BODY),
        (headers(SECRET), BODY + b" "),
        (headers(SECRET, ago=timedelta(minutes=6)), BODY),
        (headers(SECRET) | {"webhook-timestamp": "²"}, BODY),
        (headers(SECRET) | {"webhook-timestamp": "9" * 5000}, BODY),
        (headers(SECRET) | {"webhook-signature": "v1,é"}, BODY),
        ({}, BODY),
    ],
    ids=["another secret", "another body", "too old", "no time", "endless time", "no signature", "no headers"],
)
def test_what_somebody_else_may_have_sent_is_not_taken(inbox, sent, body):
    assert inbox.take(sent, body) == 401

    assert [(status, kind) for _id, kind, status, _count in told(inbox)] == [(401, "")]


def test_without_a_secret_nothing_is_genuine():
    inbox = Inbox(lambda: "")

    assert inbox.take(headers(""), BODY) == 401


def test_the_next_message_is_refused_where_somebody_asked_for_it_and_is_taken_when_it_comes_again(inbox):
    inbox.refuse_next()

    assert [inbox.take(headers(SECRET), BODY) for _time in range(2)] == [503, 204]
    assert inbox.shown()[0]["note"] == "Taken."


def test_it_shows_the_last_ones_only(inbox):
    for number in range(KEPT + 3):
        inbox.take(headers(SECRET, number=number), BODY)

    shown = [name for name, *_rest in told(inbox)]
    assert (len(shown), shown[0]) == (KEPT, f"msg_{KEPT + 2}")


@pytest.fixture
def port(tmp_path):
    """Give the port of a site that is open, with its notes."""
    shop = {"publishable_key": "pk_live_x", "webhook_secret": SECRET}
    notes = tmp_path / "demo.json"
    notes.write_text(json.dumps({"keys": {"live": "sk_live_x"}, "shop": shop}), encoding="utf-8")
    free = free_port()
    with site.opened(port=free, notes=notes):
        yield free


def free_port():
    with site.ThreadingHTTPServer((site.HOST, 0), site.BaseHTTPRequestHandler) as server:
        return server.server_port


def test_sarafan_sends_to_that_one_address_of_this_machine_and_to_no_other(port, settings):
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    settings.OUTBOUND_ALLOWED_STARTS = (f"http://{site.HOST}:{port}/",)
    here = f"http://{site.HOST}:{port}{site.WEBHOOKS}"

    # It is no message of ours, and yet it has come.
    assert post(here).status == 401

    for elsewhere in (
        here.replace(str(port), str(port + 1)),
        here.replace("http:", "https:"),
        here.replace(site.HOST, "localhost"),
        f"http://{site.HOST}:{port}@127.0.0.2/webhooks",
    ):
        with pytest.raises(outbound.NotSent, match="InvalidIPAddress"):
            post(elsewhere)

    settings.OUTBOUND_ALLOWED_STARTS = ()
    with pytest.raises(outbound.NotSent, match="InvalidIPAddress"):
        post(here)
    assert len(requests.get(f"http://{site.HOST}:{port}/messages.json", timeout=5).json()["messages"]) == 1


def post(url):
    return outbound.call(method="POST", url=url, json={})


def test_the_page_is_told_no_secret(port):
    here = f"http://{site.HOST}:{port}"

    shop = requests.get(f"{here}/shop.json", timeout=5)
    pages = [requests.get(f"{here}{path}", timeout=5) for path in ("/", "/page.js", "/page.css", "/?ref=ANNA")]
    other = requests.get(f"{here}/demo.json", timeout=5)

    assert shop.json() == {"api": "", "url": "", "admin": "", "publishable_key": "pk_live_x"}
    assert [page.status_code for page in pages] == [200] * 4
    assert other.status_code == 404
    assert not any("whsec_" in page.text or "sk_live_" in page.text for page in (shop, *pages, other))


def test_the_site_ends_with_its_block(tmp_path):
    free = free_port()
    with site.opened(port=free, notes=tmp_path / "none.json"):
        assert requests.get(f"http://{site.HOST}:{free}/shop.json", timeout=5).json()["publishable_key"] == ""

    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://{site.HOST}:{free}/", timeout=5)
    assert not [each for each in threading.enumerate() if "serve_forever" in each.name]

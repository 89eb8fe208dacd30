"""The site of the demo's shop: its page reads the API from another origin, as far as its key lets it."""

import json

import pytest

from demo.storefront import site as shops
from demo.tests.test_storefront import free_port
from referrals.models import Click
from tenants import keys
from tests.browser.screens import LARGE, SMALL

pytestmark = pytest.mark.django_db(transaction=True)

VERDICT = "document.querySelector('[data-verdict]').textContent"
OFFERS = "document.querySelector('[data-campaigns]').textContent"
CLICKED = "document.querySelector('[data-clicked]').textContent"


@pytest.fixture
def url(acme, live_server, shop, now, tmp_path):
    """Open the site for Acme, and give the origin that its key names."""
    port = free_port()
    origin = f"http://localhost:{port}"
    _key, full = keys.issue(
        tenant=acme,
        environment="live",
        kind="publishable",
        name="Window",
        scopes=keys.PUBLIC_SCOPES,
        allowed_origins=[origin],
        at=now,
    )
    api = f"http://localhost:{live_server.thread.port}"
    notes = tmp_path / "notes.json"
    shop = {"url": origin, "api": api, "admin": f"{api}/admin/", "publishable_key": full}
    notes.write_text(json.dumps({"shop": shop}), encoding="utf-8")
    with shops.opened(port=port, notes=notes):
        yield origin


@pytest.mark.parametrize("size", [LARGE, SMALL], ids=["large", "small"])
def test_the_page_shows_what_is_on_offer_and_counts_a_friends_code(url, come, shop, size):
    shop.joins("anna")

    screen = come(f"/?ref={shop.code_of('anna')}", origin=url, size=size)
    screen.wait_for(f"{VERDICT} !== ''")
    assert screen.run(VERDICT) == "The browser let the page read the answer: the key names this origin."
    assert screen.run(OFFERS).startswith("Bring a friend: И пригласивший, и друг получают 100 баллов")
    assert screen.beyond() == 0

    screen.chromium.do(screen.page.get_by_role("button", name="Use it").click)
    screen.wait_for(f"{CLICKED} !== ''")
    assert Click.objects.get().key in screen.run(CLICKED)


def test_at_an_origin_that_the_key_does_not_name_the_browser_keeps_the_answer_back(url, come):
    screen = come("/", origin=url.replace("localhost", "127.0.0.1"))
    screen.wait_for(f"{VERDICT} !== ''")

    assert screen.run(VERDICT) == "The browser kept the answer from the page: the key does not name this origin."
    assert screen.run(OFFERS) == ""

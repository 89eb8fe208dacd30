"""An admin who looks after the keys."""

from datetime import timedelta

import pytest

from core.db import transaction
from tenants import key_uses, keys
from tenants.models import ApiKey
from tests.browser.screens import LARGE, SMALL
from tests.people import staff_of

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/tenants/apikey/"


@pytest.fixture
def admin(transactional_db):
    return staff_of("admin")


@pytest.fixture
def still_used(acme, now) -> ApiKey:
    """Give a key that was replaced yesterday, and that somebody still sends."""
    began = now - timedelta(days=30)
    key, _full = keys.issue(tenant=acme, environment="live", name="Old till", scopes=["events:write"], at=began)
    with transaction():
        keys.rotate(key=key, at=now - timedelta(days=2))
    keys.forget()
    key_uses.forget()
    known = keys.find(prefix=key.prefix)
    assert known is not None
    key_uses.note_refused(key=known, address="198.51.100.23", at=now)
    return key


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_a_key_for_a_page_is_asked_for_its_sites_and_for_nothing_that_it_cannot_have(admin, sit, size):
    screen = sit(admin, size=size)
    screen.open(f"{LIST}add/")
    assert [screen.count(f"[name={name}]") for name in ("scopes", "allowed_networks", "public_scopes")] == [
        len(keys.ALL_SCOPES),
        1,
        0,
    ]

    screen.write("Name", "Shop window")
    screen.tick("[name=kind][value=publishable]")
    assert [screen.count(f"[name={name}]") for name in ("scopes", "allowed_networks", "public_scopes")] == [0, 0, 2]
    screen.write("Allowed origins", "https://shop.example.com")
    screen.click("Save")

    full = screen.text("#content-main code")
    made = ApiKey.objects.get(name="Shop window")
    assert full.startswith(f"pk_live_{made.prefix}_")
    assert (made.scopes, made.allowed_origins) == (["clicks:write", "public:read"], ["https://shop.example.com"])
    assert screen.beyond() == 0


@pytest.mark.parametrize("size", [LARGE, SMALL])
@pytest.mark.parametrize("is_dark", [False, True])
def test_a_key_that_is_still_used_after_it_was_replaced_is_seen_at_once(admin, sit, still_used, size, is_dark):
    screen = sit(admin, size=size, is_dark=is_dark)

    screen.open("/admin/")
    assert "The key “Old till” was replaced, and is still used" in screen.text(".card-alert")
    assert screen.beyond() == 0
    screen.click("The key “Old till”")

    assert screen.path == f"{LIST}{still_used.pk}/change/"
    assert "Still used" in screen.text("#content-main")
    assert "198.51.100.23" in screen.text("#content-main")
    assert screen.beyond() == 0
    screen.open(f"{LIST}?show=tried")
    assert "Still used" in screen.text("#result_list")
    assert screen.beyond() == 0


def test_a_key_is_replaced_in_two_clicks_and_the_new_one_is_shown_once(admin, acme, sit):
    key = ApiKey.objects.get(tenant=acme)
    screen = sit(admin)
    screen.open(f"{LIST}{key.pk}/change/")

    screen.click("Replace")
    screen.tick("[name=hours][value='72']")
    screen.click("Replace it")

    made = ApiKey.objects.get(replaces=key)
    assert screen.text("#content-main code").startswith(f"sk_live_{made.prefix}_")
    assert "The old key is valid for 72 hours more." in screen.text("#content-main")
    screen.chromium.do(lambda: screen.context.grant_permissions(["clipboard-read", "clipboard-write"]))
    screen.chromium.do(screen.page.get_by_role("button", name="Copy").click)
    screen.wait_for("document.querySelector('[data-copied]').textContent === 'Copied'")
    assert screen.run("() => navigator.clipboard.readText()") == screen.text("#content-main code")
    screen.click("I have written it down")
    assert "Replaced, valid until" in screen.text("#result_list")

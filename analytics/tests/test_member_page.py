"""The page of a member, and finding one."""

import pytest

from rewards import portraits
from tests.cast import NOON, Shop, make_campaign
from tests.people import browser_of, staff_of

MEMBERS = "/admin/members/member/"


@pytest.fixture
def shop(acme) -> Shop:
    return Shop()


@pytest.fixture
def browser(acme):
    return browser_of(staff_of("analyst"))


def found(browser, who: str):
    """Return where the search leads."""
    return browser.post(f"{MEMBERS}find/", {"who": who}).headers["Location"]


@pytest.mark.parametrize("who", ["anna", "812344123", "Anna+news@example.com", "+7 (912) 345-67-89", "8 912 345 67 89"])
def test_a_member_is_found_by_a_whole_identity(shop, browser, who):
    identities = {"external_id": "anna", "telegram": "812344123", "email": "anna@example.com", "phone": "+79123456789"}
    shop.joins(identities)
    shop.joins("boris")

    assert found(browser, who) == f"{MEMBERS}{shop.id_of('anna')}/change/"


def test_a_shared_identity_finds_all_who_have_it(shop, browser):
    for name in ("anna", "boris"):
        shop.joins({"external_id": name, "email": "family@example.com"})

    assert found(browser, "family@example.com") == f"{MEMBERS}?id__in={shop.id_of('anna')},{shop.id_of('boris')}"


@pytest.mark.parametrize("who", ["", "nobody", "ann", "\x00", "x" * 5000, "anna@example.org"])
def test_nobody_is_found_by_less(shop, browser, who):
    shop.joins({"external_id": "anna", "email": "anna@example.com"})

    assert found(browser, who) == MEMBERS


def test_the_page_shows_the_member_and_hides_what_is_personal(shop, browser):
    make_campaign()
    shop.joins({"external_id": "anna", "email": "anna.secret@example.com"})
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500", order="A-17")

    page = browser.get(f"{MEMBERS}{shop.id_of('anna')}/change/").content.decode()

    for part in ("anna", "a***@e***.com", "boris", "Bring a friend", shop.code_of("anna"), ">100<"):
        assert part in page
    assert "anna.secret" not in page


def test_the_timeline_merges_all_newest_first_and_goes_on_on_the_next_page(shop):
    make_campaign()
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500")
    anna = shop.id_of("anna")

    whole = portraits.timeline_of(member_id=anna, size=10)

    assert [moment.what for moment in whole] == ["reward", "referral", "event"]
    assert [moment.at for moment in whole] == [NOON] * 3
    assert portraits.timeline_of(member_id=anna, page=2, size=2) == whole[2:]


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999", "²"])
def test_an_odd_page_number_is_a_page(shop, browser, page):
    shop.joins("anna")

    assert browser.get(f"{MEMBERS}{shop.id_of('anna')}/change/?page={page}").status_code == 200

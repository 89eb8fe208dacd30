"""The menus of the back offices: a line is called as the page that it leads to."""

import re
from html import unescape

import pytest

from config.unfold import MENU
from tenants.staff.models import Staff
from tests.people import browser_of, staff_of

LINE = re.compile(r'<a href="(/admin/[^"]*)" class="flex h-\[38px\].*?<span>([^<]+)</span>', re.DOTALL)


def title_of(page: str) -> str:
    """Return what the browser's tab begins with: whose page it is comes after it."""
    found = re.search(r"<title>\s*(.*?)\s*\|", page, re.DOTALL)
    assert found
    return unescape(found[1])


def in_language(person: Staff, language: str) -> Staff:
    person.language = language
    person.save(update_fields=["language"])
    return person


@pytest.mark.parametrize("language", ["en", "ru", "zh-hans"])
def test_a_line_of_the_menu_is_called_as_its_page(acme, language):
    browser = browser_of(in_language(staff_of("admin"), language))

    lines = {link: unescape(name) for link, name in LINE.findall(browser.get("/admin/").content.decode())}

    pages = {link: browser.get(link, follow=True).content.decode() for link in lines}
    assert len(lines) == 1 + sum(len(entries) for _title, entries in MENU)
    assert {link: title_of(page) for link, page in pages.items()} == lines


def test_the_menu_has_the_glossarys_words(acme):
    page = browser_of(staff_of("admin")).get("/admin/").content.decode()

    names = [name for _link, name in LINE.findall(page)]
    assert names[:2] == ["Dashboard", "Cases"]
    assert {"Gifts", "Redemptions", "Entitlements", "Adjustments", "Ledger", "Assets"} <= set(names)


def test_a_list_without_rows_says_so_and_offers_to_add_one_to_those_who_may(acme):
    admin, analyst = (browser_of(staff_of(role)) for role in ("admin", "analyst"))

    pages = [each.get("/admin/rewards/provider/").content.decode() for each in (admin, analyst)]

    assert ["Nothing here" in page for page in pages] == [True, True]
    assert ["Add provider" in page for page in pages] == [True, False]


def test_a_search_that_finds_nothing_offers_to_forget_it(acme):
    page = browser_of(staff_of("admin")).get("/admin/events/event/?q=nothing-of-that-name").content.decode()

    assert "No results found" in page
    assert "Reset filters" in page
    assert "Nothing here" not in page

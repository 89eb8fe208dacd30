"""A developer who reads: the guides and the reference, by day, by night, and on a phone."""

import re

import pytest

from config import guides
from tests.browser.screens import LARGE, SMALL

pytestmark = pytest.mark.django_db(transaction=True)

CHECKOUT, REFERENCE = "/api/docs/guides/checkout-loyalty/", "/api/docs/"
# The reference is made once for each process, and that takes a while.
LONG_MS = 60_000
PRESS = "name => [...document.querySelectorAll('.languages button')].find(each => each.textContent === name).click()"


@pytest.fixture
def read(chromium, live_server, acme):
    """Let somebody open the documentation, whom nobody knows."""
    url = f"http://acme.localhost:{live_server.thread.port}"
    screens = []

    def open_page(path, **looks):
        screens.append(chromium.screen(url=url, **looks))
        screens[-1].open(path)
        return screens[-1]

    yield open_page
    for screen in screens:
        assert screen.complaints == []
        screen.close()


def wait_for(screen, selector):
    """Wait for something to be seen: the security policy of these pages lets no script be made up to look."""
    screen.chromium.do(lambda: screen.page.wait_for_selector(selector, timeout=LONG_MS))


def languages(screen):
    """Return the languages of the snippets that can be seen, without the answers."""
    return screen.run(
        "[...new Set([...document.querySelectorAll('.languages figure')]"
        ".filter(each => each.checkVisibility()).map(each => each.dataset.language))]"
    )


def test_a_reader_chooses_a_language_once_for_all_snippets_and_pages(read):
    screen = read(CHECKOUT)
    at_first = languages(screen)

    screen.run(PRESS, "PHP")

    assert (at_first, languages(screen)) == (["sh"], ["php"])
    screen.open("/api/docs/guides/idempotency/")
    assert languages(screen) == ["php"]


def test_a_snippet_is_copied_as_it_stands(read):
    screen = read("/api/docs/guides/authentication/", permissions=["clipboard-read", "clipboard-write"])

    screen.run("document.querySelector('.copy').click()")
    wait_for(screen, "text=Copied")

    assert screen.run("navigator.clipboard.readText()") == "Authorization: Bearer sk_live_<prefix>_<secret>\n"


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_no_page_is_wider_than_the_window(read, size):
    screen = read("/api/docs/guides/", size=size)

    beyond = {}
    for page in guides.pages():
        screen.open(guides.address_of(page))
        beyond[page] = screen.beyond()
    assert beyond == dict.fromkeys(guides.pages(), 0)


@pytest.mark.parametrize("is_dark", [False, True])
def test_guides_and_reference_are_as_light_as_the_reader_wants_them(read, is_dark):
    page, reference = read(CHECKOUT, is_dark=is_dark), read(REFERENCE, is_dark=is_dark)
    wait_for(reference, ".opblock >> nth=0")

    assert [screen.brightness("body") > 0.5 for screen in (page, reference)] == [not is_dark] * 2
    # What is written there is light where the paper is dark.
    words = [ink(page, "main p"), ink(reference, ".opblock-summary-description")]
    assert [each > 150 for each in words] == [is_dark] * 2


def ink(screen, selector):
    """Return how much red there is in the colour of a text, of 255."""
    color = screen.run("selector => getComputedStyle(document.querySelector(selector)).color", selector)
    return int(re.findall(r"\d+", color)[0])


def test_the_menu_is_folded_on_a_phone(read):
    small, large = read(CHECKOUT, size=SMALL), read(CHECKOUT)

    assert (small.count(".menu a"), large.count(".menu a")) == (0, len(guides.pages()))

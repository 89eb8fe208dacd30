"""What is on offer, shown in the pages of somebody else's site."""

import re

import pytest

from campaigns import lifecycle
from campaigns.models import Campaign
from referrals.models import AttributionPolicy, Click
from tests.browser.screens import LARGE, SMALL
from tests.cast import act

pytestmark = pytest.mark.django_db(transaction=True)

SHOWN = "() => [...document.querySelectorAll('sarafan-offer')].every(each => each.shadowRoot?.childElementCount)"
LISTEN = "document.addEventListener('sarafan:offer', e => (window.seen ||= []).push(e.detail)); window.dataLayer = []"
STAY = "document.addEventListener('click', event => event.preventDefault())"
# Each text of an offer with the colours that it is seen in.
COLOURS = """() => [...document.querySelectorAll("sarafan-offer")].flatMap(offer =>
    [...offer.shadowRoot.querySelectorAll("h2, p, .link")].map(each => {
        const filled = each.closest(".link, .banner, .inset");
        return [getComputedStyle(each).color, getComputedStyle(filled).backgroundColor];
    }))"""
PARTS = """part => [...document.querySelectorAll("sarafan-offer")].map(offer =>
    [...offer.shadowRoot.querySelectorAll(`[part=${part}]`)].map(each => each.textContent))"""


@pytest.fixture
def campaign(shop):
    """Return the campaign that is on."""
    Campaign.objects.update(name="Bring a friend <b>", landing_url="https://shop.example/hello?from=us#top")
    return Campaign.objects.get(is_builtin=False)


@pytest.fixture
def page(site, tag, campaign):
    """Return the address of a page with the offer in each form."""
    offers = [f'<p><sarafan-offer campaign="{campaign.pk}" format="{each}"></sarafan-offer></p>' for each in FORMATS]
    site.pages["/"] = (
        tag + "<style>:root { color-scheme: light dark; font-family: sans-serif }</style>" + "".join(offers)
    )
    return "/"


SENTENCE = "И пригласивший, и друг получают 100 баллов, когда друг оплачивает первый заказ."
FORMATS = ("button", "banner", "inset")


def link_of(screen):
    return screen.run("document.querySelector('sarafan-offer').shadowRoot.querySelector('.link').href")


def follow(screen):
    screen.chromium.do(screen.page.locator("sarafan-offer .link").first.click)


def contrast(one, other):
    """Return the contrast of two colours (WCAG 2.2, 1.4.3)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour):
    parts = [int(each) / 255 for each in re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", colour).groups()]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("size", [LARGE, SMALL], ids=["large", "small"])
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_it_can_be_read_wherever_it_stands(page, come, size, is_dark):
    screen = come(page, size=size, is_dark=is_dark)
    screen.wait_for(SHOWN)

    colours = screen.run(COLOURS)

    assert len(colours) >= 6
    assert [each for each in colours if contrast(*each) < 4.5] == []
    assert {_luminance(fill) > _luminance(ink) for ink, fill in colours[1:3]} == {not is_dark}
    assert screen.beyond() == 0
    assert min(box.bottom - box.top for box in screen.boxes("sarafan-offer")) >= 44
    assert screen.complaints == []


def test_on_a_site_that_is_always_light_it_is_light(site, page, come):
    site.pages[page] = site.pages[page].replace("color-scheme: light dark", "")
    screen = come(page, is_dark=True)
    screen.wait_for(SHOWN)

    assert {_luminance(fill) > _luminance(ink) for ink, fill in screen.run(COLOURS)[1:3]} == {True}


def test_it_says_what_the_campaign_says_in_the_tenants_language(page, campaign, come):
    screen = come(page)
    screen.wait_for(SHOWN)

    assert screen.run(PARTS, "title") == [[], [campaign.name], [campaign.name]]
    button, banner, inset = screen.run(PARTS, "text")
    assert (button, banner, inset[0]) == ([], inset, SENTENCE)
    assert screen.run("document.querySelector('sarafan-offer').shadowRoot.querySelector('[part=box]').lang") == "ru"
    assert screen.run(PARTS, "link")[0] == [campaign.name]
    assert link_of(screen) == campaign.landing_url


@pytest.mark.parametrize("verb", [lifecycle.pause, lifecycle.end])
def test_of_a_campaign_that_is_not_on_nothing_is_shown(page, campaign, come, now, verb):
    act(verb, campaign, at=now)

    screen = come(page, before=LISTEN)
    screen.chromium.do(lambda: screen.page.wait_for_load_state("networkidle"))

    assert screen.text() == ""
    assert screen.run("[...document.querySelectorAll('sarafan-offer')].map(each => each.offsetHeight)") == [0, 0, 0]
    assert screen.run("dataLayer") == []


def test_to_a_site_that_the_key_does_not_name_nothing_is_shown(site, page, come):
    screen = come(page, origin=site.other_origin)
    screen.chromium.do(lambda: screen.page.wait_for_load_state("networkidle"))

    assert screen.text() == ""


def test_the_page_hears_of_what_is_shown_and_followed(page, campaign, come):
    screen = come(page, before=LISTEN + ";" + STAY)
    screen.wait_for(SHOWN)
    follow(screen)

    told = [{"campaign": campaign.pk, "format": each, "action": "shown"} for each in FORMATS]
    seen = screen.run("seen")
    assert sorted(seen[:-1], key=lambda each: FORMATS.index(each["format"])) == told
    assert seen[-1] == {"campaign": campaign.pk, "format": "button", "action": "followed"}
    assert screen.run("dataLayer") == [{"event": "sarafan:offer", **each} for each in seen]
    # To show and to follow an offer is no visit of a link, and nothing that anybody is paid for.
    assert not Click.objects.exists()


def test_another_site_is_told_who_invited(shop, page, come):
    shop.joins("anna")
    screen = come(f"{page}?ref={shop.code_of('anna')}&utm_source=blog", before=STAY)
    screen.wait_for(SHOWN)
    screen.wait_for("() => JSON.parse(localStorage.sarafan || '{}').visitor")
    follow(screen)

    told = f"ref={shop.code_of('anna')}&click_id={Click.objects.get().key}&utm_source=blog"
    assert link_of(screen) == f"https://shop.example/hello?from=us&{told}#top"


@pytest.mark.parametrize(
    ("attributes", "campaigns_own", "tenants_own", "leads_to"),
    [
        ('href="/join?x=1"', "https://shop.example/a", "https://shop.example/b", "{site}/join?x=1"),
        ("", "https://shop.example/a", "https://shop.example/b", "https://shop.example/a"),
        ("", "", "https://shop.example/b", "https://shop.example/b"),
        ('href="javascript:alert(1)"', "https://shop.example/a", "", None),
        ("", "", "", None),
    ],
)
def test_where_it_leads(site, page, come, attributes, campaigns_own, tenants_own, leads_to):  # noqa: PLR0917
    Campaign.objects.update(landing_url=campaigns_own)
    AttributionPolicy.objects.update(landing_url=tenants_own)
    site.pages[page] = site.pages[page].replace("<sarafan-offer", f"<sarafan-offer {attributes}")
    screen = come(page)
    screen.wait_for(SHOWN)

    assert link_of(screen) == (leads_to and leads_to.format(site=site.origin))
    # Without a place to go to a button remains, for the page's own script.
    assert [len(each) for each in screen.run(PARTS, "link")] == ([1, 1, 1] if leads_to else [1, 0, 0])


def test_the_site_has_a_say_in_how_it_looks(site, page, come):
    site.pages[page] += """<style>
        sarafan-offer { --sarafan-accent: rgb(0, 80, 0); --sarafan-accent-ink: rgb(250, 250, 250) }
        sarafan-offer::part(title) { color: rgb(1, 2, 3) }
    </style>"""
    screen = come(page)
    screen.wait_for(SHOWN)

    colours = screen.run(COLOURS)
    assert (colours[0], colours[1][0]) == (["rgb(250, 250, 250)", "rgb(0, 80, 0)"], "rgb(1, 2, 3)")


@pytest.mark.parametrize(("motion", "seconds"), [("no-preference", "0.15s"), ("reduce", "0s")])
def test_whoever_wants_no_motion_sees_none(page, come, motion, seconds):
    screen = come(page, reduced_motion=motion)
    screen.wait_for(SHOWN)

    link = "document.querySelector('sarafan-offer').shadowRoot.querySelector('.link')"
    assert screen.run(f"getComputedStyle({link}).transitionDuration") == seconds


def test_a_strict_policy_of_the_page_lets_it_work(site, page, tag, campaign, come):
    host = re.search(r'src="(http://[^/]*)/', tag)[1]
    site.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src data:; script-src {host}; connect-src {host}; require-trusted-types-for 'script'"
    )
    site.pages[page] = site.pages[page].replace("<style>", "<!--").replace("</style>", "-->")
    screen = come(page)
    screen.wait_for(SHOWN)

    assert screen.run(PARTS, "title")[1:] == [[campaign.name]] * 2
    assert screen.run("getComputedStyle(document.querySelector('sarafan-offer')).display") == "block"
    assert screen.complaints == []

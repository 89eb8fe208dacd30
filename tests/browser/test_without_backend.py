"""The guide for sites without a backend, followed by a marketer: each snippet is pasted as it stands."""

import json
import re

import pytest

from campaigns.models import Campaign
from referrals.models import Click, Referral
from tests.checkout import ROOT
from tests.programs import program_of

pytestmark = pytest.mark.django_db(transaction=True)

GUIDE = (ROOT / "docs/api/without-backend.md").read_text(encoding="utf-8")
LINE, OF_TAG_MANAGER, OFFERS, LOOKS, CONSENT, GOALS = re.findall(
    r"^```html\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL
)
(REPORT,) = re.findall(r"^```json\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
FORM = '<form method="post" action="/join"><input name="email" value="boris@example.com"><button>Join</button></form>'
READY = "() => document.querySelector('[name=sarafan_code]')?.value"


@pytest.fixture
def code(shop):
    shop.joins("anna")
    return shop.code_of("anna")


@pytest.fixture
def pasted(tag):
    """Return what makes a snippet the reader's own: their host, their key, their campaign."""
    address, key = re.search(r'src="([^"]*)"', tag)[1], re.search(r'data-sarafan-key="([^"]*)"', tag)[1]
    campaign = Campaign.objects.get(is_builtin=False)

    def paste(snippet):
        found = snippet.replace("https://acme.example.com/widget.js", address).replace("pk_live_…", key)
        return found.replace('campaign="7"', f'campaign="{campaign.pk}"')

    return paste


def report(sent):
    """Return what a connector makes of a form, filling in the guide's template."""
    return json.loads(re.sub(r"{{(\w+)}}", lambda name: sent.get(name[1], ""), REPORT))


@pytest.mark.parametrize("snippet", [LINE, OF_TAG_MANAGER], ids=["line", "tag manager"])
def test_who_signs_up_with_a_code_is_somebodys_friend(acme, shop, code, site, pasted, come, snippet):  # noqa: PLR0917
    site.pages["/"] = FORM + pasted(snippet)
    screen = come(f"/?ref={code}")
    screen.wait_for(READY)
    screen.click("Join")

    answer = program_of(acme, "events:write").post(report(site.sent[0]))
    shop.handle()

    assert answer.status_code == 202
    referral = Referral.objects.get()
    assert (referral.inviter_id, referral.invitee_id) == (shop.id_of("anna"), shop.id_of("boris@example.com"))
    assert referral.click_id == Click.objects.get().pk


def test_who_was_not_invited_can_be_reported_in_the_same_way(acme, shop, site, pasted, come):
    site.pages["/"] = FORM + pasted(LINE)
    screen = come("/")
    screen.wait_for("() => window.sarafan")
    screen.click("Join")

    answer = program_of(acme, "events:write").post(report(site.sent[0]))
    shop.handle()

    assert (site.sent, answer.status_code) == ([{"email": "boris@example.com"}], 202)
    assert shop.id_of("boris@example.com")
    assert not Referral.objects.exists()


def test_an_offer_stands_there_in_the_sites_own_looks(code, site, pasted, come):
    site.pages["/"] = pasted(LINE + LOOKS + OFFERS)
    screen = come("/")
    screen.wait_for(
        "() => [...document.querySelectorAll('sarafan-offer')].every(each => each.shadowRoot?.childElementCount)"
    )

    looks = """[...document.querySelectorAll('sarafan-offer')].map(each => {
        const box = getComputedStyle(each.shadowRoot.querySelector('[part=box]')),
            title = each.shadowRoot.querySelector('[part=title]');
        return [box.backgroundColor, box.borderRadius, title && getComputedStyle(title).textTransform];
    })"""
    of_box = ["rgb(255, 247, 251)", "0px", "uppercase"]
    assert screen.run(looks) == [["rgba(0, 0, 0, 0)", "0px", None], of_box, of_box]
    button = screen.run("document.querySelector('sarafan-offer').shadowRoot.querySelector('a').outerHTML")
    assert re.sub(r' (part|class)="\w+"', "", button) == '<a href="https://shop.example.com/invite">Invite a friend</a>'
    assert screen.complaints == []


def test_visitors_agree_and_take_it_back(code, site, pasted, come):
    site.pages["/"] = pasted(CONSENT) + FORM
    screen = come(f"/?ref={code}")
    screen.wait_for("() => window.sarafan")
    assert not Click.objects.exists()

    press(screen, "I agree")
    screen.wait_for(READY)
    assert Click.objects.count() == 1
    press(screen, "Forget me")
    assert screen.run("[localStorage.length, document.querySelector('[name=sarafan_code]').value]") == [0, ""]


def test_goals_are_reached(code, site, pasted, come):
    counter = "<script>window.reached = []; function ym(...told) { reached.push(told.join(' ')) }</script>"
    form = FORM.replace("<form", "<form onsubmit='event.preventDefault()'")
    offer = OFFERS.splitlines()[0].replace("https://shop.example.com/invite", "#invite")
    site.pages["/"] = counter + pasted(GOALS + LINE + offer) + form
    screen = come(f"/?ref={code}")
    screen.wait_for("() => reached.length === 2 && document.querySelector('[name=sarafan_code]')")
    press(screen, "Join")
    press(screen, "Invite a friend")

    goals = [f"12345 reachGoal sarafan_{name}" for name in ("click", "followed", "shown", "submit")]
    assert sorted(screen.run("reached")) == goals


def press(screen, name):
    """Press what leads to no other page."""
    page = screen.page
    screen.chromium.do(lambda: page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).click())

"""A visitor of somebody else's site, in whose pages our script stands: who invited them is known when they sign up."""

import json
import re
from datetime import timedelta

import pytest

from integrations.widget import script
from referrals.models import AttributionPolicy, Click, Referral
from referrals.touch import Policy

pytestmark = pytest.mark.django_db(transaction=True)

OWN_CLICK = "0" * 31 + "7"
FORM = """
<form method="post" action="/join">
  <input name="email"><input type="password" name="secret"><button>Join</button>
</form>
"""
CODE, CLICK = "sarafan_code", "sarafan_click_id"
READY = f"() => document.querySelector('[name={CODE}]')?.value"
SEEN = "() => window.seen?.length"
LISTEN = "document.addEventListener('sarafan:click', e => (window.seen ||= []).push(e.detail)); window.dataLayer = []"


@pytest.fixture
def code(shop):
    """Return the code that Anna shares."""
    shop.joins("anna")
    return shop.code_of("anna")


@pytest.fixture
def page(site, tag):
    """Return the address of a page with the script and a form."""
    site.pages["/"] = tag + FORM
    return "/"


def kept(screen):
    """Return what the browser remembers."""
    return json.loads(screen.run("localStorage.getItem('sarafan')") or "{}")


def hidden(screen, form="form"):
    """Return the hidden fields of a form."""
    script = "form => [...document.querySelectorAll(form + ' [type=hidden]')].map(each => [each.name, each.value])"
    return dict(screen.run(script, form))


def sign_up(screen):
    screen.chromium.do(lambda: screen.page.locator("[name=email]").fill("boris@example.com"))
    screen.chromium.do(lambda: screen.page.locator("[name=secret]").fill("hunter2"))
    screen.click("Join")


def still(screen):
    """Wait until whatever the page has asked for is answered."""
    screen.chromium.do(lambda: screen.page.wait_for_load_state("networkidle"))


def test_who_comes_with_a_code_and_signs_up_is_credited_to_whoever_invited_them(shop, code, site, page, come):
    screen = come(f"{page}?ref={code.lower()}&utm_source=blog&utm_medium=&ch=telegram")
    screen.wait_for(READY)
    sign_up(screen)

    click = Click.objects.get()
    assert (click.code.text, click.utm, click.channel) == (code, {"source": "blog"}, "telegram")
    sent = {"email": "boris@example.com", "secret": "hunter2", CODE: code.lower(), CLICK: click.key}
    assert (site.sent, screen.complaints) == ([sent], [])
    shop.tells("member.joined", "boris", code=sent[CODE], click_id=sent[CLICK])
    assert (Referral.objects.get().inviter_id, Referral.objects.get().click_id) == (shop.id_of("anna"), click.pk)


def test_the_code_is_remembered_on_the_pages_that_follow(code, site, page, tag, come):
    screen = come(f"{page}?ref={code}")
    screen.wait_for(READY)
    site.pages["/later"] = tag + FORM

    screen.open("/later")
    screen.wait_for(READY)

    assert hidden(screen) == {CODE: code, CLICK: Click.objects.get().key}
    told = kept(screen)
    assert told["visitor"] == Click.objects.get().visitor
    assert {name: told["touch"][name] for name in ("code", "click_id", "utm")} == {
        "code": code,
        "click_id": Click.objects.get().key,
        "utm": {},
    }


def test_a_link_of_ours_has_counted_its_click_already(code, page, come):
    screen = come(f"{page}?ref={code}&click_id={OWN_CLICK}")
    screen.wait_for(READY)

    assert hidden(screen) == {CODE: code, CLICK: OWN_CLICK}
    assert not Click.objects.exists()


def test_a_page_that_is_opened_again_is_no_other_click(code, page, come):
    screen = come(f"{page}?ref={code}")
    screen.wait_for(READY)
    screen.open(f"{page}?ref={code}")
    screen.wait_for(READY)
    still(screen)

    assert Click.objects.count() == 1


@pytest.mark.parametrize(("touch", "credited"), [("first", "anna"), ("last", "clara")])
def test_the_first_touch_is_kept_or_the_last_as_the_tenant_chose(shop, code, page, come, touch, credited):
    AttributionPolicy.objects.update(touch=touch)
    shop.joins("clara")
    screen = come(f"{page}?ref={code}", before=LISTEN)
    screen.wait_for(READY)
    screen.open(f"{page}?ref={shop.code_of('clara')}")
    screen.wait_for(SEEN)
    screen.wait_for(READY)

    # Both are counted, as of one visitor.
    assert (Click.objects.count(), Click.objects.values("visitor").distinct().count()) == (2, 1)
    of_credited = Click.objects.get(code__text=shop.code_of(credited))
    assert hidden(screen) == {CODE: shop.code_of(credited), CLICK: of_credited.key}


@pytest.mark.parametrize(("days", "fields"), [(6.9, {CODE: "ANNA", CLICK: OWN_CLICK}), (7.1, {})])
def test_a_touch_counts_as_long_as_the_tenant_says(page, come, now, days, fields):
    AttributionPolicy.objects.update(window_days=7)
    at_ms = int((now - timedelta(days=days)).timestamp() * 1000)
    touch = {"code": "ANNA", "click_id": OWN_CLICK, "at": at_ms, "utm": {}}

    screen = come(page, before=f"localStorage.sarafan ||= JSON.stringify({json.dumps({'touch': touch})})")
    still(screen)

    assert (hidden(screen), kept(screen)) == (fields, {"touch": touch} if fields else {})


# Forms


def test_a_form_that_is_put_in_later_is_filled_too(code, page, come):
    screen = come(f"{page}?ref={code}")
    screen.wait_for(READY)

    screen.run(
        """() => {
            const popup = document.createElement("div");
            popup.innerHTML = "<form id=popup><input name=phone></form>";
            document.body.append(popup);
        }"""
    )

    screen.wait_for(f"() => document.querySelector('#popup [name={CODE}]')")
    assert hidden(screen, "#popup") == {CODE: code, CLICK: Click.objects.get().key}


LEFT = """
<form id=a data-sarafan-ignore></form> <div data-sarafan-ignore><form id=b></form></div>
<form id=c method=GET></form> <form id=d role=search></form>
<form id=e><input autocomplete="section-1 cc-number" name="card"></form>
"""


def test_what_is_none_of_our_business_is_left_as_it_is(code, site, page, come):
    site.pages[page] += LEFT
    screen = come(f"{page}?ref={code}")
    screen.wait_for(READY)

    assert [hidden(screen, f"#{each}") for each in "abcde"] == [{}] * 5


def test_a_field_that_the_site_has_itself_is_used_and_what_is_typed_in_stays(code, site, tag, come):
    own = f'<form id=own><input type=hidden name={CODE}></form><form id=typed><input name={CODE} value="OLGA"></form>'
    site.pages["/"] = tag + own
    screen = come(f"/?ref={code}")
    screen.wait_for(READY)

    assert hidden(screen, "#own") == {CODE: code, CLICK: Click.objects.get().key}
    assert screen.run("[...document.querySelectorAll('#typed input')].map(each => each.value)") == [
        "OLGA",
        Click.objects.get().key,
    ]


def test_where_nobody_was_invited_what_the_site_itself_has_put_there_stays(site, tag, come):
    site.pages["/"] = f'{tag}<form id=own><input type=hidden name={CODE} value="OLGA"></form>'
    screen = come("/")
    screen.wait_for("() => window.sarafan")

    assert hidden(screen, "#own") == {CODE: "OLGA"}


def test_who_takes_back_what_they_agreed_to_leaves_no_code_in_any_field(code, site, tag, come):
    site.pages["/"] = f"{tag}<form><input name={CODE}><input type=hidden name={CLICK}></form>"
    screen = come(f"/?ref={code}")
    screen.wait_for(f"() => document.querySelector('[name={CLICK}]')?.value")
    values = "[...document.querySelectorAll('input')].map(each => each.value)"
    assert screen.run(values) == [code, Click.objects.get().key]

    screen.run("sarafan.forget()")

    assert (screen.run(values), kept(screen)) == (["", ""], {})


def test_nothing_that_is_typed_comes_to_us_and_tag_managers_hear_no_code(code, site, page, live_server, come):
    site.pages[page] = site.pages[page].replace("<form", "<form id=join onsubmit='event.preventDefault()'")
    screen = come(f"{page}?ref={code}", before=LISTEN)
    screen.wait_for(SEEN)
    sent = []
    screen.page.on("request", lambda request: sent.append(request.url))

    screen.chromium.do(lambda: screen.page.locator("[name=email]").fill("boris@example.com"))
    screen.chromium.do(screen.page.get_by_role("button").click)

    assert screen.run("dataLayer") == [{"event": "sarafan:click"}, {"event": "sarafan:submit", "form": "join"}]
    assert screen.run("seen") == [{"code": code, "click_id": Click.objects.get().key}]
    assert sent == []


def test_tag_managers_hear_no_field_of_a_form_even_if_it_is_called_id(code, site, page, come):
    site.pages[page] = (
        site.pages[page]
        .replace('<input name="email">', '<input name="email"><input name="id" value="12-34">')
        .replace("<form", "<form id=join onsubmit='event.preventDefault()'")
    )
    screen = come(f"{page}?ref={code}", before=LISTEN)
    screen.wait_for(SEEN)

    screen.chromium.do(screen.page.get_by_role("button").click)

    assert screen.run("dataLayer[1]") == {"event": "sarafan:submit", "form": "join"}


# Consent


def test_before_consent_nothing_is_remembered_or_reported(code, site, page, come):
    site.pages[page] = site.pages[page].replace("async", 'async data-consent="wait"')
    screen = come(f"{page}?ref={code}")
    screen.wait_for("() => window.sarafan?.consent")
    still(screen)
    assert (hidden(screen), kept(screen), Click.objects.count()) == ({}, {}, 0)

    screen.run("sarafan.consent()")
    screen.wait_for(READY)
    screen.open(page)
    screen.wait_for(READY)

    assert hidden(screen) == {CODE: code, CLICK: Click.objects.get().key}
    screen.run("sarafan.forget()")
    assert (hidden(screen), kept(screen)) == ({CODE: "", CLICK: ""}, {})


def test_there_is_no_cookie(code, page, come):
    screen = come(f"{page}?ref={code}")
    screen.wait_for(READY)

    assert screen.chromium.do(screen.context.cookies) == []


# Where it is not welcome


def test_from_a_site_that_the_key_does_not_name_no_click_is_counted(code, site, page, come):
    screen = come(f"{page}?ref={code}", origin=site.other_origin, before=LISTEN)
    screen.wait_for(READY)

    # A browser does not tell the page that it was refused: it is as if we were down.
    assert (hidden(screen), Click.objects.count()) == ({CODE: code}, 0)
    assert "visitor" not in kept(screen)
    assert "blocked by CORS policy" in screen.complaints[0]


def test_an_unknown_code_is_not_remembered_and_takes_no_others_place(code, page, come):
    screen = come(f"{page}?ref={code}")
    screen.wait_for(READY)
    screen.open(f"{page}?ref=NOBODY222")
    still(screen)

    assert hidden(screen) == {CODE: code, CLICK: Click.objects.get().key}
    assert Click.objects.count() == 1


# Whatever goes wrong


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "{site}/hangs"], ids=["refuses", "hangs"])
def test_when_our_server_is_down_the_form_has_the_code_all_the_same(code, site, page, come, address):
    api = address.format(site=site.origin) + "/api/v1/"
    site.pages["/widget.js"] = script.text_of(api=api, policy=Policy(), language="en")
    site.pages[page] = re.sub(r'src="[^"]*"', 'src="/widget.js"', site.pages[page])
    screen = come("/empty")
    screen.chromium.do(screen.page.clock.install)
    faults = []
    screen.page.on("pageerror", lambda error: faults.append(str(error)))

    screen.open(f"{page}?ref={code}")
    screen.wait_for("() => localStorage.getItem('sarafan')")
    screen.chromium.do(lambda: screen.page.clock.fast_forward(5000))
    screen.wait_for(READY)
    sign_up(screen)

    assert site.sent == [{"email": "boris@example.com", "secret": "hunter2", CODE: code}]
    assert faults == []


def test_a_site_whose_script_cannot_be_had_goes_on_as_ever(site, come):
    site.pages["/"] = '<script async src="http://127.0.0.1:9/widget.js" data-sarafan-key="pk_live_x"></script>' + FORM
    screen = come("/?ref=ANNA")
    sign_up(screen)

    assert site.sent == [{"email": "boris@example.com", "secret": "hunter2"}]


@pytest.mark.parametrize(
    ("refused", "fields"),
    [
        ("Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no') }})", {CODE, CLICK}),
        ("Storage.prototype.setItem = () => { throw new DOMException('full') }", {CODE, CLICK}),
        ("localStorage.sarafan = '{'", {CODE, CLICK}),
        ("localStorage.sarafan = '7'", {CODE, CLICK}),
        ("delete window.fetch", {CODE}),
        ("delete window.AbortController", {CODE}),
    ],
)
def test_what_a_browser_refuses_is_done_without(code, page, come, refused, fields):
    screen = come(f"{page}?ref={code}", before=refused)
    screen.wait_for(READY)

    assert set(hidden(screen)) == fields
    assert screen.complaints == []


def test_put_in_twice_it_works_once(code, site, page, tag, come):
    site.pages[page] = tag + site.pages[page] + tag
    screen = come(f"{page}?ref={code}", before=LISTEN)
    screen.wait_for(READY)
    still(screen)

    names = "[...document.querySelectorAll('form [type=hidden]')].map(each => each.name)"
    assert (screen.run(names), Click.objects.count(), len(screen.run("seen"))) == ([CODE, CLICK], 1, 1)
    assert screen.complaints == []


def test_it_finds_its_tag_where_the_browser_does_not_say_which_it_is(code, site, page, tag, come):
    address = re.search(r'src="([^"]*)"', tag)[1]
    key = re.search(r'data-sarafan-key="([^"]*)"', tag)[1]
    site.pages["/copy.js"] = script.text_of(api=address.replace("widget.js", "api/v1/"), policy=Policy(), language="en")
    site.pages[page] = (
        f'<script type="text/plain" data-sarafan-key="{key}"></script>{FORM}'
        "<script>fetch('/copy.js').then(each => each.text()).then(text => new Function(text)())</script>"
    )
    screen = come(f"{page}?ref={code}")
    screen.wait_for(READY)

    assert hidden(screen) == {CODE: code, CLICK: Click.objects.get().key}

"""The guides as pages: every file of docs/api/, for whoever asks any host."""

import re

import pytest

from config import guides, markdown
from tests.people import browser_of, staff_of

HOST = {"Host": "acme.localhost"}
PAGES = sorted(set(guides.pages()) - {guides.FRONT})


def read(client, page, host=HOST):
    return client.get(guides.address_of(page), headers=host).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["acme.localhost", "localhost"])
def test_everybody_may_read_the_guides_at_every_host(client, host):
    answer = client.get("/api/docs/guides/", headers={"Host": host})

    assert answer.status_code == 200
    assert "<h1" in answer.content.decode()
    assert client.post("/api/docs/guides/", headers={"Host": host}).status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["nothing", "README", "..%2Fapi%2Ferrors", "settings"])
def test_there_is_no_other_page(client, page):
    assert client.get(f"/api/docs/guides/{page}/", headers=HOST).status_code == 404


def test_the_menu_leads_to_every_page_once():
    entries = [entry.page for entries in guides.menu().values() for entry in entries]

    assert sorted(entries) == PAGES


@pytest.mark.django_db
def test_every_link_of_a_page_leads_to_a_place_that_is_there(client):
    shown = {guides.address_of(page): read(client, page) for page in guides.pages()}

    for address, html in shown.items():
        for target in re.findall(r"<main>.*</main>", html, re.DOTALL)[0].split('href="')[1:]:
            place, _sharp, anchor = target.partition('"')[0].partition("#")
            if not place.startswith("http"):
                there = shown[place or address]
                assert not anchor or f'id="{anchor}"' in there, (address, place, anchor)


@pytest.mark.django_db
@pytest.mark.parametrize("page", guides.pages())
def test_no_two_parts_of_a_page_have_one_name(client, page):
    names = re.findall(r'\bid="([^"]+)"', read(client, page))

    assert len(names) == len(set(names))


@pytest.mark.django_db
@pytest.mark.parametrize("page", guides.pages())
def test_a_page_has_nothing_that_the_security_policy_forbids(client, page):
    html = read(client, page)

    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\bstyle=|\bon\w+=", html) == []
    assert re.findall(r'<(?:script|img|link)\b[^>]*(?:src|href)="(?!/static/)[^"]*', html) == []


@pytest.mark.django_db
def test_one_can_point_at_a_code_of_an_error(client):
    page = read(client, "error-codes")

    assert '<tr id="unknown_member">\n<td><code>unknown_member</code></td>\n<td>404</td>' in page


@pytest.mark.django_db
def test_keys_and_webhooks_lead_to_the_guides(acme):
    browser = browser_of(staff_of("admin"))

    assert 'href="/api/docs/guides/"' in browser.get("/admin/tenants/apikey/").content.decode()
    assert 'href="/api/docs/guides/webhooks/"' in browser.get("/admin/integrations/endpoint/").content.decode()


@pytest.mark.django_db
def test_reference_and_guides_lead_to_each_other(client):
    assert 'href="/api/docs/guides/"' in client.get("/api/docs/", headers=HOST).content.decode()
    assert 'href="/api/docs/"' in read(client, "errors")


def rendered(text):
    return markdown.render(text, address_of={"there.md": "/there/", "#part": "#part"}.get)


def test_snippets_that_say_the_same_stand_together():
    html = rendered("# T\n\n```sh\na\n```\n\n```php\nb\n```\n\n```json\n1\n```\n\n```sh\nc\n```\n").html

    assert html.count('<div class="languages">') == html.count("</div>") == 2
    first, second = html.split('<div class="languages">')[1:]
    assert re.findall(r'data-language="(\w+)"', first.partition("</div>")[0]) == ["sh", "php"]
    assert re.findall(r'data-language="(\w+)"', second.partition("</div>")[0]) == ["sh"]


def test_html_in_a_page_is_text():
    html = rendered("# T\n\n<script>a</script> <b>\n\n```<i>\n<u>\n```\n").html

    assert re.findall(r"<(?:script|b|i|u)\b", html) == []
    assert "&lt;u&gt;" in html


def test_a_link_that_only_a_checkout_has_is_no_link():
    html = rendered("# T\n\n[one](there.md), [two](../../README.md), [three](#part)\n").html

    assert html.endswith('<p><a href="/there/">one</a>, <span>two</span>, <a href="#part">three</a></p>\n')


def test_a_page_tells_its_parts():
    page = rendered("# A `title`\n\n## One: two\n\n### Below\n\n## `three`\n")

    assert page.title == "A title"
    assert page.parts == (markdown.Heading("one-two", "One: two"), markdown.Heading("three", "three"))
    assert '<h2 id="one-two">' in page.html

"""Clicks that a tenant's own page reports."""

from urllib.parse import parse_qs, urlsplit

import pytest

from core.codes import new_code
from events.kinds import FACTS, KINDS, find_kind
from events.models import Event
from referrals.models import AttributionPolicy, Click, Referral
from tenants import guessing, keys
from tests.cast import NOON, Shop
from tests.programs import Program, host_of, program_of

pytestmark = pytest.mark.django_db

CLICKS = "/api/v1/clicks"


@pytest.fixture
def page(acme):
    return program_of(acme, "clicks:write")


@pytest.fixture
def code(scene, anna):
    return scene.code_of(anna).text


def test_a_click_is_counted_and_leads_to_the_landing_page(page, code):
    AttributionPolicy.objects.update(landing_url="https://shop.example/hello")

    answer = page.post({"code": code.lower(), "channel": "site", "utm": {"source": "blog"}}, CLICKS)

    told, click = answer.json(), Click.objects.get()
    assert answer.status_code == 201
    assert (click.key, click.visitor, click.channel, click.utm) == (
        told["click_id"],
        told["visitor"],
        "site",
        {"source": "blog"},
    )
    asked = parse_qs(urlsplit(told["landing_url"]).query)
    assert asked == {"ref": [code], "click_id": [click.key], "utm_source": ["blog"]}


def test_without_a_page_there_is_nowhere_to_go(page, code):
    assert page.post({"code": code}, CLICKS).json()["landing_url"] is None


def test_a_browser_is_known_by_what_it_was_told(page, code):
    first = page.post({"code": code}, CLICKS).json()["visitor"]

    assert page.post({"code": code, "visitor": first}, CLICKS).json()["visitor"] == first
    assert set(Click.objects.values_list("visitor", flat=True)) == {first}


def test_a_click_says_who_brought_the_visitor_who_signs_up(acme, page):
    shop = Shop()
    shop.joins("anna")
    click_id = page.post({"code": shop.code_of("anna"), "channel": "site"}, CLICKS).json()["click_id"]
    Click.objects.update(at=shop.at)

    shop.joins("boris", click_id=click_id)

    made = Referral.objects.get()
    assert (made.inviter_id, made.invitee_id, made.channel) == (shop.id_of("anna"), shop.id_of("boris"), "site")


def test_a_click_is_no_event_and_no_rule_can_start_from_one(page, code):
    page.post({"code": code}, CLICKS)

    assert not Event.objects.exists()
    assert [kind for kind in {**KINDS, **FACTS} if "click" in kind] == []
    assert find_kind("click") is find_kind("link.clicked") is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/code"),
        ({"code": ""}, "/code"),
        ({"code": "ANNA", "visitor": "short"}, "/visitor"),
        ({"code": "ANNA", "visitor": "<script>alert(1)</script>"}, "/visitor"),
        ({"code": "ANNA", "campaign_id": 0}, "/campaign_id"),
        ({"code": "ANNA", "utm": "x"}, "/utm"),
        ({"code": "ANNA", "utm": {"source": "x" * 201}}, "/utm/source"),
        ({"code": "ANNA", "channel": "x" * 51}, "/channel"),
    ],
)
def test_what_makes_no_sense_is_pointed_at_and_not_counted(page, code, body, pointer):
    answer = page.post(body, CLICKS)

    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (400, [pointer])
    assert not Click.objects.exists()


def test_whoever_guesses_codes_must_wait(page, code):
    answers = [page.post({"code": new_code()}, CLICKS).status_code for _ in range(guessing.MISSES_MAX)]

    refused = page.post({"code": code}, CLICKS)

    assert answers == [404] * guessing.MISSES_MAX
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_guesses")
    assert not Click.objects.exists()


def test_a_browser_reports_one_with_a_publishable_key_and_whoever_guesses_with_it_keeps_nobody_out(acme, code):
    site = "https://shop.example.com"
    _row, key = keys.issue(
        tenant=acme,
        environment="live",
        name="site",
        scopes=["clicks:write"],
        kind="publishable",
        allowed_origins=[site],
        requests_a_second_max=100,
        at=NOON,
    )
    page = Program(key, host=host_of(acme))
    page.headers["Origin"] = site
    for _guess in range(guessing.MISSES_MAX):
        page.post({"code": new_code()}, CLICKS)

    refused = page.post({"code": code}, CLICKS)
    page.client.defaults["REMOTE_ADDR"] = "203.0.113.9"
    taken = page.post({"code": code}, CLICKS)

    assert (refused.json()["code"], taken.status_code) == ("too_many_guesses", 201)
    assert taken.headers["Access-Control-Allow-Origin"] == site
    assert page.get("/api/v1/referrals").status_code == 403
    assert Click.objects.count() == 1


def test_whoever_guesses_from_one_address_of_their_network_after_the_other_must_wait(page, code):
    for number in range(guessing.MISSES_MAX):
        page.client.defaults["REMOTE_ADDR"] = f"2001:db8::{number + 1:x}"
        page.post({"code": new_code()}, CLICKS)

    assert page.post({"code": code}, CLICKS).json()["code"] == "too_many_guesses"
    assert not Click.objects.exists()


def test_a_code_of_another_tenant_is_unknown_and_a_key_needs_the_scope(code, acme, bolt):
    stranger, reader = program_of(bolt, "clicks:write"), program_of(acme, "members:read")

    answers = [caller.post({"code": code}, CLICKS) for caller in (stranger, reader)]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (404, "unknown_code"),
        (403, "missing_scope"),
    ]
    assert not Click.objects.exists()

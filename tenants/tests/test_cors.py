"""What a browser lets a page do: with a publishable key, from a site that the key names, and else nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from tenants import keys, standing
from tenants.models import ApiKey

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
SHOP = "https://shop.example.com"
PREFLIGHT = {"Origin": SHOP, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
ADDRESS = "/api/v1/key"


def page_key(tenant, *origins, **changed) -> str:
    wish = {"environment": "live", "name": "Window", "kind": "publishable", "scopes": ["public:read"]} | changed
    return keys.issue(tenant=tenant, **wish, allowed_origins=origins or [SHOP], at=NOW)[1]


def secret_key(tenant) -> str:
    return keys.issue(tenant=tenant, environment="live", name="Till", scopes=["public:read"], at=NOW)[1]


def ask(full, address=ADDRESS, *, origin=SHOP, host="acme.localhost", method="get", **headers):
    browser = Client(headers={"host": host, "sec-fetch-mode": "cors"}, raise_request_exception=False)
    sent = {"authorization": f"Bearer {full}", **headers} | ({"origin": origin} if origin else {})
    return getattr(browser, method)(address, headers=sent)


def cors_of(answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control-")}


def test_a_page_may_read_an_answer_to_its_key(acme):
    answer = ask(page_key(acme))

    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert "Origin" in answer["Vary"]
    assert {"RateLimit-Remaining", "Retry-After", "X-Request-Id"} <= set(
        answer["Access-Control-Expose-Headers"].split(", ")
    )
    assert "Access-Control-Allow-Credentials" not in answer


def test_a_page_may_read_why_it_was_refused(acme, settings):
    full = page_key(acme, requests_a_second_max=1)

    answers = [ask(full, "/api/v1/members/anna"), ask(full, method="delete"), ask(full)]

    assert [answer.status_code for answer in answers] == [403, 405, 429]
    assert {answer["Access-Control-Allow-Origin"] for answer in answers} == {SHOP}


@pytest.mark.parametrize("ended", ["expires_at", "revoked_at"])
def test_a_page_may_read_that_its_key_is_not_valid(acme, ended):
    full = page_key(acme)
    ApiKey.objects.filter(name="Window").update(**{ended: NOW - timedelta(days=1)})

    there, elsewhere = ask(full), ask(full, origin="https://evil.example")

    assert [(answer.status_code, answer.json()["code"]) for answer in (there, elsewhere)] == [
        (401, "authentication_failed")
    ] * 2
    assert (there["Access-Control-Allow-Origin"], cors_of(elsewhere)) == (SHOP, {})


def test_of_a_key_that_nobody_has_no_page_reads_anything(acme):
    full = page_key(acme)

    answer = ask(f"{full[:-1]}{'a' if full[-1] != 'a' else 'b'}")

    assert (answer.status_code, cors_of(answer)) == (401, {})


@pytest.mark.parametrize(("host", "allowed"), [("acme.localhost", "*"), ("localhost", SHOP)])
def test_a_page_may_read_that_the_tenant_is_suspended(acme, host, allowed, django_capture_on_commit_callbacks):
    full = page_key(acme)
    with django_capture_on_commit_callbacks(execute=True):
        standing.suspend(tenant=acme)

    asked = Client(headers={"host": host}).options(ADDRESS, headers=PREFLIGHT)
    answer = ask(full, host=host)

    assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (204, "*")
    assert (answer.status_code, answer.json()["code"]) == (403, "tenant_suspended")
    assert answer["Access-Control-Allow-Origin"] == allowed


def test_a_page_that_knows_the_answer_already_hears_so(acme):
    full = page_key(acme)
    first = ask(full)

    answer = ask(full, **{"if-none-match": first["ETag"]})

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (304, SHOP)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://shop.example.com.evil.example", "http://shop.example.com", "null", ""]
)
def test_from_another_site_a_publishable_key_opens_nothing(acme, origin):
    answer = ask(page_key(acme), origin=origin)

    assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert cors_of(answer) == {}


def test_a_secret_key_in_a_page_gets_answers_that_the_page_cannot_read(acme):
    answers = [ask(secret_key(acme)), ask(secret_key(acme), "/api/v1/members/anna"), ask("sk_live_nonsense")]

    assert [answer.status_code for answer in answers] == [200, 403, 401]
    assert [cors_of(answer) for answer in answers] == [{}, {}, {}]


@pytest.mark.parametrize("address", [ADDRESS, "/api/v1/events", "/api/v1/members/anna", "/api/v1/events/7"])
def test_a_browser_may_ask_before_without_a_key(acme, address, django_assert_num_queries):
    browser = Client(headers={"host": "localhost"})

    with django_assert_num_queries(0):
        answer = browser.options(address, headers=PREFLIGHT)

    assert (answer.status_code, answer.content) == (204, b"")
    told = cors_of(answer)
    assert (told["Access-Control-Allow-Origin"], told["Access-Control-Max-Age"]) == ("*", "86400")
    assert {"Authorization", "Content-Type", "Idempotency-Key"} <= set(told["Access-Control-Allow-Headers"].split(", "))
    assert "GET" in told["Access-Control-Allow-Methods"].split(", ")
    assert "Access-Control-Allow-Credentials" not in told


def test_what_is_no_preflight_needs_a_key(acme):
    answer = Client(headers={"host": "acme.localhost"}).options(ADDRESS, headers={"Origin": SHOP})

    assert answer.status_code == 401
    assert cors_of(answer) == {}


def test_at_an_address_that_is_none_nothing_is_allowed(acme):
    answer = Client(headers={"host": "acme.localhost"}).options("/api/v1/nothing", headers=PREFLIGHT)

    assert answer.status_code == 404
    assert cors_of(answer) == {}


def test_a_publishable_key_is_its_tenants_alone(acme, bolt):
    assert ask(page_key(bolt)).status_code == 401
    assert ask(page_key(bolt), host="localhost").json()["tenant"]["slug"] == "bolt"

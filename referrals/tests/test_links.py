from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from campaigns.models import Campaign
from core.codes import new_code
from referrals import links
from referrals.models import AttributionPolicy, Click, Code
from referrals.tests.stage import NOON, Stage
from tenants import context

pytestmark = pytest.mark.django_db

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"


@pytest.fixture
def visit(client):
    """Follow a link as a browser does."""

    def go(path, *, host="acme.localhost", method="get", **headers):
        return getattr(client, method)(path, headers={"Host": host, "User-Agent": BROWSER, **headers})

    return go


@pytest.fixture
def campaign(acme):
    return Campaign.objects.create(
        name="Bring a friend", status="active", starts_at=NOON, landing_url="https://shop.example/hello?a=1"
    )


def landed_on(response):
    parts = urlsplit(response["Location"])
    return f"{parts.scheme}://{parts.netloc}{parts.path}", {k: v[0] for k, v in parse_qs(parts.query).items()}


# Where a link leads


def test_a_visitor_is_counted_and_sent_to_the_campaign_s_page(scene, anna, campaign, visit):
    code = scene.code_of(anna)

    response = visit(f"/r/{code.text}?ch=telegram&utm_source=chat&utm_medium=share")

    click = Click.objects.get()
    assert response.status_code == 302
    assert landed_on(response) == (
        "https://shop.example/hello",
        {"a": "1", "ref": code.text, "click_id": click.key, "utm_source": "chat", "utm_medium": "share"},
    )
    assert (click.code, click.campaign, click.channel) == (code, campaign, "telegram")
    assert click.utm == {"source": "chat", "medium": "share"}
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "no-referrer"


def test_a_visit_takes_two_statements(scene, anna, campaign, visit):
    path = f"/r/{scene.code_of(anna).text}"
    visit(path)

    with CaptureQueriesContext(connection) as statements:
        visit(path)

    assert len(statements) == 2
    assert Click.objects.count() == 2


def test_a_browser_is_known_again(scene, anna, visit, client):
    path = f"/r/{scene.code_of(anna).text}"
    first = visit(path).cookies["visitor"]
    visit(path)

    assert set(Click.objects.values_list("visitor", flat=True)) == {first.value}
    assert (first["max-age"], first["httponly"], first["samesite"], first["path"]) == (7_776_000, True, "Lax", "/r/")
    assert first["secure"] == ""


def test_behind_https_the_cookie_is_secure(scene, anna, visit, settings):
    settings.HTTPS = True

    assert visit(f"/r/{scene.code_of(anna).text}").cookies["visitor"]["secure"] is True


def test_a_cookie_that_is_not_ours_is_replaced(scene, anna, visit, client):
    client.cookies["visitor"] = "<script>"

    visit(f"/r/{scene.code_of(anna).text}")

    assert Click.objects.get().visitor == client.cookies["visitor"].value != "<script>"


def test_the_campaign_asked_for_comes_before_a_newer_one(scene, anna, campaign, visit):
    Campaign.objects.create(name="Newer", status="active", starts_at=now(), landing_url="https://newer.example/")
    path = f"/r/{scene.code_of(anna).text}"

    assert landed_on(visit(path))[0] == "https://newer.example/"
    assert landed_on(visit(f"{path}?c={campaign.pk}"))[0] == "https://shop.example/hello"


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "paused"},
        {"status": "draft"},
        {"status": "ended"},
        {"ends_at": NOON + timedelta(hours=1)},
        {"starts_at": NOON + timedelta(days=36_500)},
        {"landing_url": ""},
        {"landing_url": "ftp://shop.example/"},
    ],
)
def test_a_campaign_that_does_not_run_or_has_no_page_is_passed_over(scene, anna, campaign, visit, columns):
    Campaign.objects.update(**columns)
    AttributionPolicy.objects.update(landing_url="https://own.example/")

    response = visit(f"/r/{scene.code_of(anna).text}?c={campaign.pk}")

    assert landed_on(response)[0] == "https://own.example/"
    assert Click.objects.get().campaign == campaign


def test_without_any_page_the_code_is_shown(scene, anna, visit):
    code = scene.code_of(anna).text

    response = visit(f"/r/{code}")

    assert response.status_code == 200
    assert code in response.content.decode()
    assert "Acme" in response.content.decode()
    assert Click.objects.get().code.text == code


@pytest.mark.parametrize("c", ["0", "-1", "x", "9" * 30, "1.5", "", "999999"])
def test_an_odd_campaign_number_is_nobody_s(scene, anna, campaign, visit, c):
    assert landed_on(visit(f"/r/{scene.code_of(anna).text}?c={c}"))[0] == "https://shop.example/hello"


def test_a_code_may_be_written_in_small_letters(scene, anna, campaign, visit):
    code = scene.code_of(anna).text

    assert landed_on(visit(f"/r/{code.lower()}"))[1]["ref"] == code


def test_a_code_that_was_chosen_is_followed_however_it_is_written(scene, anna, campaign, visit):
    Code.objects.create(text="ANNA26", member=anna, is_chosen=True, created_at=NOON)

    assert landed_on(visit("/r/anna-26?ch=story"))[1]["ref"] == "ANNA26"
    click = Click.objects.select_related("code").get()
    assert (click.code.text, click.channel) == ("ANNA26", "story")
    assert visit("/r/ANNA27").status_code == 404


# What is not counted


def test_a_robot_is_sent_on_and_not_counted(scene, anna, campaign, visit):
    response = visit(f"/r/{scene.code_of(anna).text}", **{"User-Agent": "TelegramBot (like TwitterBot)"})

    assert response.status_code == 302
    assert "click_id" not in landed_on(response)[1]
    assert "visitor" not in response.cookies
    assert not Click.objects.exists()


def test_a_head_is_not_counted(scene, anna, campaign, visit):
    assert visit(f"/r/{scene.code_of(anna).text}", method="head").status_code == 302
    assert not Click.objects.exists()


@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_a_link_is_followed_and_nothing_else(scene, anna, visit, method):
    assert visit(f"/r/{scene.code_of(anna).text}", method=method).status_code == 405
    assert not Click.objects.exists()


@pytest.mark.parametrize("code", ["0", "ANN", "%00", "x" * 500, "%3Cscript%3E", "..;", "\u202e"])
def test_what_is_no_code_gets_a_friendly_page_and_no_query(acme, visit, code):
    visit("/r/0")  # The host is known from now on.

    with CaptureQueriesContext(connection) as statements:
        response = visit(f"/r/{code}")

    assert response.status_code == 404
    assert "<script" not in response.content.decode()
    assert len(statements) == 0
    assert response["Cache-Control"] == "no-store"


def test_a_code_that_nobody_has_is_not_found(acme, visit):
    assert visit(f"/r/{new_code()}").status_code == 404
    assert not Click.objects.exists()


def test_whoever_follows_links_too_fast_is_asked_to_wait_and_nothing_is_counted(scene, anna, visit, client, settings):
    address = f"/r/{scene.code_of(anna).text}"
    settings.LINK_VISITS_A_MINUTE = 3
    for _ in range(3):
        assert visit(address).status_code in {200, 302}
    count = Click.objects.count()

    refused = visit(address)

    assert (refused.status_code, refused["Retry-After"], refused["Cache-Control"]) == (429, "20", "no-store")
    assert 'http-equiv="refresh" content="20"' in refused.content.decode()
    assert Click.objects.count() == count
    assert client.get(address, headers={"Host": "acme.localhost"}, REMOTE_ADDR="203.0.113.8").status_code in {200, 302}


def test_whoever_tries_codes_out_finds_none_of_those_that_exist(scene, anna, visit, settings):
    address = f"/r/{scene.code_of(anna).text}"
    settings.LINK_VISITS_A_MINUTE = 20
    tried = [visit("/r/NOBODYHAS").status_code for _ in range(5)]

    # The answer is the same whether the code exists or not.
    assert tried == [404, 404, 429, 429, 429]
    assert visit(address).status_code == 429


def test_a_code_is_its_tenant_s_alone(scene, anna, bolt, visit):
    assert visit(f"/r/{scene.code_of(anna).text}", host="bolt.localhost").status_code == 404
    with context.in_tenant(bolt.schema_name):
        assert not Click.objects.exists()


# The address that is shared


def test_a_link_names_the_tenant_s_first_domain(acme, settings):
    settings.PORT = 8000
    assert links.address(tenant=acme, code="CODE") == "http://acme.localhost:8000/r/CODE"

    settings.PORT = 80
    assert links.address(tenant=acme, code="CODE") == "http://acme.localhost/r/CODE"

    settings.HTTPS = True
    assert links.address(tenant=acme, code="CODE") == "https://acme.localhost/r/CODE"


def test_the_same_member_number_elsewhere_has_another_code(scene, anna, bolt):
    code = scene.code_of(anna).text

    with context.in_tenant(bolt.schema_name):
        stage = Stage()
        assert stage.code_of(stage.member("anna")).text != code

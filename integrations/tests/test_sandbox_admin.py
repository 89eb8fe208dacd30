"""The page of the sandbox in its back office, and the way there from the live one."""

from datetime import timedelta

import pytest
from django.test import Client

from core.db import transaction
from integrations.models import Delivery
from integrations.sandbox import stories
from members.models import Member
from tenants import context, sandboxes
from tenants.models import Tenant
from tenants.staff.models import AuditEntry
from tests import webhooks
from tests.cast import Shop
from tests.people import browser_of, staff_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/integrations/endpoint/sandbox/"
HOST = "acme-sandbox.localhost"
DAY = timedelta(days=1)


@pytest.fixture
def sandbox(acme):
    with context.in_tenant("t_acme_sandbox") as found:
        yield found


@pytest.fixture
def browser(sandbox) -> Client:
    return browser_of(staff_of("admin", username="eva"), host=HOST)


def ahead():
    return Tenant.objects.get(schema_name="t_acme_sandbox").clock_ahead


def told(browser: Client, path: str, **values: str) -> str:
    """Press a button, and return what the page says then."""
    response = browser.post(f"{PAGE}{path}", values, headers={"referer": f"http://{HOST}{PAGE}"}, follow=True)
    assert response.status_code == 200
    return " ".join(str(each) for each in response.context["messages"])


def test_the_clock_goes_on_by_a_button_and_every_page_says_so(browser):
    assert "clock-ahead" not in browser.get(PAGE).content.decode()

    said = told(browser, "clock/7d/")

    assert said.startswith("It is 7 days later · midnights: 7")
    assert ahead() == 7 * DAY
    assert "The sandbox's clock is 7 days ahead" in browser.get("/admin/members/member/").content.decode()
    assert AuditEntry.objects.get(action="sandbox.clock_advanced").actor == "eva"


@pytest.mark.parametrize(("span", "expected"), [("1h", DAY / 24), ("1d", DAY), ("30d", 30 * DAY)])
def test_each_button_goes_as_far_as_it_says(browser, span, expected):
    told(browser, f"clock/{span}/")

    assert ahead() == expected


def test_no_button_goes_elsewhere(browser):
    assert told(browser, "clock/1000d/") == "The clock is advanced by an hour, a day, a week or a month at a time."
    assert ahead() == timedelta()


def test_a_link_advances_nothing(browser):
    response = browser.get(f"{PAGE}clock/7d/")

    assert (response.status_code, ahead()) == (302, timedelta())


def test_fixtures_are_made_by_a_button_and_shown_then(browser):
    before = browser.get(PAGE).content.decode()

    said = told(browser, "fixture/referral/")

    assert said.startswith("Bring a friend is there:")
    assert Shop().balance_of("fixture-anna") == 500
    after = browser.get(PAGE).content.decode()
    assert (before.count("Look at it"), after.count("Look at it")) == (0, 1)
    assert before.count(">Make<") == len(stories.ALL) == after.count(">Make<") + 1


def test_an_example_is_sent_to_whoever_wants_it(browser):
    nobody = told(browser, "trigger/", kind="reward.granted")
    webhooks.add("https://shop.example.com/hooks", kinds=["reward.granted"])

    somebody = told(browser, "trigger/", kind="reward.granted")

    assert nobody == "No active webhook asks for this fact, so nothing was sent."
    assert somebody == "An example goes to 1 webhook."
    assert Delivery.objects.get().kind == "reward.granted"


@pytest.mark.django_db(transaction=True)
def test_it_is_cleared_by_its_own_name_only(browser):
    Shop().joins("anna")
    wrong = told(browser, "clear/", confirm="acme")
    with context.in_tenant("t_acme_sandbox"):
        assert Member.objects.count() == 1

    right = told(browser, "clear/", confirm=" acme-sandbox ")

    assert wrong == "Confirm with the sandbox's own name: acme-sandbox."
    assert right == "The sandbox is as new, and its clock says what it really is."
    with context.in_tenant("t_acme_sandbox"):
        assert not Member.objects.exists()
        assert AuditEntry.objects.get().actor == "eva"


# Who, and where


@pytest.mark.parametrize("role", ["marketer", "moderator", "analyst"])
def test_others_than_admins_have_no_business_there(sandbox, role):
    browser = browser_of(staff_of(role), host=HOST)

    pressed = [browser.post(f"{PAGE}{each}").status_code for each in ("clock/7d/", "fixture/referral/", "clear/")]

    assert browser.get(PAGE).status_code == 403
    assert pressed == [403, 403, 403]
    assert ahead() == timedelta()
    assert PAGE not in browser.get("/admin/").content.decode()


def test_the_live_back_office_shows_the_way_and_no_buttons(acme):
    browser = browser_of(staff_of("admin"))

    page = browser.get(PAGE).content.decode()

    assert f"http://{HOST}" in page
    assert "sandbox/clear" not in page
    assert PAGE in browser.get("/admin/").content.decode()


def test_the_live_back_offices_buttons_do_nothing(acme):
    browser = browser_of(staff_of("admin"))
    Shop().joins("anna")

    for path in ("clock/7d/", "fixture/referral/", "trigger/", "clear/"):
        response = browser.post(f"{PAGE}{path}", {"confirm": "acme", "kind": "reward.granted"}, follow=True)
        assert [str(each) for each in response.context["messages"]] == ["This is for the sandbox only. Use a test key."]

    assert Member.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_another_tenants_staff_finds_no_page_here(sandbox, bolt):
    with context.in_tenant("t_bolt_sandbox"):
        stranger = staff_of("admin", username="bea")
        cookie = browser_of(stranger, host="bolt-sandbox.localhost").cookies
    browser = Client(headers={"host": HOST})
    browser.cookies = cookie

    response = browser.post(f"{PAGE}clock/7d/")

    assert (response.status_code, ahead()) == (302, timedelta())


def test_who_was_here_a_moment_ago_was_here_by_the_sandboxs_clock(browser):
    with transaction():
        sandboxes.set_clock(sandbox=sandboxes.get_current(), ahead=40 * DAY)
    told(browser, "clock/1h/")
    told(browser, "fixture/loyalty/")

    entries = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))

    assert entries == ["sandbox.clock_advanced", "sandbox.fixture_made"]
    first, second = AuditEntry.objects.order_by("pk").values_list("at", flat=True)
    assert timedelta() < second - first < DAY

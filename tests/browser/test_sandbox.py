"""A developer who tries things out in the sandbox."""

from datetime import timedelta

import pytest
from django.conf import settings

from members.models import Member
from tenants import context
from tenants.models import Tenant
from tests.browser.screens import LARGE, SMALL
from tests.cast import Shop
from tests.people import browser_of, staff_of

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/admin/integrations/endpoint/sandbox/"
HOST = "acme-sandbox.localhost"


@pytest.fixture
def sit_down(chromium, live_server, acme):
    """Let Eva sit down in Acme's sandbox."""
    with context.in_tenant("t_acme_sandbox"):
        eva = staff_of("admin", username="eva")
        cookie = browser_of(eva, host=HOST).cookies[settings.SESSION_COOKIE_NAME].value
    url = f"http://{HOST}:{live_server.thread.port}"
    screens = []

    def sit(**looks):
        screens.append(chromium.screen(url=url, cookie=(settings.SESSION_COOKIE_NAME, cookie), **looks))
        return screens[-1]

    yield sit
    for screen in screens:
        assert screen.complaints == []
        screen.close()


@pytest.mark.parametrize("size", [LARGE, SMALL])
@pytest.mark.parametrize("is_dark", [False, True])
def test_a_week_is_one_click_and_everything_is_gone_for_a_name(sit_down, size, is_dark):
    screen = sit_down(size=size, is_dark=is_dark)
    screen.open(PAGE)
    assert (screen.count(".clock-ahead"), screen.beyond()) == (0, 0)

    screen.click("Make")
    screen.click("+7 days")
    assert "7 days ahead" in screen.text(".clock-ahead")
    assert screen.beyond() == 0
    assert (screen.brightness(".clock-ahead") < 0.5) == is_dark
    with context.in_tenant("t_acme_sandbox"):
        assert Tenant.objects.get(schema_name="t_acme_sandbox").clock_ahead == timedelta(days=7)
        assert Shop().balance_of("fixture-anna") == 500

    screen.write("Type acme-sandbox", "acme-sandbox")
    screen.click("Clear the sandbox")
    assert (screen.count(".clock-ahead"), screen.beyond()) == (0, 0)
    with context.in_tenant("t_acme_sandbox"):
        assert not Member.objects.exists()

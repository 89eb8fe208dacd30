"""Starts one Chromium for the whole run. Where none is installed these tests are left out, and the run says so."""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import pytest
from django.conf import settings
from django.utils import timezone

from antifraud.models import Case
from tenants import keys
from tenants.models import Tenant
from tenants.staff.models import Staff
from tests.cast import Shop, make_campaign
from tests.people import browser_of, flag, staff_of
from tests.stand_ins.sites import Site, opened

CHROMIUM: Final = shutil.which("chromium")
HOST: Final = "acme.localhost"

collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say so plainly when a part of the tests could not run."""
    if not CHROMIUM:
        terminalreporter.write_line("LEFT OUT: tests/browser, as there is no Chromium here (apt install chromium).")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Give the browser."""
    from tests.browser.screens import Chromium  # noqa: PLC0415 (not where there is no browser)

    assert CHROMIUM
    started = Chromium(CHROMIUM)
    yield started
    started.quit()


@pytest.fixture
def sit(chromium: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """Let somebody of the staff sit down at a screen of their own."""
    url = f"http://{HOST}:{live_server.thread.port}"
    screens = []

    def sit_down(person: Staff, **looks: Any) -> Any:
        name = settings.SESSION_COOKIE_NAME
        screen = chromium.screen(url=url, cookie=(name, browser_of(person).cookies[name].value), **looks)
        screens.append(screen)
        return screen

    yield sit_down
    complaints = [each for screen in screens for each in screen.complaints]
    for screen in screens:
        screen.close()
    assert complaints == []


@pytest.fixture
def site() -> Iterator[Site]:
    """Open a site of somebody else's."""
    with opened() as site:
        yield site


@pytest.fixture
def come(chromium: Any, site: Site) -> Iterator[Callable[..., Any]]:
    """Let a visitor come to a page of that site, in a browser of their own."""
    screens = []

    def open_page(path: str, *, origin: str = "", before: str = "", **looks: Any) -> Any:
        screen = chromium.screen(url=origin or site.origin, **looks)
        screens.append(screen)
        if before:
            chromium.do(lambda: screen.page.add_init_script(before))
        screen.open(path)
        return screen

    yield open_page
    # What is half done would else be answered by the next test's tenant.
    for screen in screens:
        screen.close()


@pytest.fixture
def tag(acme: Tenant, live_server: Any, site: Site, settings: Any, now: datetime) -> str:
    """Give what a marketer pastes: the script, with a key for that site's pages."""
    settings.PORT = live_server.thread.port
    _row, key = keys.issue(
        tenant=acme,
        environment="live",
        name="Window",
        kind="publishable",
        scopes=["clicks:write", "public:read"],
        allowed_origins=[site.origin],
        at=now,
    )
    address = f"http://{HOST}:{live_server.thread.port}/widget.js"
    return f'<script async src="{address}" data-sarafan-key="{key}"></script>'


@pytest.fixture
def now() -> datetime:
    """Give the hour that the browser lives in, too."""
    return timezone.now()


@pytest.fixture
def shop(now: datetime) -> Shop:
    """Give a shop whose clock goes right."""
    make_campaign(rule={"recipient": "both"})
    return Shop(at=now)


@pytest.fixture
def cases(shop: Shop) -> list[Case]:
    """Give three cases, each of an inviter and a friend with the same card, in the order of the queue."""
    for inviter, friend in (("anna", "boris"), ("clara", "dina"), ("emil", "fedor")):
        flag(shop, inviter=inviter, friend=friend)
    return list(Case.objects.order_by("pk"))


@pytest.fixture
def max_(transactional_db: None) -> Staff:
    """Give a moderator."""
    return staff_of("moderator", username="max")


@pytest.fixture
def mia(transactional_db: None) -> Staff:
    """Give another moderator."""
    return staff_of("moderator", username="mia")

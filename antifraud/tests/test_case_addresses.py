"""
Every address about a case, be it added tomorrow: none decides by being looked at, and none for a stranger.

A button is whatever sends those who look at it back to the queue.
"""

import pytest
from django.contrib.admin import site
from django.test import Client

from antifraud.models import Case, Decision
from core.db import fetch
from rewards.models import Posting
from tenants import context
from tests.people import AXES, browser_of, staff_of
from tests.walk import ARGUMENT

QUEUE = "/admin/antifraud/case/"
BULK = {"confirmed": "yes", "note": "x"}


def addresses(case: Case) -> list[str]:
    """Return the path of every page and button about a case."""
    routes = [str(url.pattern) for url in site._registry[Case].get_urls()]
    about = [route for route in routes if ARGUMENT.search(route)]
    return [QUEUE + ARGUMENT.sub(str(case.pk), route) for route in about]


@pytest.fixture
def buttons(case, mia) -> list[str]:
    """Return what can be pressed about a case."""
    browser = browser_of(mia)
    found = [path for path in addresses(case) if browser.get(path).headers.get("Location") == QUEUE]
    assert {f"{QUEUE}{case.pk}/{what}/" for what in ("approve", "reject", "undo")} <= set(found)
    return found


def state() -> list[object]:
    """Return all that a button about a case could change, wherever the last request has led."""
    with context.in_tenant("t_acme"):
        return [
            fetch("SELECT to_jsonb(c) AS row FROM antifraud_case c ORDER BY id"),
            fetch("SELECT id, status FROM rewards_reward ORDER BY id"),
            Decision.objects.count(),
            Posting.objects.count(),
        ]


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_at_an_address_changes_nothing(case, max_, method):
    browser, before = browser_of(max_), state()

    for path in addresses(case):
        getattr(browser, method)(path)
        assert (path, state()) == (path, before)


@pytest.mark.parametrize("role", ["marketer", "analyst"])
def test_a_role_that_may_not_decide_presses_nothing(case, buttons, role):
    browser, before = browser_of(staff_of(role)), state()

    for path in buttons:
        assert (path, browser.post(path, {"note": "x"}).status_code) == (path, 403)
    for action in ("approve_selected", "reject_selected"):
        browser.post(QUEUE, {"action": action, "_selected_action": case.pk, **BULK})
    assert state() == before


def test_without_the_forms_token_nothing_is_pressed(case, buttons, max_):
    strict = Client(enforce_csrf_checks=True, headers={"host": "acme.localhost"})
    strict.force_login(max_, AXES)
    before = state()

    for path in buttons:
        assert (path, strict.post(path).status_code) == (path, 403)
    for action in ("approve_selected", "reject_selected"):
        assert strict.post(QUEUE, {"action": action, "_selected_action": case.pk, **BULK}).status_code == 403
    assert state() == before


def test_a_session_of_another_tenant_presses_nothing(case, buttons, max_, bolt):
    with context.in_tenant("t_bolt"):
        stranger = browser_of(staff_of("admin", username="max"), host="bolt.localhost")
    here = browser_of(max_)
    here.cookies["sessionid"] = stranger.cookies["sessionid"].value
    before = state()

    for path in [*buttons, QUEUE]:
        answer = here.post(path, {"action": "approve_selected", "_selected_action": case.pk, **BULK})
        assert (path, answer.status_code, answer.headers["Location"].split("?")[0]) == (path, 302, "/admin/login/")
    assert state() == before


def test_a_case_of_another_tenant_is_not_found_from_here(case, buttons, bolt):
    with context.in_tenant("t_bolt"):
        stranger = browser_of(staff_of("admin"), host="bolt.localhost")
    before = state()

    for path in buttons:
        assert (path, stranger.post(path).status_code) == (path, 404)
    assert state() == before


def test_nobody_presses_without_logging_in(case, buttons):
    before = state()

    for path in buttons:
        answer = Client(headers={"host": "acme.localhost"}).post(path)
        assert (path, answer.status_code, answer.headers["Location"].split("?")[0]) == (path, 302, "/admin/login/")
    assert state() == before

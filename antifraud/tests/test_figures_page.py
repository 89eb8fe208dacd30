"""The page of moderation's figures, and its table for a spreadsheet."""

import csv
import io
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from antifraud.models import Case
from antifraud.moderation import deciding
from tenants import context
from tenants.staff.models import AuditEntry, Staff
from tests.people import browser_of, flag, staff_of

PAGE = "/admin/antifraud/case/figures/"
EXPORT = "/admin/antifraud/case/figures/export/"
STATEMENTS_MAX = 15


def an_hour_ago() -> datetime:
    # The pages are the edge that reads the clock.
    return now() - timedelta(hours=1)


@pytest.fixture
def decided(case: Case, max_: Staff) -> Case:
    """Let Max reject the case."""
    deciding.reject(case=case, by=max_, at=an_hour_ago())
    return case


def page(browser: Client, path: str = PAGE) -> str:
    response = browser.get(path)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("role", ["admin", "marketer", "moderator", "analyst"])
def test_everybody_of_the_staff_reads_it(decided, role):
    shown = page(browser_of(staff_of(role)))

    for part in ("How moderation goes", "Same card", "too few", "max", "0 %"):
        assert part in shown


def test_it_tells_what_to_expect_before_anything_was_decided(acme):
    shown = page(browser_of(staff_of("analyst")))

    assert "No case was decided in this period." in shown
    assert "By moderator" not in shown


@pytest.mark.parametrize("asked", ["7", "30", "90"])
def test_the_period_is_chosen(decided, asked):
    shown = page(browser_of(staff_of("analyst")), f"{PAGE}?days={asked}")

    assert f'<a href="?days={asked}" aria-current="page">' in shown


@pytest.mark.parametrize("asked", ["0", "31", "-7", "x", "9" * 30])
def test_another_period_is_the_usual_one(decided, asked):
    shown = page(browser_of(staff_of("analyst")), f"{PAGE}?days={asked}")

    assert '<a href="?days=30" aria-current="page">' in shown


def test_it_takes_few_statements_however_much_was_decided(shop, campaign, max_):
    for number in range(5):
        flag(shop, inviter=f"inviter-{number}", friend=f"friend-{number}")
    for case in Case.objects.all():
        deciding.reject(case=case, by=max_, at=an_hour_ago())
    browser = browser_of(max_)
    page(browser)

    with CaptureQueriesContext(connection) as statements:
        page(browser)

    assert len(statements) <= STATEMENTS_MAX, "\n".join(each["sql"][:150] for each in statements)


def test_it_is_downloaded_as_a_table_and_the_log_knows(decided):
    response = browser_of(staff_of("analyst")).post(EXPORT, {"days": "7"})

    rows = list(csv.reader(io.StringIO(response.content.decode().removeprefix("\ufeff"))))
    assert rows[1][:6] == ["Everybody", "", "1", "0", "1", "0"]
    assert rows[2][:6] == ["Moderator", "max", "1", "0", "1", "0"]
    assert ["Signal", "Same card", "1", "0", "1", "", "", "", "100.0", "20.7", "100.0"] in rows
    entry = AuditEntry.objects.get(action="figures.exported")
    assert (entry.actor, entry.changes) == ("the-analyst", {"days": 7})


def test_no_name_in_the_table_is_a_formula(case, shop):
    staff = Staff.objects.create_superuser("+cmd", password=None)
    deciding.approve(case=case, by=staff, at=an_hour_ago())

    text = browser_of(staff_of("analyst")).post(EXPORT).content.decode()

    assert "'+cmd" in text
    assert ",+cmd" not in text


def test_looking_at_the_tables_address_downloads_nothing(decided):
    response = browser_of(staff_of("analyst")).get(EXPORT)

    assert response.status_code == 302
    assert not AuditEntry.objects.filter(action="figures.exported").exists()


def test_another_tenants_staff_is_sent_to_log_in(decided, bolt):
    with context.in_tenant("t_bolt"):
        stranger = browser_of(staff_of("admin"), host="bolt.localhost")
    here = browser_of(staff_of("admin"))
    here.cookies["sessionid"] = stranger.cookies["sessionid"].value

    for path in (PAGE, EXPORT):
        answer = here.get(path)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/admin/login/")


def test_the_menu_leads_there(acme):
    assert f'href="{PAGE}"' in page(browser_of(staff_of("moderator")), "/admin/")

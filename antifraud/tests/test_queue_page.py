"""The moderation queue in a browser."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from antifraud.models import Case, Decision
from tenants.staff.models import AuditEntry
from tests.people import browser_of, flag, staff_of

QUEUE = "/admin/antifraud/case/"
STATEMENTS_MAX = 15


@pytest.fixture
def browser(max_):
    return browser_of(max_)


def page(browser, path: str = QUEUE):
    response = browser.get(path)
    assert response.status_code == 200
    return response.content.decode()


def after_post(browser, path: str, **data: str):
    response = browser.post(path, data, follow=True, headers={"referer": f"http://acme.localhost{QUEUE}"})
    assert response.status_code == 200
    return response.content.decode()


def test_a_line_shows_both_sides_the_points_and_why(case, browser):
    shown = page(browser)

    for part in ("anna", "boris", "Bring a friend", ">200<", "Inviter and friend paid with the same card."):
        assert part in shown
    assert f'formaction="{QUEUE}{case.pk}/approve/?seen=2"' in shown


def test_one_click_approves_and_offers_to_undo(case, shop, browser):
    shown = after_post(browser, f"{QUEUE}{case.pk}/approve/")

    assert "200 points are on their way" in shown
    assert f'formaction="{QUEUE}{case.pk}/undo/"' in shown
    assert shop.balance_of("anna") == 100


def test_one_click_decides_what_its_page_has_shown_and_no_more(case, shop, browser):
    shown = after_post(browser, f"{QUEUE}{case.pk}/approve/?seen=1")

    assert "More rewards have joined this case in the meantime." in shown
    assert shop.balance_of("anna") == 0
    assert not Decision.objects.exists()


def test_one_click_rejects(case, shop, browser):
    after_post(browser, f"{QUEUE}{case.pk}/reject/", note="The same person.")

    assert Decision.objects.get().note == "The same person."
    assert shop.balance_of("anna") == 0


def test_one_click_undoes(case, shop, browser):
    after_post(browser, f"{QUEUE}{case.pk}/approve/")

    shown = after_post(browser, f"{QUEUE}{case.pk}/undo/")

    assert "waits for a decision again" in shown
    assert shop.balance_of("anna") == 0


def test_looking_at_a_buttons_address_decides_nothing(case, browser):
    assert browser.get(f"{QUEUE}{case.pk}/approve/").status_code == 302

    assert Case.objects.get().status == "open"


def test_the_slower_moderator_reads_who_was_quicker(case, browser, mia):
    after_post(browser_of(mia), f"{QUEUE}{case.pk}/approve/")

    shown = after_post(browser, f"{QUEUE}{case.pk}/reject/")

    assert "mia has already approved this case." in shown


def test_a_button_needs_the_forms_token(case, max_):

    strict = Client(enforce_csrf_checks=True, headers={"host": "acme.localhost"})
    strict.force_login(max_, "django.contrib.auth.backends.ModelBackend")

    assert strict.post(f"{QUEUE}{case.pk}/approve/").status_code == 403
    assert Case.objects.get().status == "open"


def test_who_was_decided_is_found_with_by_whom(case, browser):
    after_post(browser, f"{QUEUE}{case.pk}/approve/")

    assert "boris" not in page(browser)
    decided = page(browser, f"{QUEUE}?show=decided")
    assert "boris" in decided
    assert "Approved" in decided
    assert "max" in decided


def test_a_case_older_than_a_day_stands_out_and_is_not_released(case, browser):
    Case.objects.update(opened_at=case.opened_at - timedelta(days=1000))

    assert "Overdue" in page(browser)
    assert Case.objects.get().status == "open"


def test_many_are_decided_after_their_total_was_shown(shop, campaign, browser):
    flag(shop)
    flag(shop, inviter="clara", friend="dina")
    chosen = {"action": "approve_selected", "_selected_action": [case.pk for case in Case.objects.all()]}

    asked = browser.post(QUEUE, chosen).content.decode()

    assert re.search(r"400\s+points", asked)
    assert not Decision.objects.exists()
    shown = browser.post(QUEUE, chosen | {"confirmed": "yes"}, follow=True).content.decode()
    assert "2 cases decided." in shown
    assert (shop.balance_of("anna"), shop.balance_of("clara")) == (100, 100)


def test_the_queue_is_filtered_by_reason(case, browser):
    assert "boris" in page(browser, f"{QUEUE}?reason=self_referral_card")
    assert "boris" not in page(browser, f"{QUEUE}?reason=velocity")


def test_the_queue_takes_few_statements_however_long_it_is(shop, campaign, browser):
    for number in range(8):
        flag(shop, inviter=f"inviter-{number}", friend=f"friend-{number}")
    page(browser)

    with CaptureQueriesContext(connection) as statements:
        page(browser)

    assert len(statements) <= STATEMENTS_MAX, "\n".join(each["sql"][:150] for each in statements)


def test_the_page_of_a_case_shows_both_members_masked(shop, campaign, browser):
    shop.joins({"external_id": "anna", "email": "anna.secret@example.com", "card": "token-1234567"})
    shop.joins({"external_id": "boris", "card": "token-1234567"}, invited_by="anna")
    shop.pays("boris", "500")

    shown = page(browser, f"{QUEUE}{Case.objects.get().pk}/change/")

    assert "a***@e***.com" in shown
    assert "anna.secret" not in shown
    assert "token-1234567" not in shown
    assert "shared with another member" in shown
    assert "Approve" in shown


@pytest.mark.parametrize("role", ["marketer", "analyst"])
def test_who_may_not_decide_sees_no_button_and_presses_none(case, role):
    browser = browser_of(staff_of(role))

    assert "/approve/" not in page(browser)
    assert browser.post(f"{QUEUE}{case.pk}/approve/").status_code == 403
    assert browser.post(QUEUE, {"action": "approve_selected", "_selected_action": case.pk, "confirmed": "yes"})
    assert Case.objects.get().status == "open"


def test_a_marketer_resumes_a_stopped_campaign_with_one_click_and_an_analyst_does_not(trip):
    path = f"/admin/antifraud/trip/{trip.pk}/resume/"

    assert browser_of(staff_of("analyst")).post(path).status_code == 403
    trip.refresh_from_db()
    assert trip.resumed_at is None
    browser_of(staff_of("marketer")).post(path)
    trip.refresh_from_db()
    assert trip.resumed_by.username == "the-marketer"
    assert AuditEntry.objects.get().actor == "the-marketer"

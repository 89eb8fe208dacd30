"""The moderation queue in a browser."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from antifraud.models import Case, Decision
from antifraud.moderation import deciding, escalation
from rewards.models import Reward
from tenants.staff.models import AuditEntry, Staff
from tests.cast import NOON
from tests.people import browser_of, flag, staff_of

QUEUE = "/admin/antifraud/case/"
STATEMENTS_MAX = 17


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

    for part in (
        "anna",
        "boris",
        "Bring a friend",
        "200 points",
        "Same card",
        "Inviter and friend paid with the same card.",
    ):
        assert part in shown
    assert f'formaction="{QUEUE}{case.pk}/approve/?seen=2"' in shown


def listed(shown: str) -> list[int]:
    """Return the cases of a list in its order."""
    return [int(pk) for pk in re.findall(r'name="_selected_action" value="(\d+)"', shown)]


@pytest.fixture
def pairs(shop, campaign) -> list[Case]:
    """Give three cases of two rewards each."""
    for inviter, friend in (("anna", "boris"), ("clara", "dina"), ("emil", "fedor")):
        flag(shop, inviter=inviter, friend=friend)
    return list(Case.objects.order_by("pk"))


def test_one_click_approves_and_offers_to_undo(case, shop, browser):
    shown = after_post(browser, f"{QUEUE}{case.pk}/approve/")

    assert "Approved: on their way: 200 points." in shown
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


def test_a_case_whose_time_is_over_stands_out_and_is_not_released(case, browser):
    assert "Overdue: " in page(browser)
    assert "boris" in page(browser, f"{QUEUE}?show=overdue")
    assert Case.objects.get().status == "open"


def test_a_case_that_is_due_later_says_so(case, browser):
    Case.objects.update(due_at=timezone.now() + timedelta(hours=5, minutes=1))

    shown = page(browser)

    assert "due in 5\xa0hours" in shown
    assert "Overdue: " not in shown
    assert "boris" not in page(browser, f"{QUEUE}?show=overdue")


def test_the_views_say_how_many_cases_they_have(pairs, max_, browser):
    escalation.escalate_due(limit=1, at=timezone.now())
    escalation.take(case=pairs[1], by=max_, at=timezone.now())

    views = page(browser).split('<nav class="switch"')[1].split("</nav>")[0]
    shown = unescape(re.sub(r"<[^>]+>", "", views))

    assert re.findall(r"\w[\w' ]* \d+", shown) == ["Waiting 3", "Mine 1", "Nobody's 2", "Overdue 3", "Escalated 1"]
    for view, found in {"mine": [1], "unassigned": [0, 2], "escalated": [0], "waiting": [0, 1, 2]}.items():
        assert listed(page(browser, f"{QUEUE}?show={view}")) == [pairs[each].pk for each in found]


def test_what_escalated_comes_first_and_the_rest_by_age_or_value_as_one_likes(pairs, browser):
    first, second, third = pairs
    Case.objects.filter(pk=third.pk).update(due_at=first.due_at - timedelta(hours=1))
    Case.objects.filter(pk=first.pk).update(opened_at=first.opened_at + timedelta(hours=1))
    Reward.objects.filter(pk__in=second.case_rewards.values("reward")).update(cost_minor=99_000)

    assert listed(page(browser)) == [third.pk, first.pk, second.pk]
    assert listed(page(browser, f"{QUEUE}?sort=age")) == [second.pk, third.pk, first.pk]
    assert listed(page(browser, f"{QUEUE}?sort=value"))[0] == second.pk
    Case.objects.filter(pk=second.pk).update(escalated_at=NOON)
    assert listed(page(browser)) == [second.pk, third.pk, first.pk]


def test_an_empty_view_says_so_and_leads_back(case, browser):
    shown = page(browser, f"{QUEUE}?show=mine")

    assert "Nothing is here." in shown
    assert "Show all that waits" in shown


def chosen(cases, action: str = "approve_selected", **more: str):
    return {"action": action, "_selected_action": [case.pk for case in cases], **more}


def test_many_are_decided_after_their_total_was_shown(pairs, shop, browser):
    asked = browser.post(QUEUE, chosen(pairs[:2])).content.decode()

    assert "400 points" in asked
    assert "RUB" in asked
    assert "4 members" in asked
    assert not Decision.objects.exists()
    shown = browser.post(QUEUE, chosen(pairs[:2], confirmed="yes"), follow=True).content.decode()
    assert "2 cases decided." in shown
    assert (shop.balance_of("anna"), shop.balance_of("clara"), shop.balance_of("emil")) == (100, 100, 0)


def test_the_reason_and_the_note_are_kept_with_each_of_many(pairs, browser):
    told = {"reason": "One of our own staff.", "note": "Asked them.", "confirmed": "yes"}

    browser.post(QUEUE, chosen(pairs, "reject_selected", **told))

    assert {each.note for each in Decision.objects.all()} == {"One of our own staff. Asked them."}
    assert Decision.objects.count() == 3


def test_another_choice_of_sides_is_counted_again_before_anything_is_decided(pairs, shop, browser):
    one_side = chosen(pairs, "reject_selected", sides="inviter", confirmed="yes")

    asked = browser.post(QUEUE, one_side).content.decode()

    assert not Decision.objects.exists()
    assert asked.count("300 points") == 2
    browser.post(QUEUE, {**one_side, "shown_sides": "inviter"})
    assert {each.sides for each in Decision.objects.all()} == {"inviter"}
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 100)


def test_what_somebody_decided_meanwhile_is_told_and_the_others_are_decided(pairs, browser, mia):
    deciding.reject(case=pairs[0], by=mia, at=timezone.now())

    shown = browser.post(QUEUE, chosen(pairs, confirmed="yes"), follow=True).content.decode()

    assert "2 cases decided." in shown
    assert f"Case {pairs[0].pk}: mia has already rejected this case." in shown
    assert "None" not in browser.post(QUEUE, chosen(pairs[:1]), follow=True).content.decode()


def test_a_case_that_grew_between_the_question_and_the_answer_is_left(pairs, browser):
    shown = browser.post(
        QUEUE, chosen(pairs, confirmed="yes", **{f"seen-{pairs[0].pk}": "1"}), follow=True
    ).content.decode()

    assert "2 cases decided." in shown
    assert "More rewards have joined this case in the meantime." in shown
    assert Case.objects.get(pk=pairs[0].pk).status == "open"


def test_nobody_decides_about_themselves_among_many(pairs, shop, max_, browser):
    shop.tells("check_in", {"external_id": "anna", "email": "max@example.com"})
    Staff.objects.filter(pk=max_.pk).update(email="max@example.com")

    asked = browser.post(QUEUE, chosen(pairs)).content.decode()

    assert "This case is about yourself" in asked
    assert "400 points" in asked
    assert f"/{pairs[0].pk}/approve/" not in page(browser)
    assert "It is about you: somebody else decides." in page(browser)


def test_the_queue_is_filtered_by_reason(case, browser):
    assert "boris" in page(browser, f"{QUEUE}?reason=self_referral_card")
    assert "boris" not in page(browser, f"{QUEUE}?reason=velocity")
    assert "Same card (1)" in page(browser)


def test_the_queue_is_filtered_by_campaign(case, browser):
    assert "boris" in page(browser, f"{QUEUE}?campaign={case.campaign_id}")
    assert "boris" not in page(browser, f"{QUEUE}?campaign={case.campaign_id + 1}")
    assert "Bring a friend (1)" in page(browser)


def test_the_queue_takes_few_statements_however_long_it_is(shop, campaign, browser):
    for number in range(8):
        flag(shop, inviter=f"inviter-{number}", friend=f"friend-{number}")
    page(browser)

    with CaptureQueriesContext(connection) as statements:
        page(browser)

    assert len(statements) <= STATEMENTS_MAX, "\n".join(each["sql"][:150] for each in statements)


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

"""The page of a case: all that somebody needs to decide it, on one screen."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from antifraud.admin.amounts import said as amounts_said
from antifraud.models import Case, Decision, FraudPolicy
from antifraud.moderation import deciding, escalation
from members.models import Member
from tenants import context
from tenants.staff.models import Staff
from tests.people import browser_of, flag, staff_of

QUEUE = "/admin/antifraud/case/"
STATEMENTS_MAX = 44


@pytest.fixture
def browser(max_):
    return browser_of(max_)


def path_of(case: Case, page: str = "change/") -> str:
    return f"{QUEUE}{case.pk}/{page}"


def shown_of(browser, case: Case, page: str = "change/") -> str:
    response = browser.get(path_of(case, page))
    assert response.status_code == 200
    return str(response.content.decode())


def pressed(browser, case: Case, what: str, **data: str) -> str:
    """Press a button of the case's page, and return what is shown then."""
    referer = f"http://acme.localhost{path_of(case)}"
    response = browser.post(path_of(case, f"{what}/"), data, follow=True, headers={"referer": referer})
    assert response.redirect_chain[-1][0] == path_of(case)
    return str(response.content.decode())


def test_it_shows_both_members_masked(shop, campaign, browser):
    shop.joins({"external_id": "anna", "email": "anna.secret@example.com", "card": "token-1234567"})
    shop.joins({"external_id": "boris", "card": "token-1234567"}, invited_by="anna")
    shop.pays("boris", "500")

    shown = shown_of(browser, Case.objects.get())

    assert "a***@e***.com" in shown
    assert "anna.secret" not in shown
    assert "token-1234567" not in shown
    assert "shared with another member" in shown
    assert "Approve" in shown


def test_it_says_what_is_at_stake_why_and_how_the_verdict_came_about(case, browser):
    shown = shown_of(browser, case)

    assert "200 points" in shown
    assert '<span class="weight num">100</span>' in shown
    assert shown.count("Inviter and friend paid with the same card.") == 1
    assert "weight 100, from 50 on" in shown


def test_it_draws_what_ties_them(case, shop, browser):
    shown = shown_of(browser, case)

    drawing = shown.split("<svg")[1].split("</svg>")[0]
    assert drawing.count('class="web-person web-party"') == 2
    assert drawing.count('class="web-thing"') == 1
    assert drawing.count('class="web-line web-line-party"') == 2
    assert drawing.count('class="web-arrow"') == 1
    assert f'href="/admin/members/member/{shop.id_of("anna")}/change/"' in drawing
    assert "card …" in drawing


def test_whoever_has_the_same_card_is_drawn_though_the_case_is_not_about_them(case, shop, browser):
    shop.joins({"external_id": "carol", "card": "token-anna"})

    drawing = shown_of(browser, case).split("<svg")[1].split("</svg>")[0]

    assert "carol" in drawing
    assert drawing.count('class="web-person"') == 1


def test_an_address_of_a_whole_office_leads_to_nobody(shop, campaign, browser):
    office = {"ip": "203.0.113.7"}
    for number in range(5):
        shop.joins({"external_id": f"colleague-{number}", **office})
    shop.joins({"external_id": "anna", "card": "token-1", **office})
    shop.joins({"external_id": "boris", "card": "token-1", **office}, invited_by="anna")
    shop.pays("boris", "500")

    drawing = shown_of(browser, Case.objects.get()).split("<svg")[1].split("</svg>")[0]

    assert "colleague" not in drawing
    assert "203.0.*" in drawing
    assert "and 5 more" in drawing


def test_the_timelines_tell_since_when_somebody_is_known_by_what(case, browser):
    shown = shown_of(browser, case)

    assert shown.count("Known by: Card") == 2
    assert "Order paid" in shown
    assert "Brought boris" in shown


def test_each_reward_leads_to_why_it_was_proposed(case, browser):
    event_id = case.case_rewards.earliest("pk").reward.event_id

    assert shown_of(browser, case).count(f'href="/admin/events/event/{event_id}/change/">Why?') == 2


def test_it_tells_what_was_decided_about_these_people_on_any_side(case, shop, mia, browser):
    shop.tells("check_in", {"external_id": "boris", "device": "tablet-of-boris"})
    shop.joins({"external_id": "clara", "device": "tablet-of-boris"}, invited_by="boris")
    shop.pays("clara", "500")
    other = Case.objects.exclude(pk=case.pk).get()
    assert "Also waiting" in shown_of(browser, case)

    deciding.reject(case=other, by=mia, note="A friend of a friend.", at=timezone.now())

    shown = shown_of(browser, case)
    assert "1 rejected" in shown
    assert "0 approved" in shown
    assert "A friend of a friend." in shown
    assert f'href="{path_of(other)}"' in shown
    assert "Also waiting" not in shown


def test_strangers_cases_are_none_of_its_history(case, shop, mia, browser):
    flag(shop, inviter="clara", friend="dina")
    stranger = Case.objects.exclude(pk=case.pk).get()
    deciding.approve(case=stranger, by=mia, note="Strangers.", at=timezone.now())

    assert "Strangers." not in shown_of(browser, case)


def test_a_rejection_takes_whom_the_moderator_says(case, shop, browser):
    assert '<option value="both" selected>' in shown_of(browser, case)

    shown = pressed(browser, case, "reject", sides="inviter", reason="One of our own staff.", note="Anna works here.")

    assert "Rejected for one side: The inviter." in shown
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 100)
    assert Decision.objects.get().note == "One of our own staff. Anna works here."


def test_a_rejection_takes_what_the_policy_says_unless_told_otherwise(case, shop, browser):
    FraudPolicy.objects.filter(singleton=True).update(on_reject="inviter")

    assert '<option value="inviter" selected>' in shown_of(browser, case)


def test_the_reasons_to_choose_from_begin_with_the_tenants_own(case, browser):
    FraudPolicy.objects.filter(singleton=True).update(reason_templates=["Ask Olga."])

    shown = shown_of(browser, case)

    assert shown.count("<option>Ask Olga.</option>") == 1
    assert shown.index("Ask Olga.") < shown.index("The same person on both sides.")


def test_an_undo_says_how_many_minutes_are_left_and_then_is_gone(case, browser, max_):
    deciding.approve(case=case, by=max_, at=timezone.now() - timedelta(minutes=4))
    assert "Undo (5 min left)" in shown_of(browser, case)

    FraudPolicy.objects.filter(singleton=True).update(undo_minutes=3)

    assert "Undo (" not in shown_of(browser, case)


def test_the_slower_one_reads_on_the_page_who_was_quicker(case, browser, mia):
    deciding.approve(case=case, by=mia, at=timezone.now())

    shown = pressed(browser, case, "reject")

    assert "mia has already approved this case." in shown
    assert Decision.objects.count() == 1


def test_a_case_is_taken_given_and_given_back(case, browser, max_, mia):
    assert "You look after this case now." in pressed(browser, case, "take")
    assert Case.objects.get().assigned_to == max_
    assert "mia looks after this case now." in pressed(browser, case, "assign", to=str(mia.pk))
    assert Case.objects.get().assigned_to == mia
    assert "Nobody looks after this case now." in pressed(browser, case, "assign", to="")
    assert Case.objects.get().assigned_to is None


def test_a_case_that_somebody_has_is_not_taken_from_them(case, browser, mia):
    escalation.take(case=case, by=mia, at=timezone.now())

    assert "mia already looks after this case." in pressed(browser, case, "take")
    assert Case.objects.get().assigned_to == mia


def test_a_case_is_given_to_nobody_who_may_not_decide(case, browser):
    analyst = staff_of("analyst")

    shown = pressed(browser, case, "assign", to=str(analyst.pk))

    assert "A case can only be given to somebody who may decide it." in shown
    assert Case.objects.get().assigned_to is None


@pytest.mark.parametrize("role", ["marketer", "analyst"])
def test_who_may_not_decide_reads_and_has_nothing_to_press(case, role):
    browser = browser_of(staff_of(role))

    shown = shown_of(browser, case)

    assert "200 points" in shown
    for what in ("approve", "reject", "take", "assign"):
        assert f"/{case.pk}/{what}/" not in shown
    for what in ("approve", "reject", "take", "assign", "undo"):
        assert browser.post(path_of(case, f"{what}/")).status_code == 403
    assert browser.get(path_of(case, "decide/?do=approve")).status_code == 403
    assert (Case.objects.get().status, Case.objects.get().assigned_to) == ("open", None)


def test_nobody_decides_about_themselves_and_the_page_says_so(case, shop, max_, browser):
    shop.tells("check_in", {"external_id": "anna", "email": "max@example.com"})
    Staff.objects.filter(pk=max_.pk).update(email="max@example.com")

    shown = shown_of(browser, case)

    assert "It is about you: somebody else decides." in shown
    assert f"/{case.pk}/approve/" not in shown
    assert "about yourself" in shown_of(browser, case, "decide/?do=approve")
    assert "about yourself" in pressed(browser, case, "approve")
    assert not Decision.objects.exists()


def test_each_member_leads_to_the_page_that_bans_them_and_whoever_is_banned_says_so(case, shop, browser):
    path = f'href="/admin/antifraud/listing/ban/{shop.id_of("boris")}/"'
    assert path in shown_of(browser, case)
    assert path not in shown_of(browser_of(staff_of("analyst")), case)

    Member.objects.filter(pk=shop.id_of("boris")).update(status="blocked")

    shown = shown_of(browser, case)
    assert path not in shown
    assert '<span class="mark mark-bad">Blocked</span>' in shown


# From a message elsewhere


@pytest.mark.parametrize(("do", "balance"), [("approve", 100), ("reject", 0)])
def test_a_link_asks_first_and_its_button_decides(case, shop, browser, do, balance):
    shown = shown_of(browser, case, f"decide/?do={do}")

    assert not Decision.objects.exists()
    assert f'formaction="{path_of(case, do)}/?seen=2"' in shown
    assert "200 points" in shown
    browser.post(path_of(case, f"{do}/?seen=2"))
    assert shop.balance_of("anna") == balance


def test_a_link_that_asks_for_nothing_known_leads_to_the_case(case, browser):
    assert browser.get(path_of(case, "decide/?do=delete")).headers["Location"] == path_of(case)


def test_a_link_to_what_is_decided_says_who_did(case, browser, mia):
    deciding.approve(case=case, by=mia, at=timezone.now())

    shown = shown_of(browser, case, "decide/?do=reject")

    assert "mia decided it" in shown
    assert f"/{case.pk}/reject/" not in shown


def test_a_link_wants_a_log_in(case, client):
    response = client.get(path_of(case, "decide/?do=approve"), headers={"host": "acme.localhost"})

    assert response.status_code == 302
    assert response.headers["Location"].startswith("/admin/login/")


def test_another_tenants_moderator_finds_no_case(case, bolt):
    with context.in_tenant("t_bolt"):
        browser = browser_of(staff_of("moderator", username="bob"), host="bolt.localhost")

    for page in ("change/", "decide/?do=approve"):
        assert browser.get(path_of(case, page)).status_code == 404
    for what in ("approve", "reject", "take", "assign", "undo"):
        assert browser.post(path_of(case, f"{what}/")).status_code == 404
    with context.in_tenant("t_acme"):
        assert Case.objects.get().status == "open"


@pytest.mark.parametrize(
    ("points", "amounts", "words"),
    [(1, ("1",), "1 point"), (1250, ("1,250", "$12.50"), "1,250 points, $12.50"), (0, ("2 × Mug",), "2 × Mug")],
)
def test_points_have_their_word_and_other_things_their_own(acme, points, amounts, words):
    assert amounts_said(points=points, amounts=amounts) == words


# Bounds


def test_a_ring_of_many_takes_no_more_statements_than_one_of_a_few(shop, campaign, browser):
    shop.joins({"external_id": "ring-0", "card": "token-ring"})
    for number in range(1, 9):
        shop.joins({"external_id": f"ring-{number}", "card": "token-ring"}, invited_by="ring-0")
        shop.pays(f"ring-{number}", "500")
    case = max(Case.objects.all(), key=lambda each: each.case_rewards.count())
    shown_of(browser, case)

    with CaptureQueriesContext(connection) as statements:
        shown = shown_of(browser, case)

    assert len(statements) <= STATEMENTS_MAX, len(statements)
    assert "ring-8" in shown.split("<svg")[1].split("</svg>")[0]

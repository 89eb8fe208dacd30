"""Moderators at work: by mouse and by keyboard, on a desk and on a telephone, by day and by night."""

from datetime import timedelta
from itertools import combinations

import pytest

from antifraud.models import Case, Decision
from antifraud.moderation import escalation
from rewards import ledger
from tests.browser.screens import LARGE, SMALL
from tests.people import flag, staff_of

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "/admin/antifraud/case/"
LINES = "#result_list tr.data-row"
HERE = "#result_list tr.is-here"


def page_of(case: Case) -> str:
    return f"{QUEUE}{case.pk}/change/"


def statuses() -> list[str]:
    """Return the states of the cases in the order in which they were opened."""
    return list(Case.objects.order_by("pk").values_list("status", flat=True))


# By mouse


def test_one_click_approves_and_another_takes_it_back(cases, shop, max_, sit):
    screen = sit(max_)
    screen.open(QUEUE)

    screen.click("Approve", within=f"{LINES}:has-text('boris')")

    assert "Approved: on their way: 200 points." in screen.text()
    assert screen.count(LINES) == 2
    assert (statuses(), shop.balance_of("anna")) == (["approved", "open", "open"], 100)
    screen.click("Undo")
    assert "Undone: the case waits for a decision again." in screen.text()
    assert (statuses(), shop.balance_of("anna")) == (["open"] * 3, 0)
    assert ledger.verify() == []


def test_a_rejection_takes_one_side_and_keeps_the_reason(cases, shop, max_, sit):
    screen = sit(max_)
    screen.open(page_of(cases[0]))

    screen.choose("A rejection takes", "The inviter")
    screen.choose("Reason", "One of our own staff.")
    screen.write("Note", "Anna works here. a r u")
    screen.click("Reject")

    assert screen.path == page_of(cases[0])
    assert "Rejected for one side: The inviter." in screen.text()
    assert Decision.objects.get().note == "One of our own staff. Anna works here. a r u"
    assert (shop.balance_of("anna"), shop.balance_of("boris")) == (0, 100)


def test_many_are_decided_after_their_total_was_seen(cases, shop, max_, sit):
    screen = sit(max_)
    screen.open(QUEUE)
    screen.tick(f"{LINES}:has-text('boris') input.action-select")
    screen.tick(f"{LINES}:has-text('dina') input.action-select")

    screen.act_on_ticked("Reject…")

    assert "Will not be given 400 points 4 members, 4 rewards" in screen.text(".totals")
    assert statuses() == ["open"] * 3
    screen.click("Reject all")
    assert "2 cases decided." in screen.text()
    assert statuses() == ["rejected", "rejected", "open"]


def test_a_member_in_the_drawing_leads_to_their_page(cases, shop, max_, sit):
    screen = sit(max_)
    screen.open(page_of(cases[0]))

    screen.click("boris", within=".web")

    assert screen.path == f"/admin/members/member/{shop.id_of('boris')}/change/"


def test_the_link_of_a_message_asks_first(cases, shop, max_, sit):
    screen = sit(max_, size=SMALL)

    screen.open(f"{QUEUE}{cases[0].pk}/decide/?do=approve")

    assert statuses() == ["open"] * 3
    screen.click("Approve")
    assert "max decided it" in screen.text()
    assert statuses() == ["approved", "open", "open"]


# By keyboard


def test_a_whole_queue_is_decided_without_a_mouse(cases, shop, max_, sit):
    screen = sit(max_)
    screen.open(QUEUE)

    screen.press("j", "j")
    assert "dina" in screen.text(HERE)
    screen.press("k")
    assert "boris" in screen.text(HERE)
    screen.go("a")
    # The next one has taken its place.
    assert "dina" in screen.text(HERE)
    screen.go("r")
    assert (statuses(), shop.balance_of("anna")) == (["approved", "rejected", "open"], 100)
    screen.go("u")
    assert statuses() == ["approved", "open", "open"]
    screen.press("j")
    screen.go("Enter")
    assert screen.path == page_of(cases[2])


def test_keys_tick_cases_for_the_decision_about_many(cases, max_, sit):
    screen = sit(max_)
    screen.open(QUEUE)

    screen.press("j", "x", "j", "x")

    assert screen.count(f"{LINES} input.action-select:checked") == 2
    screen.press("k", "x")
    assert screen.count(f"{LINES} input.action-select:checked") == 1


def test_a_russian_keyboard_has_the_keys_in_the_same_places(cases, max_, sit):
    screen = sit(max_)
    screen.open(QUEUE)

    screen.press_elsewhere("о", "KeyJ")
    screen.press_elsewhere("О", "KeyJ")
    screen.press_elsewhere("ч", "KeyX")

    assert "dina" in screen.text(HERE)
    assert screen.count(f"{HERE} input.action-select:checked") == 1


def test_on_the_page_of_a_case_keys_decide_and_lead_to_the_next(cases, max_, sit):
    screen = sit(max_)
    screen.open(page_of(cases[0]))

    screen.go("r")
    assert statuses() == ["rejected", "open", "open"]
    screen.go("u")
    assert statuses() == ["open"] * 3
    screen.go("j")
    assert screen.path == page_of(cases[1])
    screen.go("a")
    assert statuses() == ["open", "approved", "open"]
    screen.go("j")
    assert screen.path == page_of(cases[0])


def test_keys_do_nothing_while_somebody_writes(cases, max_, sit):
    screen = sit(max_)
    screen.open(page_of(cases[0]))

    screen.write("Note", "a rejection? j k u x o ")
    screen.press("Enter", "a", "r")

    assert screen.path == page_of(cases[0])
    assert not Decision.objects.exists()
    assert screen.count("#keys[open]") == 0


def test_a_question_mark_shows_the_keys_and_they_rest_meanwhile(cases, max_, sit):
    screen = sit(max_)
    screen.open(QUEUE)

    screen.press("?")
    assert "Undo the last decision" in screen.text("#keys")
    screen.press("j", "a", "Escape")

    assert screen.count("#keys[open]") == 0
    assert statuses() == ["open"] * 3


def test_who_may_only_read_presses_keys_in_vain(cases, sit):
    screen = sit(staff_of("analyst"))
    screen.open(QUEUE)

    screen.press("j", "a", "r", "x")

    assert screen.path == QUEUE
    assert statuses() == ["open"] * 3


# Two at once, and nobody in time


def test_of_two_moderators_one_decides_and_the_other_reads_who(cases, shop, max_, mia, sit):
    of_max, of_mia = sit(max_), sit(mia)
    of_max.open(page_of(cases[0]))
    of_mia.open(page_of(cases[0]))

    of_max.click("Approve")
    of_mia.click("Reject")

    assert "max has already approved this case." in of_mia.text()
    assert (statuses(), shop.balance_of("anna")) == (["approved", "open", "open"], 100)
    assert Decision.objects.count() == 1


def test_a_case_that_nobody_decided_escalates_to_the_top_and_is_not_paid(cases, shop, now, max_, sit):
    Case.objects.filter(pk=cases[2].pk).update(due_at=now - timedelta(hours=1))
    escalation.escalate_due(limit=10, at=now)
    screen = sit(max_)

    screen.open(QUEUE)

    assert "fedor" in screen.text(LINES)
    assert "Escalated Overdue" in screen.text(f"{LINES} >> nth=0")
    screen.click("Escalated 1")
    assert screen.count(LINES) == 1
    assert (statuses(), shop.balance_of("emil")) == (["open"] * 3, 0)


# How it looks


@pytest.mark.parametrize(
    ("size", "is_dark"), [(LARGE, False), (LARGE, True), (SMALL, False)], ids=["desk", "night", "telephone"]
)
def test_nothing_sticks_out_and_no_button_lies_on_another(cases, shop, max_, sit, size, is_dark):
    flag(shop, inviter="a-customer-with-a-long-number-2026-000001", friend="boris.the.second.of.his.long.long.name")
    screen = sit(max_, size=size, is_dark=is_dark)
    odd = Case.objects.latest("pk")

    for path in (QUEUE, f"{QUEUE}{odd.pk}/decide/?do=reject", page_of(odd)):
        screen.open(path)
        assert (path, screen.beyond()) == (path, 0)
        buttons = screen.boxes("#content :is(button.act, a.act, select, textarea)")
        assert len(buttons) >= 2
        assert [each for each in buttons if each.left < 0 or each.right > size["width"]] == []
        assert [(one, other) for one, other in combinations(buttons, 2) if one.covers(other)] == []
    # Paper and the nodes of the drawing are dark by night.
    for part in (".decision", ".web .web-person rect", ".web .web-thing rect"):
        assert (part, screen.brightness(part) < 0.35) == (part, is_dark)

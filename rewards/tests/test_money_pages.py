"""The pages of changes by hand and of payouts, and what they let whom do."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core.db import transaction
from rewards import adjustments, ledger, payouts
from rewards.actors import Actor
from rewards.adjustments import Wish
from rewards.models import Adjustment, Redemption
from rewards.tests.stage import NOON
from rewards.tests.units import MARTA, has, make_asset
from tenants.staff.models import AuditEntry
from tests.people import browser_of, staff_of

pytestmark = pytest.mark.django_db

ADJUSTMENTS = "/admin/rewards/adjustment/"
PAYOUTS = "/admin/rewards/account/payouts/"


@pytest.fixture
def cash(scene):
    return make_asset("cash")


def browser(role, username=""):
    return browser_of(staff_of(role, username=username))


def form(asset, **given):
    return {"asset": asset.pk, "amount": "50", "reason": "Sorry", "key": "one", **given}


@transaction
def waiting(member, asset, amount=5000, by="marta", key="k"):
    return adjustments.ask(wish=Wish(key, member.pk, asset.pk, amount, "Sorry"), by=Actor("staff", by), at=NOON)


@transaction
def prepared(asset):
    return payouts.prepare(asset=asset, key="k", by=MARTA, at=NOON)


def messages_of(response):
    return [str(each) for each in response.context["messages"]]


# Changes by hand


@pytest.mark.parametrize("role", ["admin", "marketer"])
def test_it_is_asked_for_from_a_members_page(scene, anna, role):
    here = browser(role)
    member_page = here.get(f"/admin/members/member/{anna.pk}/change/").content.decode()
    address = f"{ADJUSTMENTS}add/?member={anna.pk}"
    assert f'href="{address}"' in member_page
    assert "anna" in here.get(address).content.decode()

    response = here.post(address, form(scene.points), follow=True)

    made = Adjustment.objects.get()
    assert (made.member, made.amount, made.asked_by, made.status) == (anna, 50, f"the-{role}", "posted")
    assert messages_of(response) == ["Posted: +50."]
    assert ledger.verify() == []


def test_the_same_form_sent_twice_is_one_change(scene, anna):
    here = browser("admin")

    for _ in range(2):
        here.post(f"{ADJUSTMENTS}add/?member={anna.pk}", form(scene.points))

    assert ledger.balance_of(member_id=anna.pk) == 50


def test_a_member_is_found_by_what_is_typed(scene, anna, cash):
    here = browser("admin")

    response = here.post(f"{ADJUSTMENTS}add/", form(cash, member="anna", amount="-2.5"))
    assert "balance is less" in response.content.decode()
    here.post(f"{ADJUSTMENTS}add/", form(cash, member="anna", amount="2.5"))

    assert ledger.balance_of(member_id=anna.pk, asset_code="cash") == 250


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"member": "nobody"}, "Nobody is known by that."),
        ({"amount": "0"}, "Nothing would change."),
        ({"amount": "1.5"}, "more digits than there are"),
        ({"amount": "x"}, "Enter a number."),
        ({"reason": ""}, "This field is required."),
    ],
)
def test_an_odd_form_is_shown_again(scene, anna, given, said):
    response = browser("admin").post(f"{ADJUSTMENTS}add/", form(scene.points, member="anna") | given)

    assert (response.status_code, said in response.content.decode()) == (200, True)
    assert not Adjustment.objects.exists()


def test_a_second_person_confirms_with_one_click(scene, anna):
    made = waiting(anna, scene.points)
    here = browser("admin")
    assert f"{ADJUSTMENTS}{made.pk}/confirm/" in here.get(ADJUSTMENTS).content.decode()

    response = here.post(f"{ADJUSTMENTS}{made.pk}/confirm/", follow=True)

    made.refresh_from_db()
    assert (made.status, made.decided_by, messages_of(response)) == ("posted", "the-admin", ["Posted: +5,000."])
    assert ledger.balance_of(member_id=anna.pk) == 5000


def test_whoever_asked_is_told_to_find_somebody(scene, anna):
    here = browser("marketer", "marta")
    here.post(f"{ADJUSTMENTS}add/?member={anna.pk}", form(scene.points, amount="5000"))
    made = Adjustment.objects.get()

    response = here.post(f"{ADJUSTMENTS}{made.pk}/confirm/", follow=True)

    made.refresh_from_db()
    assert made.status == "waiting"
    assert "Somebody else has to confirm this: you asked for it yourself." in messages_of(response)


def test_it_is_refused_with_one_click(scene, anna):
    made = waiting(anna, scene.points)

    browser("marketer").post(f"{ADJUSTMENTS}{made.pk}/refuse/")

    made.refresh_from_db()
    assert (made.status, ledger.balance_of(member_id=anna.pk)) == ("refused", 0)


@pytest.mark.parametrize("role", ["moderator", "analyst"])
def test_others_only_read(scene, anna, role):
    made = waiting(anna, scene.points)
    here = browser(role)

    page = here.get(ADJUSTMENTS).content.decode()

    assert ("Sorry" in page, "/confirm/" in page) == (True, False)
    assert "add/?member=" not in here.get(f"/admin/members/member/{anna.pk}/change/").content.decode()
    for path in ("add/", f"{made.pk}/confirm/", f"{made.pk}/refuse/"):
        assert here.post(f"{ADJUSTMENTS}{path}").status_code == 403
    made.refresh_from_db()
    assert made.status == "waiting"


def test_a_button_is_not_pressed_by_looking(scene, anna):
    made = waiting(anna, scene.points)

    browser("admin").get(f"{ADJUSTMENTS}{made.pk}/confirm/")

    made.refresh_from_db()
    assert made.status == "waiting"


def test_what_waits_stands_first_and_is_counted_in_the_menu(scene, anna):
    waits = waiting(anna, scene.points)
    for number in range(2):
        waiting(anna, scene.points, amount=1, by="other", key=str(number))
    here = browser("admin")

    page = here.get(ADJUSTMENTS)

    assert page.context["cl"].result_list[0].pk == waits.pk
    menu = [line for group in page.context["sidebar_navigation"] for line in group["items"]]
    assert next(line["badge"] for line in menu if line["link"] == ADJUSTMENTS) == "1"
    assert [row.pk for row in here.get(f"{ADJUSTMENTS}?show=waiting").context["cl"].result_list] == [waits.pk]
    assert "Sorry" in here.get(f"{ADJUSTMENTS}{waits.pk}/change/").content.decode()


# Payouts


def test_without_money_the_page_says_what_to_do(scene):
    page = browser("admin").get(PAYOUTS).content.decode()

    assert "No money is counted" in page


def test_the_page_leads_through_a_run(cash, anna):
    has(anna, 123_456, cash)
    here = browser("admin")
    page = here.get(PAYOUTS)
    assert "RUB\N{NO-BREAK SPACE}1,234.56" in page.content.decode()

    response = here.post(page.context["prepare_url"], follow=True)
    payout = Redemption.objects.get()
    assert "is set aside" in messages_of(response)[0]
    here.post(page.context["prepare_url"])
    assert Redemption.objects.count() == 1

    saved = here.post(page.context["export_url"]).content.decode()
    rows = list(csv.reader(io.StringIO(saved.removeprefix("\ufeff"))))
    assert rows[1][:4] == [str(payout.pk), "anna", "1234.56", "RUB"]
    assert AuditEntry.objects.filter(action="payout.exported", actor="the-admin").count() == 1

    back = SimpleUploadedFile("bank.csv", f"id,reference\n{payout.pk},PAY-1\n999999,PAY-2\n".encode())
    response = here.post(page.context["import_url"], {"file": back}, follow=True)
    told = "Paid: 1. Known before: 0. Rows with an error: 1. Row 3: There is no payout with this id."
    assert messages_of(response)[-1] == told
    payout.refresh_from_db()
    assert (payout.status, payout.reference) == ("captured", "PAY-1")
    assert "PAY-1" in here.get(PAYOUTS).content.decode()
    assert ledger.verify() == []


def test_one_is_paid_and_one_has_failed(cash, anna, boris):
    has(anna, 2_000, cash)
    has(boris, 3_000, cash)
    first, second = prepared(cash)
    here = browser("admin")

    here.post(f"{PAYOUTS}{first.pk}/settle/", {"reference": "PAY-7"})
    here.post(f"{PAYOUTS}{second.pk}/fail/", {"reason": "Closed"})
    refused = here.post(f"{PAYOUTS}{second.pk}/settle/", {"reference": "PAY-8"}, follow=True)

    assert [each.status for each in Redemption.objects.order_by("pk")] == ["captured", "released"]
    assert messages_of(refused)[-1] == "This could not be paid, and was given back."
    page = here.get(PAYOUTS).content.decode()
    assert "PAY-7" in page
    assert "Closed" in page


@pytest.mark.parametrize("file", [None, b"\xff\xfe\x00", b"a,b\n"])
def test_an_odd_file_is_told(cash, file):
    given = {"file": SimpleUploadedFile("x.csv", file)} if file else {}

    response = browser("admin").post(f"{PAYOUTS}import/", given, follow=True)

    assert messages_of(response)[0].startswith("This is not a table")


@pytest.mark.parametrize("role", ["marketer", "moderator", "analyst"])
def test_only_an_admin_pays(cash, anna, role):
    has(anna, 2_000, cash)
    (payout,) = prepared(cash)
    here = browser(role)

    page = here.get(PAYOUTS).content.decode()

    assert ("anna" in page, "/settle/" in page) == (True, False)
    for path in (
        f"{cash.pk}/prepare/?run=x",
        f"{cash.pk}/export/",
        "import/",
        f"{payout.pk}/settle/",
        f"{payout.pk}/fail/",
    ):
        assert here.post(f"{PAYOUTS}{path}", {"reference": "x", "reason": "x"}).status_code == 403
    payout.refresh_from_db()
    assert payout.status == "reserved"

"""The page of a member, and finding one."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import Member
from rewards import portraits
from rewards.models import Level, Standing
from rewards.tests.units import has, make_asset
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, make_campaign
from tests.people import browser_of, staff_of

MEMBERS = "/admin/members/member/"


@pytest.fixture
def shop(acme) -> Shop:
    return Shop()


@pytest.fixture
def browser(acme):
    return browser_of(staff_of("analyst"))


def found(browser, who: str):
    """Return where the search leads."""
    return browser.post(f"{MEMBERS}find/", {"who": who}).headers["Location"]


@pytest.mark.parametrize("who", ["anna", "812344123", "Anna+news@example.com", "+7 (912) 345-67-89", "8 912 345 67 89"])
def test_a_member_is_found_by_a_whole_identity(shop, browser, who):
    identities = {"external_id": "anna", "telegram": "812344123", "email": "anna@example.com", "phone": "+79123456789"}
    shop.joins(identities)
    shop.joins("boris")

    assert found(browser, who) == f"{MEMBERS}{shop.id_of('anna')}/change/"


def test_a_shared_identity_finds_all_who_have_it(shop, browser):
    for name in ("anna", "boris"):
        shop.joins({"external_id": name, "email": "family@example.com"})

    assert found(browser, "family@example.com") == f"{MEMBERS}?id__in={shop.id_of('anna')},{shop.id_of('boris')}"


@pytest.mark.parametrize("who", ["", "nobody", "ann", "\x00", "x" * 5000, "anna@example.org"])
def test_nobody_is_found_by_less(shop, browser, who):
    shop.joins({"external_id": "anna", "email": "anna@example.com"})

    assert found(browser, who) == MEMBERS


def test_the_page_shows_the_member_and_hides_what_is_personal(shop, browser):
    make_campaign()
    shop.joins({"external_id": "anna", "email": "anna.secret@example.com"})
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500", order="A-17")

    page = browser.get(f"{MEMBERS}{shop.id_of('anna')}/change/").content.decode()

    for part in ("anna", "a***@e***.com", "boris", "Bring a friend", shop.code_of("anna"), ">100<"):
        assert part in page
    assert "anna.secret" not in page


def test_the_timeline_merges_all_newest_first_and_goes_on_on_the_next_page(shop):
    make_campaign()
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500")
    anna = shop.id_of("anna")

    whole = portraits.timeline_of(member_id=anna, size=10)

    assert [moment.what for moment in whole] == ["reward", "referral", "event"]
    assert [moment.at for moment in whole] == [NOON] * 3
    assert portraits.timeline_of(member_id=anna, page=2, size=2) == whole[2:]


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999", "²"])
def test_an_odd_page_number_is_a_page(shop, browser, page):
    shop.joins("anna")

    assert browser.get(f"{MEMBERS}{shop.id_of('anna')}/change/?page={page}").status_code == 200


# The statement


def test_the_statement_reads_aloud_and_goes_on_on_the_next_page(shop, browser):
    make_campaign(rule={"recipient": "actor", "order_number": "any", "amount_points": 7})
    for number in range(21):
        shop.pays("anna", "500", order=f"A-{number}")
    address = f"{MEMBERS}{shop.id_of('anna')}/change/"

    first = browser.get(address).content.decode()
    second = browser.get(f"{address}?statement=2").content.decode()

    assert "+7: for order A-20 (Bring a friend); usable from Mar 17" in first
    assert "?statement=2#statement" in first
    assert "+7: for order A-0 (" not in first
    assert "+7: for order A-0 (Bring a friend); usable from Mar 17" in second
    assert "?statement=1#statement" in second
    assert "?statement=3" not in second


def test_what_is_on_its_way_stands_above(shop, browser):
    make_campaign(rule={"recipient": "actor", "order_number": "any", "hold_days": 14})
    shop.pays("anna", "500", order="A-1")

    page = browser.get(f"{MEMBERS}{shop.id_of('anna')}/change/").content.decode()

    assert "+100: for order A-1 (Bring a friend); usable from Mar 31" in page
    assert "100 on hold" in page


def test_the_statement_is_saved_as_a_table_without_formulas(shop, browser):
    campaign = make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop.pays("anna", "500", order="A-1")
    anna = shop.id_of("anna")

    saved = browser.post(f"{MEMBERS}{anna}/statement/")

    rows = list(csv.reader(io.StringIO(saved.content.decode().removeprefix("\ufeff"))))
    assert rows[0] == ["id", "at", "asset", "amount", "balance", "reason", "text", "reward_id", "redemption_id"]
    assert rows[1][2:6] == ["points", "100", "100", "grant"]
    # A plus sign would be the beginning of a formula.
    assert rows[1][6] == f"'+100: for order A-1 ({campaign.name}); usable from Mar 17"
    assert AuditEntry.objects.get(action="statement.exported").target == f"member:{anna}"
    assert browser.post(f"{MEMBERS}999999/statement/").status_code == 404


def test_all_that_a_member_has_is_shown_with_the_level(shop, browser):
    shop.joins("anna")
    anna = Member.objects.get(pk=shop.id_of("anna"))
    has(anna, 1_250, make_asset("cash"))
    has(anna, 3, make_asset("spins", kind="spin"))
    level = Level.objects.create(code="gold", name="Golden", threshold=10)
    Standing.objects.create(member=anna, level=level, since=NOON)

    page = browser.get(f"{MEMBERS}{anna.pk}/change/").content.decode()

    for part in ("RUB\N{NO-BREAK SPACE}12.50", "3 (Spins)", "Golden"):
        assert part in page
    (portrait,) = portraits.portraits_of([anna.pk]).values()
    assert (portrait.level, [(each.code, each.balance) for each in portrait.purses]) == (
        "Golden",
        [("points", 0), ("cash", 1_250), ("spins", 3)],
    )


def test_portraits_take_as_many_statements_for_many_assets(shop):
    shop.joins("anna")
    anna = Member.objects.get(pk=shop.id_of("anna"))

    def statements():
        with CaptureQueriesContext(connection) as seen:
            portraits.portraits_of([anna.pk])
        return len(seen)

    before = statements()
    for code in ("stars", "gems"):
        has(anna, 3, make_asset(code))

    assert statements() == before

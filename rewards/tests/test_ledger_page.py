"""The ledger as staff reads it, and takes it along."""

import csv
import io
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.db import transaction
from rewards import issuing, reservations
from rewards.actors import Actor
from rewards.admin import ledger_sheet
from rewards.models import Asset, Posting
from rewards.tests.hands import give
from rewards.tests.stage import NOON
from tenants import context, periods
from tenants.staff.models import AuditEntry
from tests.people import browser_of, staff_of

pytestmark = pytest.mark.django_db

LIST = "/admin/rewards/posting/"
EXPORT = f"{LIST}export/"


@pytest.fixture
def analyst(acme):
    return browser_of(staff_of("analyst"))


@pytest.fixture
def spent(scene, anna):
    """Anna has earned 100 that expire and spends 60 of them on an order, of 70 that were set aside."""
    scene.owe(anna, status="granted")
    give(anna, 40, expires_at=periods.midnight(date(2026, 6, 5), zone=context.zone()), key="given")
    wanted = reservations.Wanted(key="r", member_id=anna.pk, amount=70, order_number="1001")
    with transaction():
        made = reservations.reserve(wanted=wanted, actor=Actor("staff", "max"), at=NOON)
        reservations.capture(redemption_id=made.pk, amount=60, at=NOON)
    return made


def page_of(browser, **posting):
    found = Posting.objects.get(**posting)
    return browser.get(f"{LIST}{found.pk}/change/").content.decode()


def rows_of(response):
    text = response.content.decode().removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text)))


def test_the_list_tells_what_moved_where_and_why(analyst, spent):
    page = analyst.get(LIST).content.decode()

    for told in ("+100", "+40", "−70", "+10", "Set aside", "Spent", "Changed by hand: By hand."):
        assert told in page
    # What went on from escrow to what is spent has no sign: no member gained or lost by it.
    assert ">60</b>" in page


def test_a_page_tells_which_lots_were_used(analyst, spent):
    earned, given = Posting.objects.get(reason="grant"), Posting.objects.get(key="given")

    page = page_of(analyst, reason="reserve")

    assert page.index(f">#{given.pk}<") < page.index("usable until June 4, 2026")
    assert f">#{earned.pk}<" in page
    assert f"#{spent.pk} Part of an order" in page
    assert "0 left, usable until June 4, 2026" in page_of(analyst, key="given")
    assert "70 left, without a day of its own" in page_of(analyst, reason="grant")


def test_amounts_have_the_digits_of_their_asset(analyst, anna, stars):
    Asset.objects.filter(pk=stars.pk).update(scale=2)
    give(anna, 1250, asset="stars")

    assert "+12.50 (Stars)" in analyst.get(LIST).content.decode()
    assert rows_of(analyst.post(EXPORT))[1][4:6] == ["12.5", "stars"]


def test_the_list_is_filtered_by_asset_and_by_member(analyst, anna, boris, stars):
    give(anna, 111)
    give(anna, 222, asset="stars")
    give(boris, 333)

    found = {query: analyst.get(f"{LIST}{query}").content.decode() for query in ("?asset=stars", f"?member={boris.pk}")}

    assert [each in found["?asset=stars"] for each in ("+111", "+222", "+333")] == [False, True, False]
    assert [each in found[f"?member={boris.pk}"] for each in ("+111", "+222", "+333")] == [False, False, True]
    assert analyst.get(f"{LIST}?member=x").status_code == 200


def test_what_is_shown_is_taken_along_as_a_table(analyst, anna, spent):
    assert f'action="{EXPORT}?reason__exact=adjust"' in analyst.get(f"{LIST}?reason__exact=adjust").content.decode()

    response = analyst.post(f"{EXPORT}?reason__exact=adjust")

    head, *rows = rows_of(response)
    posting = Posting.objects.get(key="given")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert head[:5] == ["number", "at", "member's number", "member", "change"]
    assert len(rows) == 1
    assert rows[0] == [
        str(posting.pk),
        "2026-03-17T15:00:00+03:00",
        str(anna.pk),
        "anna",
        "40",
        "points",
        "Changed by hand",
        "Changed by hand: By hand.",
        "Issued by the tenant",
        "",
        "",
        "By hand.",
        "given",
    ]
    assert AuditEntry.objects.get().action == "posting.exported"


def test_what_is_taken_is_below_zero_in_the_table(analyst, spent):
    rows = rows_of(analyst.post(EXPORT))[1:]

    assert [(row[6], row[4]) for row in rows] == [
        ("No longer set aside", "10"),
        ("Spent", "60"),
        ("Set aside", "-70"),
        ("Changed by hand", "40"),
        ("Reward granted", "100"),
    ]


def test_nothing_in_the_table_is_a_formula(analyst, anna):
    give(anna, 5, key='=HYPERLINK("http://evil")')

    assert rows_of(analyst.post(EXPORT))[1][-1] == '\'=HYPERLINK("http://evil")'


def test_the_table_ends_where_the_page_says(analyst, anna, monkeypatch):
    monkeypatch.setattr(ledger_sheet, "ROWS_MAX", 3)
    monkeypatch.setattr(ledger_sheet, "BATCH", 2)
    for amount in range(1, 6):
        give(anna, amount)

    assert [row[4] for row in rows_of(analyst.post(EXPORT))[1:]] == ["5", "4", "3"]


def test_another_tenant_s_staff_takes_nothing_along(acme, bolt, anna):
    give(anna, 5)
    with context.in_tenant(bolt.schema_name):
        stranger = browser_of(staff_of("admin"), host="bolt.localhost")

    assert len(rows_of(stranger.post(EXPORT))) == 1
    cookie = stranger.cookies["sessionid"].value
    here = browser_of(staff_of("analyst"))
    here.cookies["sessionid"] = cookie
    assert here.post(EXPORT).status_code == 302


def test_a_long_list_takes_as_many_statements_as_a_short_one(analyst, scene, anna):
    def statements_for(count):
        for nth in range(count):
            scene.owe(anna, status="granted", side="inviter", event_id=scene.event("member.joined").pk)
            with transaction():
                wanted = issuing.Wanted(f"{count}:{nth}", anna.pk, "points", "", 1, "For nothing")
                issuing.issue(wanted=wanted, actor=Actor("staff", "marta"), at=NOON)
        with CaptureQueriesContext(connection) as seen:
            page = analyst.get(LIST).content.decode()
        assert "Issued by hand: For nothing" in page
        assert page.count("Your friend joined") >= count
        return len(seen)

    analyst.get(LIST)  # The first page asks who is looking.

    assert statements_for(1) == statements_for(8)

"""Lists as CSV files: what is good goes in, what is not is told by its row."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from antifraud.lists import list_sheets, listings
from antifraud.lists.list_sheets import SheetTooLarge, SheetUnreadable, Terms, Wrong
from antifraud.models import Listing
from core.db import transaction
from rewards import sheets
from tests.cast import NOON, Shop

pytestmark = pytest.mark.django_db


def terms(**said) -> Terms:
    given = {"list": "block", "kind": "email_domain", "answer": "flag", **said}
    return Terms(**given, zone=ZoneInfo("Europe/Moscow"), schema="t_acme", region="RU")


def read(text: str, **said) -> list_sheets.Sheet:
    return list_sheets.read(text.encode(), terms=terms(**said), at=NOON)


def test_without_a_head_there_are_a_value_and_a_note():
    sheet = read("example.com,spam\n\nexample.org\n")

    assert [(each.line.lookup, each.note, each.answer) for each in sheet.wishes] == [
        ("example.com", "spam", "flag"),
        ("example.org", "", "flag"),
    ]
    assert (sheet.wrong, sheet.repeated) == ([], 0)


def test_with_a_head_each_row_may_say_all():
    sheet = read(
        "Note;Value;Kind;Then;Until\n"
        "a;'+79001234567;phone;refuse;2026-12-31\n"
        "b;203.0.113.0/24;ip_range;;2026-12-31T12:00:00+00:00\n"
    )

    assert sheet.wrong == []
    assert [(each.line.kind, each.answer, each.until, each.note) for each in sheet.wishes] == [
        ("phone", "refuse", datetime(2026, 12, 31, 21, 0, tzinfo=UTC), "a"),
        ("ip_range", "flag", datetime(2026, 12, 31, 12, 0, tzinfo=UTC), "b"),
    ]


def test_bad_rows_are_told_by_their_numbers_and_the_good_ones_go_in():
    sheet = read("value,until\nexample.com,\nexample,\nexample.org,soon\nexample.net,2020-01-01\nEXAMPLE.com,\n")

    assert [each.line.lookup for each in sheet.wishes] == ["example.com"]
    assert sheet.wrong == [
        Wrong(3, "This is not an e-mail domain. Write it like example.com."),
        Wrong(4, "The date is not one: write 2026-12-31."),
        Wrong(5, "This time is over."),
    ]
    assert sheet.repeated == 1


def test_members_who_do_not_exist_are_left_out(acme):
    shop = Shop()
    shop.joins("anna")
    anna = shop.id_of("anna")

    sheet = read(f"{anna}\n999999999\n", kind="member")

    assert [each.line.lookup for each in sheet.wishes] == [str(anna)]
    assert sheet.wrong == [Wrong(2, "There is no member of that number.")]


@pytest.mark.parametrize(
    ("content", "failure"),
    [
        (b"\xff\xfe\x00", SheetUnreadable),
        (b"\n \n", SheetUnreadable),
        (b"", SheetUnreadable),
        (b"x" * (list_sheets.SIZE_BYTES_MAX + 1), SheetTooLarge),
        (b"a.example\n" * (list_sheets.ROWS_MAX + 2), SheetTooLarge),
    ],
)
def test_what_is_no_list_is_refused(content, failure):
    with pytest.raises(failure):
        list_sheets.read(content, terms=terms(), at=NOON)


def test_thousands_of_rows_go_in_at_once(acme, django_assert_max_num_queries):
    rows = "".join(f"10.{n // 256 % 256}.{n % 256}.1\n" for n in range(5_000))
    sheet = read(rows, list="datacenter", kind="ip_range", answer="")

    # The lines, the version, and the audit log's own.
    with transaction(), django_assert_max_num_queries(10):
        put = listings.put(wishes=sheet.wishes, by="marta", at=NOON)

    assert put == listings.Put(5_000, 0)


def test_what_is_downloaded_can_be_uploaded_again_and_is_no_formula(acme):
    sheet = read("value,kind,then,note\n'+79001234567,phone,refuse,=1+1\n203.0.113.0/24,ip_range,flag,\n")
    with transaction():
        listings.put(wishes=sheet.wishes, by="marta", at=NOON)
    was = list(Listing.objects.order_by("pk").values_list("kind", "lookup", "answer", "note"))

    text = sheets.sheet(header=list_sheets.HEADER, rows=list_sheets.rows_of(Listing.objects.order_by("pk")))
    assert "block,phone,'+79001234567,refuse,,'=1+1,marta,2026-03-17T12:00:00+00:00" in text
    again = list_sheets.read(text.encode(), terms=terms(), at=NOON)
    with transaction():
        assert listings.put(wishes=again.wishes, by="marta", at=NOON) == listings.Put(0, 2)

    assert list(Listing.objects.order_by("pk").values_list("kind", "lookup", "answer", "note")) == was

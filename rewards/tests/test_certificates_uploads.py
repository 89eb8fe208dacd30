"""Uploads of codes: what is good goes in, what is wrong is said by its row, and twice is once."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.files.storage import default_storage

from rewards import entitlements
from rewards.certificates import sheets, uploads
from rewards.certificates.sheets import Line, Terms, Wrong
from rewards.models import Entitlement, Gift, StockCode
from rewards.tests.stage import NOON
from rewards.tests.test_certificates import brand_of, give, put

MOSCOW = ZoneInfo("Europe/Moscow")
SUM = {"type": "sum", "amount_minor": 10_000}
TERMS = Terms(currency="RUB", zone=MOSCOW, has_value=True, offered=frozenset({50_000, 100_000}))


def read(text, *, terms=TERMS):
    return sheets.read(text.encode() if isinstance(text, str) else text, terms=terms, at=NOON)


# Files


@pytest.mark.parametrize(
    "text",
    [
        "code,value,expires\nA-1,500,2026-12-31\n",
        "\ufeffКод;Номинал;Действует до\r\nA-1;500,00;31.12.2026\r\n",
        "value\tcode\texpires\n500.00\tA-1\t2026/12/31",
        "A-1,500,2026-12-31",
        "\n".join(["code,value,expires", "A-1,500,2026-12-31"]).encode("utf-16"),
    ],
)
def test_a_file_is_read_as_people_write_it(text):
    sheet = read(text)

    first = 1 if isinstance(text, str) and text.startswith("A-1") else 2
    # The last day is a whole one, in the tenant's zone.
    assert sheet.lines == [Line(first, "A-1", 50_000, datetime(2026, 12, 31, 21, tzinfo=UTC))]
    assert sheet.wrong == []


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (",500", "empty"),
        (f"{'x' * 101},500", "too_long"),
        ("A\u200b1,500", "unreadable"),
        ("=1+1,500", "formula"),
        ("@SUM(A1),500", "formula"),
        ("+1,500", "formula"),
        ("1.23E+15,500", "shortened"),
        ("A,five", "value"),
        ("A,0", "value"),
        ("A,500.001", "value"),
        ("A", "no_value"),
        ("A,700", "not_offered"),
        ("A,500,tomorrow", "date"),
        ("A,500,2026-03-16", "expired"),
        ("GOOD,500", "twice"),
    ],
)
def test_what_is_wrong_is_said_by_row_and_the_others_are_good(row, why):
    sheet = read(f"code,value,expires\nGOOD,500\n\n{row}\nLAST,1000")

    assert [line.code for line in sheet.lines] == ["GOOD", "LAST"]
    assert sheet.wrong == [Wrong(4, why)]
    assert why in sheets.SENTENCES


def test_value_and_last_day_can_be_said_for_all():
    terms = Terms(currency="RUB", zone=MOSCOW, has_value=True, value_minor=50_000, expires_on=date(2026, 3, 31))

    sheet = read("A-1\nA-2,700,2026-04-30", terms=terms)

    assert [(line.value_minor, line.expires_at.isoformat()) for line in sheet.lines] == [
        (50_000, "2026-03-31T21:00:00+00:00"),
        (70_000, "2026-04-30T21:00:00+00:00"),
    ]


@pytest.mark.parametrize("content", [b"\xff\x00\xfe", b"", b"code,value\n", b"caf\xe9,500"])
def test_what_is_no_list_is_refused(content):
    with pytest.raises(sheets.SheetUnreadable):
        read(content)


def test_too_much_is_refused():
    with pytest.raises(sheets.SheetTooLarge):
        read("x\n" * (sheets.ROWS_MAX + 2))
    with pytest.raises(sheets.SheetTooLarge):
        read(b"x" * (sheets.SIZE_BYTES_MAX + 1))


# On their way into the stock


def prepare(gift, text, **changed):
    return uploads.prepare(
        schema="t_acme",
        gift=gift,
        content=text.encode(),
        at=NOON,
        **{"value_minor": 50_000, "expires_on": None, **changed},
    )


def codes_in(gift):
    rows = StockCode.objects.filter(gift=gift).order_by("pk")
    return [entitlements.code_of(Entitlement(code=row.code)) for row in rows]


@pytest.mark.django_db
def test_looking_through_puts_nothing_into_the_stock_and_keeps_the_codes_sealed(acme):
    coffee = brand_of()
    put(coffee, "OLD")

    upload_id = prepare(coffee, "A-1\nOLD\nA-1\nA-2")

    told = uploads.progress(upload_id, at=NOON)
    assert (told["state"], told["total"], told["good"], told["bad"]) == ("ready", 4, 2, 2)
    assert told["wrong"] == [[2, "known"], [3, "twice"]]
    assert told["values"] == [(50_000, 2)]
    assert codes_in(coffee) == ["OLD"]
    with default_storage.open(f"uploads/{upload_id}") as file:
        assert b"A-1" not in file.read()
    default_storage.delete(f"uploads/{upload_id}")


@pytest.mark.django_db
def test_the_good_go_in_in_their_order_and_who_waits_is_served(anna):
    coffee = brand_of()
    (waiting,) = give(coffee, anna, "k")
    upload_id = prepare(coffee, "A-1\nA-2\n=X\nA-3")

    uploads.fill(schema="t_acme", upload_id=upload_id, at=NOON)

    told = uploads.progress(upload_id, at=NOON)
    assert (told["state"], told["done"], told["served"], told["bad"]) == ("done", 3, 1, 1)
    assert codes_in(coffee) == ["A-1", "A-2", "A-3"]
    waiting.refresh_from_db()
    assert (waiting.status, entitlements.code_of(waiting)) == ("issued", "A-1")
    assert not default_storage.exists(f"uploads/{upload_id}")


@pytest.mark.django_db
def test_an_upload_begun_again_goes_on_where_it_was(acme, monkeypatch):
    coffee = brand_of()
    monkeypatch.setattr(uploads, "CHUNK_SIZE", 2)
    upload_id = prepare(coffee, "\n".join(f"A-{number}" for number in range(5)))
    first = uploads._put
    monkeypatch.setattr(uploads, "_put", lambda *args: first(*args) if not StockCode.objects.exists() else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        uploads.fill(schema="t_acme", upload_id=upload_id, at=NOON)
    assert len(codes_in(coffee)) == 2
    later = NOON + timedelta(minutes=1)
    assert uploads.progress(upload_id, at=later)["state"] == "stalled"

    monkeypatch.setattr(uploads, "_put", first)
    uploads.fill(schema="t_acme", upload_id=upload_id, at=later)
    uploads.fill(schema="t_acme", upload_id=upload_id, at=later)

    told = uploads.progress(upload_id, at=later)
    assert (told["state"], told["good"], told["bad"]) == ("done", 5, 0)
    assert codes_in(coffee) == [f"A-{number}" for number in range(5)]


@pytest.mark.django_db
def test_a_code_that_came_in_meanwhile_is_refused_with_its_row(acme):
    coffee = brand_of()
    upload_id = prepare(coffee, "code\nA-1\nA-2")
    put(coffee, "A-2", batch="another")

    uploads.fill(schema="t_acme", upload_id=upload_id, at=NOON)

    told = uploads.progress(upload_id, at=NOON)
    assert (told["known"], told["wrong"]) == (1, [[3, "known"]])
    assert codes_in(coffee) == ["A-2", "A-1"]


@pytest.mark.django_db
def test_two_brands_may_have_the_same_code(acme):
    coffee, tea = brand_of(), brand_of("tea")

    for gift in (coffee, tea):
        uploads.fill(schema="t_acme", upload_id=prepare(gift, "A-1"), at=NOON)

    assert (codes_in(coffee), codes_in(tea)) == (["A-1"], ["A-1"])


@pytest.mark.django_db
def test_a_discount_code_of_another_gift_is_refused_with_its_row(anna):
    first, second = (Gift.objects.create(code=code, kind="discount", name=code, terms=SUM) for code in ("a", "b"))
    put(first, "ONE", "TWO", value_minor=0)
    give(first, anna, "k-1", value_minor=None)
    (waiting,) = give(second, anna, "k-2", value_minor=None)

    upload_id = prepare(second, "one\nTWO\nTHREE")
    assert uploads.progress(upload_id, at=NOON)["wrong"] == [[1, "taken"], [2, "taken"]]
    uploads.fill(schema="t_acme", upload_id=upload_id, at=NOON)

    waiting.refresh_from_db()
    assert (waiting.status, entitlements.code_of(waiting)) == ("issued", "THREE")
    assert codes_in(second) == ["THREE"]


@pytest.mark.django_db
def test_a_discount_code_that_another_gift_got_meanwhile_is_refused_with_its_row(anna):
    first, second = (Gift.objects.create(code=code, kind="discount", name=code, terms=SUM) for code in ("a", "b"))
    (waiting,) = give(second, anna, "k-2", value_minor=None)
    upload_id = prepare(second, "ONE\nTWO")
    put(first, "ONE", value_minor=0)
    give(first, anna, "k-1", value_minor=None)

    uploads.fill(schema="t_acme", upload_id=upload_id, at=NOON)

    told = uploads.progress(upload_id, at=NOON)
    assert (told["state"], told["wrong"]) == ("done", [[1, "taken"]])
    waiting.refresh_from_db()
    assert (waiting.status, entitlements.code_of(waiting)) == ("issued", "TWO")


@pytest.mark.django_db
def test_nobody_knows_an_upload_that_there_is_not(acme):
    with pytest.raises(uploads.UnknownUpload):
        uploads.progress("0" * 16, at=NOON)

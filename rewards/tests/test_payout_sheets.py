"""Payouts as tables: what the bank is given, and what comes back from it."""

import csv
import io

import pytest

from core.db import transaction
from rewards import ledger, payout_sheets, payouts, sheets
from rewards.models import Posting, Redemption
from rewards.payout_sheets import InvalidSheet
from rewards.tests.stage import NOON
from rewards.tests.units import MARTA, has, make_asset
from tenants.staff.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def cash(scene):
    return make_asset("cash")


@transaction
def prepare(asset):
    return payouts.prepare(asset=asset, key="march", by=MARTA, at=NOON)


@transaction
def settle(payout, reference):
    return payouts.settle(redemption=payout, reference=reference, by=MARTA, at=NOON)


@transaction
def fail(payout):
    return payouts.fail(redemption=payout, reason="The account is closed.", by=MARTA, at=NOON)


@transaction
def export(asset):
    return payout_sheets.export(asset=asset, by=MARTA, at=NOON)


@transaction
def take_in(*lines, content=None):
    given = content if content is not None else "\n".join(lines).encode()
    return payout_sheets.settle(content=given, by=MARTA, at=NOON)


def test_the_table_for_the_bank(cash, scene, anna):
    odd = scene.member("=HYPERLINK(1)")
    has(anna, 123_456, cash)
    has(odd, 1_000, cash)
    first, second = prepare(cash)

    text = export(cash)

    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows == [
        ["id", "member", "amount", "currency", "set_aside_at", "reference"],
        [str(first.pk), "anna", "1234.56", "RUB", NOON.isoformat(), ""],
        [str(second.pk), "'=HYPERLINK(1)", "10.00", "RUB", NOON.isoformat(), ""],
    ]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.changes) == ("payout.exported", {"payouts": 2, "amount": 124_456})


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_is_a_formula_to_a_spreadsheet(cash, scene, start):
    assert sheets.cell(f"{start}1+1") == f"'{start}1+1"
    assert sheets.cell(-5) == -5
    assert sheets.cell("5+5") == "5+5"


def test_good_rows_go_in_and_bad_ones_are_told_by_their_number(cash, scene, anna, boris):
    clara, dora = scene.member("clara"), scene.member("dora")
    for member in (anna, boris, clara, dora):
        has(member, 1_000, cash)
    a, b, c, d = prepare(cash)
    settle(b, "EARLIER")
    fail(c)

    imported = take_in(
        "reference,id",
        f"PAY-1,{a.pk}",
        f"PAY-2,{b.pk}",
        f"PAY-3,{c.pk}",
        "PAY-4,999999",
        "PAY-5,x",
        "",
        f"PAY-6,{a.pk}",
        f",{d.pk}",
        f"EARLIER,{b.pk}",
    )

    assert (imported.settled, imported.known) == (1, 1)
    assert [number for number, _sentence in imported.errors] == [3, 4, 5, 6, 8]
    assert Redemption.objects.get(pk=a.pk).reference == "PAY-1"
    assert Redemption.objects.get(pk=d.pk).status == "reserved"
    assert ledger.verify() == []


def test_the_same_table_again_changes_nothing(cash, anna):
    has(anna, 1_000, cash)
    (payout,) = prepare(cash)
    lines = ("id;reference", f"{payout.pk};PAY-1")
    take_in(*lines)

    again = take_in(*lines)

    assert (again.settled, again.known, again.errors) == (0, 1, ())
    assert Posting.objects.filter(reason="payout").count() == 1


def test_our_own_table_comes_back(cash, anna):
    has(anna, 1_000, cash)
    prepare(cash)

    filled = export(cash).replace(f"{NOON.isoformat()},", f"{NOON.isoformat()},PAY-9")

    assert take_in(content=filled.encode()).settled == 1
    assert Redemption.objects.get().reference == "PAY-9"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a,b\n1,2", b"id,reference\n" + b"1,x\n" * 10_001])
def test_what_is_no_such_table_is_refused(cash, content):
    with pytest.raises(InvalidSheet):
        take_in(content=content)


def test_a_table_of_many_takes_few_statements_and_one_entry_of_the_log(cash, scene, django_assert_max_num_queries):
    for number in range(40):
        has(scene.member(f"m{number}"), 1_000, cash)
    made = prepare(cash)

    with django_assert_max_num_queries(20):
        imported = take_in("id,reference", *[f"{each.pk},PAY-{each.pk}" for each in made])

    assert imported.settled == 40
    entry = AuditEntry.objects.get(action="payout.paid")
    assert (entry.target, entry.changes["amount"]) == ("payouts", 40_000)
    assert entry.changes["references"] == {str(each.pk): f"PAY-{each.pk}" for each in made}
    assert ledger.verify() == []

"""Whole tables, as streams of rows."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.exports.catalogue import EXPORTS
from analytics.tests import everything
from antifraud.models import Case
from core.db import execute
from core.http.pages import cursor_after
from events.models import Order
from rewards.models import Posting, Reward
from tenants import audit, context
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag
from tests.programs import program_of

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/exports"


@pytest.fixture
def shop(acme) -> Shop:
    return Shop()


@pytest.fixture
def warehouse(acme):
    return program_of(acme, "exports:read")


def text_of(answer):
    return b"".join(answer.streaming_content).decode()


def rows_of(answer):
    assert answer.status_code == 200, answer.content
    return [json.loads(line) for line in text_of(answer).splitlines()]


def many_orders(shop, count):
    """Let Anna have paid so many orders, one a minute."""
    shop.pays("anna", "5", order="first")
    execute(
        "INSERT INTO events_order (number, member_id, event_id, amount_minor, currency, refunded_minor, paid_at) "
        "SELECT 'order-' || n, member_id, event_id, 500, 'RUB', 0, paid_at + make_interval(mins => n) "
        "FROM events_order, generate_series(1, %(more)s) n",
        {"more": count - 1},
    )


@pytest.mark.parametrize("what", EXPORTS)
def test_every_export_has_its_rows_with_all_of_its_columns(warehouse, shop, what):
    everything.happens(shop)

    rows = rows_of(warehouse.get(f"{ADDRESS}/{what}"))

    shown = [column.name for column in EXPORTS[what].columns if column.name not in {"identities", "data"}]
    assert rows
    assert [list(row) for row in rows] == [shown] * len(rows)
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)


def test_what_can_be_exported_is_told_column_by_column(warehouse):
    found = {each["name"]: each for each in warehouse.get(ADDRESS).json()["data"]}

    assert list(found) == list(EXPORTS)
    assert found["orders"]["at"] == "paid_at"
    assert {"name": "order_id", "meaning": "Your order_id."} in found["orders"]["columns"]


def test_orders_and_postings_say_what_they_came_to(warehouse, shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop.pays("anna", "500", order="A-1")

    (order,) = rows_of(warehouse.get(f"{ADDRESS}/orders"))
    (posting,) = rows_of(warehouse.get(f"{ADDRESS}/postings"))
    (reward,) = rows_of(warehouse.get(f"{ADDRESS}/rewards"))

    assert (order["order_id"], order["external_id"], order["amount_minor"]) == ("A-1", "anna", 50_000)
    assert order["paid_at"] == "2026-03-17T12:00:00Z"
    assert (posting["source"], posting["target"], posting["target_external_id"]) == ("issue", "member", "anna")
    assert (posting["amount"], posting["reward_id"]) == (100, reward["id"])
    assert (reward["order_id"], reward["status"], reward["id"]) == ("A-1", "granted", Reward.objects.get().pk)
    assert Posting.objects.count() == 1


def test_a_case_names_its_rewards(warehouse, shop):
    make_campaign(rule={"recipient": "both"})
    flag(shop)

    (row,) = rows_of(warehouse.get(f"{ADDRESS}/cases"))

    assert (row["id"], row["status"]) == (Case.objects.get().pk, "open")
    assert row["rewards"] == list(Reward.objects.order_by("pk").values_list("pk", flat=True))


def test_thousands_of_rows_come_page_by_page_each_once(warehouse, shop):
    many_orders(shop, 2500)

    pages, address = [], f"{ADDRESS}/orders?limit=1000"
    while address:
        answer = warehouse.get(address)
        pages.append(rows_of(answer))
        address = answer.headers.get("Link", "").partition(">")[0].removeprefix("<http://acme.localhost")

    assert [len(page) for page in pages] == [1000, 1000, 500]
    ids = [row["id"] for page in pages for row in page]
    assert ids == list(Order.objects.order_by("pk").values_list("pk", flat=True))


def test_a_page_takes_as_many_statements_for_thousands_of_rows_as_for_one(warehouse, shop):
    many_orders(shop, 1)
    for _time in range(2):
        rows_of(warehouse.get(f"{ADDRESS}/orders"))
    with CaptureQueriesContext(connection) as of_one:
        rows_of(warehouse.get(f"{ADDRESS}/orders"))
    execute(
        "INSERT INTO events_order (number, member_id, event_id, amount_minor, currency, refunded_minor, paid_at) "
        "SELECT 'more-' || n, member_id, event_id, 500, 'RUB', 0, paid_at FROM events_order, generate_series(1, 3000) n"
    )

    with CaptureQueriesContext(connection) as of_many:
        assert len(rows_of(warehouse.get(f"{ADDRESS}/orders"))) == 3001

    assert len(of_many) == len(of_one)


def test_rows_are_not_held_in_memory_but_come_a_few_at_a_time(warehouse, shop):
    many_orders(shop, 2500)

    sizes = [part.count(b"\n") for part in warehouse.get(f"{ADDRESS}/orders").streaming_content]

    assert sizes == [500] * 5


def test_a_last_page_says_that_nothing_follows(warehouse, shop):
    many_orders(shop, 3)

    whole, cut = (warehouse.get(f"{ADDRESS}/orders", limit=limit) for limit in (3, 2))

    assert ("Link" in whole.headers, "X-Next-Cursor" in whole.headers) == (False, False)
    assert cut.headers["X-Next-Cursor"] in cut.headers["Link"]
    rest = warehouse.get(f"{ADDRESS}/orders", cursor=cut.headers["X-Next-Cursor"])
    assert [row["order_id"] for row in rows_of(rest)] == ["order-2"]


def test_a_cursor_of_one_table_is_refused_by_another_so_that_no_row_is_passed_over(warehouse, shop):
    many_orders(shop, 3)
    of_members = warehouse.get(f"{ADDRESS}/members").headers["X-Resume-Cursor"]
    of_any = cursor_after(1)  # As before tables were named.

    refused = warehouse.get(f"{ADDRESS}/orders", cursor=of_members)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_cursor")
    assert warehouse.get(f"{ADDRESS}/orders", cursor=of_any).status_code == 200


def test_a_window_is_as_long_as_one_asks(warehouse, shop):
    many_orders(shop, 10)
    since, until = NOON + timedelta(minutes=3), NOON + timedelta(minutes=5)

    rows = rows_of(warehouse.get(f"{ADDRESS}/orders", since=since.isoformat(), until=until.isoformat()))

    assert [row["order_id"] for row in rows] == ["order-3", "order-4"]


def test_csv_has_a_header_and_no_formulas(warehouse, shop):
    shop.pays("anna", "5", order="=1+1")
    shop.pays("anna", "5", order="@cmd")

    answer = warehouse.get(f"{ADDRESS}/orders", format="csv")

    header, *rows = csv.reader(io.StringIO(text_of(answer)))
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert header == [column.name for column in EXPORTS["orders"].columns]
    assert [row[header.index("order_id")] for row in rows] == ["'=1+1", "'@cmd"]
    assert rows[0][header.index("amount_minor")] == "500"


def test_an_empty_table_is_an_empty_answer(warehouse):
    assert text_of(warehouse.get(f"{ADDRESS}/orders")) == ""
    assert text_of(warehouse.get(f"{ADDRESS}/orders", format="csv")).count("\n") == 1


def test_what_members_are_known_by_wants_the_scope_to_read_them(acme, warehouse, shop):
    shop.joins({"external_id": "anna", "email": "anna@example.com", "card": "token-1", "ip": "203.0.113.7"})

    bare = text_of(warehouse.get(f"{ADDRESS}/members"))
    (row,) = rows_of(program_of(acme, "exports:read", "members:read").get(f"{ADDRESS}/members"))

    assert ("anna@example.com" in bare, "identities" in bare) == (False, False)
    assert row["identities"] == [{"kind": "email", "value": "anna@example.com"}]
    assert "identities" not in [each["name"] for each in warehouse.get(ADDRESS).json()["data"][0]["columns"]]


def test_what_was_reported_of_members_wants_the_scope_to_read_them_and_goes_with_them(acme, warehouse, shop):
    shop.report("custom.asked", "anna", label="of anna")
    shop.report("custom.asked", "boris", label="of boris")
    shop.handle()
    with_people = program_of(acme, "exports:read", "members:read")

    bare, before = text_of(warehouse.get(f"{ADDRESS}/events")), rows_of(with_people.get(f"{ADDRESS}/events"))
    assert program_of(acme, "members:write").delete("/api/v1/members/anna").status_code == 204
    after = rows_of(with_people.get(f"{ADDRESS}/events"))

    def labels(rows):
        return [row["data"] and row["data"]["label"] for row in rows if row["kind"] == "custom.asked"]

    assert ("of anna" in bare, "data" in bare) == (False, False)
    assert (labels(before), labels(after)) == (["of anna", "of boris"], [None, "of boris"])


def test_each_page_is_noted_in_the_audit_log(warehouse, shop):
    warehouse.get(f"{ADDRESS}/members", format="csv")

    entry = AuditEntry.objects.get(action="export.read")
    assert (entry.actor_kind, entry.target, entry.changes) == ("key", "export:members", {"format": "csv"})
    assert audit.verify() == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/orders?format=xml", 400, "invalid"),
        ("/orders?limit=10001", 400, "invalid"),
        ("/orders?cursor=x", 400, "invalid_cursor"),
        ("/orders?since=2100-01-01T00:00:00Z", 400, "invalid"),
        ("/secrets", 404, "unknown_export"),
    ],
)
def test_what_makes_no_sense_is_refused_as_a_problem(warehouse, path, status, code):
    answer = warehouse.get(f"{ADDRESS}{path}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not AuditEntry.objects.filter(action="export.read").exists()


def test_a_clock_that_is_a_little_ahead_asks_since_its_own_now(warehouse):
    ahead, further = (timezone.now() + timedelta(minutes=minutes) for minutes in (4, 6))

    assert warehouse.get(f"{ADDRESS}/orders", since=ahead.isoformat()).status_code == 200
    refused = warehouse.get(f"{ADDRESS}/orders", since=further.isoformat())
    assert (refused.status_code, [each["parameter"] for each in refused.json()["errors"]]) == (400, ["since"])


def test_another_tenant_exports_nothing_of_ours(bolt, shop):
    everything.happens(shop)
    stranger = program_of(bolt, "exports:read", "members:read")

    found = {what: rows_of(stranger.get(f"{ADDRESS}/{what}")) for what in EXPORTS}

    # What every tenant begins with.
    assert [each["code"] for each in found.pop("assets")] == ["points"]
    assert {what: rows for what, rows in found.items() if rows} == {}
    assert len(found) == len(EXPORTS) - 1


def test_a_stream_stays_with_its_tenant_whoever_is_current_while_it_is_read(warehouse, shop):
    many_orders(shop, 1200)

    answer = warehouse.get(f"{ADDRESS}/orders")
    with context.in_tenant("t_bolt"):
        told = text_of(answer)

    assert told.count("\n") == 1200
    assert context.current().slug == "acme"


@pytest.mark.parametrize("path", ["", "/members"])
def test_an_export_wants_its_scope(acme, path):
    answer = program_of(acme, "members:read", "rewards:read").get(f"{ADDRESS}{path}")

    assert (answer.status_code, answer.json()["required_scope"]) == (403, "exports:read")

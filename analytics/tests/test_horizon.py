"""No row is passed over by who reads a table by its ids, however late it is committed."""

import threading
import time
from contextlib import contextmanager, suppress

import pytest
from django.db import connections

from analytics.exports import horizon
from analytics.exports.catalogue import EXPORTS
from core.db import execute, fetch, savepoint, transaction
from events.models import Order
from tenants import context
from tests.cast import Shop
from tests.programs import program_of

ORDERS, EVENTS = "/api/v1/exports/orders", "/api/v1/exports/events"
NEW_ORDER = """
INSERT INTO events_order (number, member_id, event_id, amount_minor, currency, refunded_minor, paid_at)
SELECT %(number)s, member_id, event_id, 500, 'RUB', 0, paid_at FROM events_order ORDER BY id LIMIT 1
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(acme) -> Shop:
    shop = Shop()
    shop.pays("anna", "5", order="first")
    return shop


@pytest.fixture
def warehouse(shop, acme):
    return program_of(acme, "exports:read")


@contextmanager
def somebody(act, *, lasts=None):
    """
    Have `act` done by another connection, whose transaction is open within the block.

    It ends with the block, or after `lasts` seconds of it.
    """
    is_done, may_end = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with context.in_tenant("t_acme"), transaction():
                act()
                is_done.set()
                may_end.wait(timeout=lasts or 30)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert is_done.wait(timeout=10)
    try:
        yield
    finally:
        may_end.set()
        thread.join(timeout=10)


def order(number):
    return lambda: execute(NEW_ORDER, {"number": number})


def numbers_of(answer):
    assert answer.status_code == 200, answer.content
    lines = b"".join(answer.streaming_content).decode().splitlines()
    return [line.partition('"order_id":"')[2].partition('"')[0] for line in lines]


def resumed(answer):
    return answer.headers["X-Resume-Cursor"]


def test_a_row_that_is_committed_late_comes_before_those_with_higher_ids(warehouse):
    with somebody(order("slow"), lasts=0.5):
        order("quick")()
        answer = warehouse.get(ORDERS)

    assert numbers_of(answer) == ["first", "slow", "quick"]
    assert [each.number for each in Order.objects.order_by("pk")] == ["first", "slow", "quick"]


def test_who_goes_on_where_they_were_is_given_each_row_once(warehouse):
    seen = numbers_of(before := warehouse.get(ORDERS))
    with somebody(order("slow"), lasts=0.4):
        order("quick")()
        seen += numbers_of(answer := warehouse.get(ORDERS, cursor=resumed(before)))
    order("last")()
    seen += numbers_of(answer := warehouse.get(ORDERS, cursor=resumed(answer)))
    seen += numbers_of(warehouse.get(ORDERS, cursor=resumed(answer)))

    assert seen == ["first", "slow", "quick", "last"]


def test_who_came_before_there_was_anything_goes_on_from_there(acme):
    warehouse = program_of(acme, "exports:read")
    nothing = warehouse.get(ORDERS)
    again = warehouse.get(ORDERS, cursor=resumed(nothing))
    Shop().pays("anna", "5", order="first")

    assert (numbers_of(nothing), numbers_of(again)) == ([], [])
    assert numbers_of(warehouse.get(ORDERS, cursor=resumed(again))) == ["first"]


def test_a_transaction_that_was_numbered_before_it_drew_an_id_is_waited_for(warehouse):
    # Its number is lower than that of whoever drew an id before: ordering rows by such numbers would lose "early".
    def numbered_then_late() -> None:
        fetch("SELECT pg_current_xact_id()::text AS number")
        late.wait(timeout=10)
        order("late")()

    late = threading.Event()
    later = _start(numbered_then_late)
    time.sleep(0.2)
    with somebody(order("early"), lasts=0.6):
        late.set()
        later.join(timeout=10)
        answer = warehouse.get(ORDERS)

    assert numbers_of(answer) == ["first", "early", "late"]


def _start(act):
    def run() -> None:
        try:
            with context.in_tenant("t_acme"), transaction():
                act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_an_id_that_was_drawn_and_not_yet_used_is_waited_for(warehouse):
    drawn = []

    def draw_and_insert() -> None:
        drawn.append(fetch("SELECT nextval(pg_get_serial_sequence('events_order', 'id')) AS id")[0].id)

    with somebody(draw_and_insert):
        order("higher")()
        with pytest.raises(horizon.StillWriting):
            horizon.find(table="events_order", seconds_max=0.2)

    assert horizon.find(table="events_order") == Order.objects.latest("pk").pk > drawn[0]


def test_who_begins_to_write_meanwhile_is_not_waited_for(warehouse):
    until = horizon.find(table="events_order")
    stop = threading.Event()
    writing = _start_writer(stop)
    try:
        began = time.monotonic()
        found = [horizon.find(table="events_order") for _time in range(5)]
        took = time.monotonic() - began
    finally:
        stop.set()
        writing.join(timeout=10)

    assert found == sorted(found)
    assert found[-1] > until
    assert took < 5 * horizon.SECONDS_MAX / 2


def _start_writer(stop):
    """Write one order after another, each in a transaction of its own."""

    def write() -> None:
        try:
            with context.in_tenant("t_acme"):
                number = 0
                while not stop.is_set():
                    number += 1
                    with transaction():
                        execute(NEW_ORDER, {"number": f"busy-{number}"})
                        time.sleep(0.01)
        finally:
            connections.close_all()

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.2)
    return thread


def test_who_takes_too_long_is_told_to_the_reader_and_nothing_is_lost(warehouse, monkeypatch):
    monkeypatch.setattr(horizon.find, "__kwdefaults__", {"seconds_max": 0.1})
    before = warehouse.get(ORDERS)
    with somebody(order("slow")):
        order("quick")()
        refused = warehouse.get(ORDERS, cursor=resumed(before))

    assert (refused.status_code, refused.json()["code"]) == (503, "still_writing")
    assert refused.headers["Retry-After"] == "5"
    assert numbers_of(warehouse.get(ORDERS, cursor=resumed(before))) == ["slow", "quick"]


def test_who_is_rolled_back_leaves_a_gap_and_no_more(warehouse):
    class Enough(Exception):
        pass

    def begin_and_give_up() -> None:
        with transaction():
            order("never")()
            raise Enough

    with pytest.raises(Enough):
        begin_and_give_up()

    assert numbers_of(warehouse.get(ORDERS)) == ["first"]


def test_writers_of_another_table_and_of_another_tenant_are_nobodys_business(warehouse, bolt):
    def of_bolt() -> None:
        with context.in_tenant("t_bolt"):
            fetch("SELECT nextval(pg_get_serial_sequence('events_order', 'id'))")

    def of_events() -> None:
        fetch("SELECT nextval(pg_get_serial_sequence('events_event', 'id'))")

    with somebody(of_bolt), somebody(of_events):
        assert horizon.find(table="events_order", seconds_max=0) == Order.objects.latest("pk").pk
        with pytest.raises(horizon.StillWriting):
            horizon.find(table="events_event", seconds_max=0.1)


@pytest.mark.parametrize("what", EXPORTS)
def test_every_table_has_its_sequence(shop, what):
    table = EXPORTS[what].table
    (row,) = fetch(f"SELECT coalesce(max(id), 0) AS last FROM {table}")

    assert horizon.find(table=table, seconds_max=0) >= row.last


@pytest.mark.parametrize("what", EXPORTS)
def test_no_connection_draws_ids_ahead_of_the_lock_that_tells_of_them(shop, what):
    # Whoever kept some for later would use them without whoever looked in between knowing.
    table = EXPORTS[what].table
    (row,) = fetch(
        f"SELECT seqcache FROM pg_sequence WHERE seqrelid = pg_get_serial_sequence('{table}', 'id')::regclass"
    )

    assert row.seqcache == 1


def test_whose_savepoint_was_rolled_back_is_waited_for_as_long_as_they_are_at_it(warehouse):
    class Enough(Exception):
        pass

    def try_once_more() -> None:
        with suppress(Enough), savepoint():
            order("never")()
            raise Enough

    with somebody(try_once_more), pytest.raises(horizon.StillWriting):
        horizon.find(table="events_order", seconds_max=0.2)

from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import Failure
from events import inbox
from events.inbox import KeyReused, OrderAlreadyReported, RefundAlreadyReported, Taken
from events.models import Event
from events.tests.bodies import NOON, joined, order, report

pytestmark = pytest.mark.django_db


def record(*bodies):
    return inbox.record(reports=[report(body) for body in bodies], at=NOON)


def told(outcomes: Sequence[Taken | Failure]) -> list[str]:
    """Return what became of each: new, repeat, or the failure's code."""
    return [("repeat" if each.is_repeat else "new") if isinstance(each, Taken) else each.code for each in outcomes]


def refund(refund_id="1", *, key="refund-1", order_id="1001"):
    data = {"order_id": order_id, "refund_id": refund_id, "amount_minor": 100}
    return joined(key) | {"kind": "order.refunded", "data": data}


def test_an_event_is_stored_as_it_was_reported():
    (taken,) = record(order("1001", occurred_at="2026-02-28T12:00:00Z"))

    event = Event.objects.get()
    assert taken == Taken(id=event.pk, key="paid-1001", is_repeat=False)
    assert (event.source, event.key, event.kind, event.business_key) == (
        "api",
        "paid-1001",
        "order.paid",
        "order.paid:1001",
    )
    assert event.data == {"order_id": "1001", "amount_minor": 4990, "currency": "RUB"}
    assert event.identities == [{"kind": "external_id", "lookup": "anna", "value": "anna"}]
    assert (event.occurred_at.isoformat(), event.received_at) == ("2026-02-28T12:00:00+00:00", NOON)
    assert (event.status, event.attempts, event.trace, event.member_id, event.depth) == ("waiting", 0, [], None, 0)
    assert not event.is_history


def test_a_repeat_is_the_first_event_again():
    (first,) = record(joined())

    assert record(joined()) == [Taken(id=first.id, key=first.key, is_repeat=True)]
    assert Event.objects.count() == 1


def test_a_key_given_to_another_event_is_refused():
    (first,) = record(joined())

    (failure,) = record(joined(data={"code": "X"}))

    assert isinstance(failure, KeyReused)
    assert failure.extra == {"event_id": first.id, "key": "joined-1"}
    assert Event.objects.get().data == {}


def test_an_order_is_paid_once_whatever_the_key():
    (first,) = record(order("1001"))

    (failure,) = record(order("1001", key="another"))

    assert isinstance(failure, OrderAlreadyReported)
    assert failure.extra == {"event_id": first.id, "key": "paid-1001"}
    assert Event.objects.count() == 1


def test_a_refund_counts_once_for_its_order():
    assert told(record(refund(), refund("2", key="refund-2"), refund(key="refund-3", order_id="1002"))) == ["new"] * 3

    (failure,) = record(refund(key="another"))

    assert isinstance(failure, RefundAlreadyReported)


def test_of_one_key_in_a_request_the_first_event_is_taken():
    outcomes = record(joined("k", data={"code": "A"}), joined("k", data={"code": "A"}), joined("k"), joined("other"))

    assert told(outcomes) == ["new", "repeat", "key_reused", "new"]
    assert outcomes[1].id == outcomes[0].id
    assert Event.objects.get(key="k").data == {"code": "A"}


@pytest.mark.parametrize("keys", [("a", "b"), ("b", "a")])
def test_of_one_order_in_a_request_the_first_event_is_taken(keys):
    outcomes = record(*(order("1001", key=key) for key in keys))

    assert told(outcomes) == ["new", "order_already_reported"]
    assert Event.objects.get().key == keys[0]


@pytest.mark.parametrize("orders", [("1", "2"), ("2", "1")])
def test_of_one_key_for_two_orders_the_first_is_taken(orders):
    assert told(record(*(order(number, key="k") for number in orders))) == ["new", "key_reused"]
    assert Event.objects.get().data["order_id"] == orders[0]


def test_a_key_whose_first_event_is_refused_is_free_for_the_next():
    record(order("1001"))

    assert told(record(order("1001", key="k"), order("1002", key="k"), order("1003", key="k"))) == [
        "order_already_reported",
        "new",
        "key_reused",
    ]


def test_an_order_whose_first_event_is_refused_is_free_for_the_next():
    record(joined("k"))

    assert told(record(order("1001", key="k"), order("1001", key="other"))) == ["key_reused", "new"]


def test_events_are_numbered_in_the_order_of_the_request():
    bodies = [joined("z"), order("9"), joined("a"), order("1"), joined("m")]

    outcomes = record(*bodies)

    assert list(Event.objects.order_by("id").values_list("key", flat=True)) == [body["key"] for body in bodies]
    assert [each.id for each in outcomes] == sorted(each.id for each in outcomes)


@pytest.mark.parametrize(
    ("bodies", "statements"),
    [
        ([], 0),
        ([joined()], 1),
        ([joined("known")], 2),
        ([joined(f"new-{n}") for n in range(500)], 1),
        ([*(joined(f"new-{n % 250}") for n in range(498)), joined("known"), order("7", key="new")], 2),
    ],
)
def test_the_number_of_statements_does_not_grow(bodies, statements):
    record(joined("known"), order("7"))
    reports = [report(body) for body in bodies]

    with CaptureQueriesContext(connection) as queries:
        inbox.record(reports=reports, at=NOON)

    assert len(queries) == statements


def test_nothing_of_one_tenant_is_known_in_another(bolt):
    record(joined(), order("1001"))
    acme = connection.tenant

    connection.set_tenant(bolt)
    assert told(record(joined(), order("1001"))) == ["new", "new"]

    connection.set_tenant(acme)
    assert Event.objects.count() == 2

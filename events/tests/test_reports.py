from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from events.reports import InvalidEvent, Sender, instant_of, read
from events.tests.bodies import ACME, ACME_WITH_BACKFILL, NOON, joined, order, report, with_data
from members.normalise import RawCardNumber

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def refused(body, *, sender=ACME):
    """Return where a body is wrong."""
    with pytest.raises(InvalidEvent) as caught:
        read(body=body, sender=sender, at=NOON)
    return [error["pointer"] for error in caught.value.errors]


def at(instant):
    return order(occurred_at=instant.isoformat())


# What


def test_a_body_becomes_a_report():
    found = report(order("1001", key=" paid-1 ", occurred_at="2026-03-01T14:30:00+03:00"))

    assert (found.key, found.kind, found.business_key) == ("paid-1", "order.paid", "order.paid:1001")
    assert found.occurred_at == datetime(2026, 3, 1, 11, 30, tzinfo=UTC)
    assert found.data == {"order_id": "1001", "amount_minor": 4990, "currency": "RUB"}
    assert [(one.kind, one.lookup) for one in found.identities] == [("external_id", "anna")]
    assert not found.is_history


def test_an_event_may_have_no_data():
    assert report(joined()).data == {}


def test_an_order_id_is_trimmed_so_that_it_counts_once():
    assert report(order(" 1001 ")).business_key == "order.paid:1001"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([], [""]),
        ({}, ["/key", "/kind", "/member"]),
        (joined(key=7), ["/key"]),
        (joined("x" * 201), ["/key"]),
        (joined("a\tb"), ["/key"]),
        (joined(kind="member.left"), ["/kind"]),
        (joined(kind=None), ["/kind"]),
        (joined(kind="custom.Quiz"), ["/kind"]),
        (joined(member="anna"), ["/member"]),
        (joined(member=None), ["/member"]),
        (joined(data=[]), ["/data"]),
        (joined(data=None), ["/data"]),
        (joined(id=7), ["/id"]),
        (joined(**{"a/b": 7}), ["/a~1b"]),
        (joined(data={"utm": {"sauce": "bot"}}), ["/data/utm/sauce"]),
        (joined(data={"ref": "X"}), ["/data/ref"]),
        (joined(kind="order.paid"), ["/data/order_id", "/data/amount_minor", "/data/currency"]),
        (with_data(order(), amount_minor=-1), ["/data/amount_minor"]),
        (with_data(order(), amount_minor=10**12 + 1), ["/data/amount_minor"]),
        (with_data(order(), amount_minor="4990"), ["/data/amount_minor"]),
        (with_data(order(), currency="rub"), ["/data/currency"]),
        (with_data(order(), order_id=1001), ["/data/order_id"]),
        (with_data(order(), items=[{"sku": "A", "quantity": 0}]), ["/data/items/0/quantity"]),
        (with_data(order(), items=[{"sku": "A", "quantity": 1}] * 201), ["/data/items"]),
        (
            joined(kind="order.refunded", data={"order_id": "1", "refund_id": "1", "amount_minor": 0}),
            ["/data/amount_minor"],
        ),
        (joined(data={"extra": {"a": "x" * 4096}}), ["/data/extra"]),
        (joined(kind="custom.quiz", data={"a": "x" * 16384}), ["/data"]),
    ],
)
def test_what_is_wrong_is_pointed_at(body, expected):
    assert refused(body) == expected


def test_all_that_is_wrong_is_said_at_once():
    body = with_data(order(occurred_at="today", member={"email": "x"}), currency="?", colour="red")

    assert sorted(refused(body)) == ["/data/colour", "/data/currency", "/member/email", "/occurred_at"]


def test_no_more_is_said_than_can_be_read():
    assert len(refused(joined(data={f"field_{n}": n for n in range(500)}))) == 20


def test_a_custom_event_holds_what_it_likes():
    data = {"value": 10, "answers": [{"q": 1, "a": None}], "Ä": 1.5}

    assert report(joined(kind="custom.quiz_done", data=data)).data == data


def test_much_data_in_items_is_bounded_as_a_whole():
    items = [{"sku": "x" * 100, "name": "ж" * 200, "quantity": 1}] * 40

    assert refused(with_data(order(), items=items)) == ["/data"]


def test_what_a_visitors_browser_sends_never_loses_the_event():
    data = {"code": "x" * 999, "channel": "c" * 99, "utm": {"source": "s" * 999, "term": ""}, "click_id": "\x07"}

    assert report(joined(data=data)).data == {
        "code": "x" * 200,
        "channel": "c" * 50,
        "utm": {"source": "s" * 200},
        "click_id": "\x07",
    }


# Whom


def test_personal_values_are_sealed():
    found = report(joined(member={"email": "Anna@Example.com", "card": "tok_1"}))

    assert [one.kind for one in found.identities] == ["email", "card", "email_alike"]
    assert "anna@example.com" not in repr(found).lower()


def test_an_address_and_what_a_bot_knows_are_taken_with_a_signup():
    told = {"telegram_username": False, "telegram_photo": True}
    found = report(joined(member={"external_id": "anna", "ip": "203.0.113.7"}, data=told))

    assert [one.kind for one in found.identities] == ["external_id", "ip", "subnet"]
    assert found.data == told


@pytest.mark.parametrize("value", [0, "false", None])
def test_what_a_bot_knows_is_yes_or_no(value):
    with pytest.raises(InvalidEvent) as refused:
        report(joined(data={"telegram_photo": value}))

    assert [error["pointer"] for error in refused.value.errors] == ["/data/telegram_photo"]


def test_the_number_of_a_card_is_refused_with_its_place():
    with pytest.raises(RawCardNumber) as caught:
        report(joined(member={"external_id": "anna", "card": "4111 1111 1111 1111"}))

    assert [error["pointer"] for error in caught.value.errors] == ["/member/card"]


def test_a_phone_is_read_as_in_the_tenants_country():
    here = report(joined(member={"phone": "8 921 123-45-67"}))
    abroad = report(
        joined(member={"phone": "+7 921 1234567"}), sender=Sender(schema="t_acme", region="US", may_backfill=False)
    )

    assert here.identities[0].lookup == abroad.identities[0].lookup


def test_a_place_in_a_batch_is_part_of_each_pointer():
    with pytest.raises(Invalid) as caught:
        read(body=joined(member={"email": "x"}), sender=ACME, pointer="/events/7", at=NOON)

    assert [error["pointer"] for error in caught.value.errors] == ["/events/7/member/email"]


# When


def test_an_event_without_an_instant_occurs_now():
    assert report(joined()).occurred_at == NOON


@pytest.mark.parametrize(
    ("age", "sender", "is_taken"),
    [
        (-5 * MINUTE, ACME, True),
        (-5 * MINUTE - timedelta(microseconds=1), ACME, False),
        (90 * DAY, ACME, True),
        (90 * DAY + timedelta(microseconds=1), ACME, False),
        (90 * DAY + timedelta(microseconds=1), ACME_WITH_BACKFILL, True),
        (1827 * DAY, ACME_WITH_BACKFILL, True),
        (1827 * DAY + timedelta(microseconds=1), ACME_WITH_BACKFILL, False),
        (-5 * MINUTE - timedelta(microseconds=1), ACME_WITH_BACKFILL, False),
    ],
)
def test_instants_are_bounded_and_the_bounds_belong_to_them(age, sender, is_taken):
    if is_taken:
        assert report(at(NOON - age), sender=sender).occurred_at == NOON - age
    else:
        assert refused(at(NOON - age), sender=sender) == ["/occurred_at"]


@pytest.mark.parametrize(
    ("age", "sender", "is_history"),
    [
        (DAY, ACME_WITH_BACKFILL, False),
        (DAY + timedelta(microseconds=1), ACME_WITH_BACKFILL, True),
        (DAY + timedelta(microseconds=1), ACME, False),
    ],
)
def test_history_is_what_a_backfilling_key_sends_late(age, sender, is_history):
    assert report(at(NOON - age), sender=sender).is_history is is_history


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:00:00",
        "2026-03-01",
        "2026-W09-7T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-03-01T12:00:60Z",
        "0001-01-01T00:00:00+23:00",
        "２０２６-03-01T12:00:00Z",
        "now",
        "",
        1772366400,
        None,
    ],
)
def test_an_instant_names_its_day_and_its_zone(text):
    assert instant_of(text) is None


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00Z", "2026-03-01t12:00:00.000z", "2026-03-01 15:00:00+03", "2026-03-01T07:00:00.0-0500"]
)
def test_instants_are_read_as_people_write_them(text):
    assert instant_of(text) == NOON


@given(st.timedeltas(timedelta(0), timedelta(days=40_000)), st.integers(-14 * 60, 14 * 60))
def test_every_instant_is_read_back_from_every_zone(age, offset_minutes):
    instant = (NOON - age).astimezone(timezone(timedelta(minutes=offset_minutes)))

    assert instant_of(instant.isoformat()) == instant


# The same again


def test_the_order_of_members_does_not_make_another_event():
    body = order()

    assert report(dict(reversed(body.items()))).fingerprint == report(body).fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"occurred_at": NOON.isoformat()},
        {"member": {"external_id": "boris"}},
        {"data": with_data(order(), coupon="X")["data"]},
    ],
)
def test_anything_else_makes_another_event(changes):
    assert report(order() | changes).fingerprint != report(order()).fingerprint


def test_a_repeat_without_an_instant_is_the_same_event_later():
    assert report(joined(), at=NOON + MINUTE).fingerprint == report(joined()).fingerprint


def test_fingerprints_of_two_tenants_cannot_be_compared():
    bolt = Sender(schema="t_bolt", region="US", may_backfill=False)

    assert report(joined(), sender=bolt).fingerprint != report(joined()).fingerprint

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.db import transaction
from events import facts
from events.facts import Fact
from events.models import Event
from events.tests.bodies import joined, order
from members import erasing, merging
from members.models import Member
from tenants import context
from tests.cast import Shop
from tests.programs import Program, program_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

MISSED = {
    "campaign_id": 1,
    "campaign": "Spring",
    "rule_id": 1,
    "version": 1,
    "side": "actor",
    "outcome": "missed",
    "code": "campaign_paused",
    "params": {},
}


@pytest.fixture
def shop(acme):
    return program_of(acme, "events:write", "events:read")


@pytest.fixture
def event_id(shop):
    return shop.post(joined()).json()["id"]


def test_an_event_that_waits_has_no_trace_yet(shop, event_id):
    response = shop.get(f"/api/v1/events/{event_id}")

    told = response.json()
    assert response.status_code == 200
    assert (told["id"], told["key"], told["status"], told["member"], told["trace"]) == (
        event_id,
        "joined-1",
        "waiting",
        None,
        [],
    )


def test_the_trace_says_why_in_words(shop, event_id):
    Event.objects.update(status="handled", trace=[MISSED])

    (entry,) = shop.get(f"/api/v1/events/{event_id}").json()["trace"]

    assert entry.pop("sentence")
    assert entry == MISSED


def test_it_takes_one_statement(shop, event_id):
    with CaptureQueriesContext(connection) as queries:
        shop.get(f"/api/v1/events/{event_id}")

    assert len(queries) == 1


@pytest.mark.parametrize("number", [0, 10**18, 10**30])
def test_there_is_no_event_of_another_number(shop, event_id, number):
    response = shop.get(f"/api/v1/events/{number}")

    assert (response.status_code, response.json()["code"]) == (404, "unknown_event")


def test_the_events_of_one_tenant_are_nothing_in_another(bolt, event_id):
    response = program_of(bolt, "events:read").get(f"/api/v1/events/{event_id}")

    assert response.status_code == 404


def test_the_key_needs_the_scope(acme, event_id):
    response = program_of(acme, "events:write").get(f"/api/v1/events/{event_id}")

    assert (response.status_code, response.json()["code"]) == (403, "missing_scope")


# What it tells


@pytest.fixture
def reader(acme) -> Program:
    return program_of(acme, "events:read", "members:read")


def data_of(program: Program, event_id: int) -> Any:
    response = program.get(f"/api/v1/events/{event_id}")
    assert response.status_code == 200
    return response.json()["data"]


def test_what_was_reported_is_read_back(shop, reader):
    told = {**order()["data"], "items": [{"sku": "VINYL-042", "quantity": 2}], "extra": {"till": {"number": 7}}}
    event_id = shop.post(order(data=told)).json()["id"]

    assert data_of(reader, event_id) == told


def test_what_we_recorded_is_read_too(reader):
    told = {"measure": "count", "used": 500, "max": 500, "period": "ever"}
    with transaction():
        facts.record(facts=[Fact("limit.used_up", "limit:1", told)], at=NOON)

    assert data_of(reader, Event.objects.get().pk) == told


def test_a_key_that_may_not_read_of_people_is_told_no_data(shop):
    event_id = shop.post(joined(kind="custom.call", data={"phone": "+79990000001"})).json()["id"]

    response = shop.get(f"/api/v1/events/{event_id}")

    assert (response.status_code, response.json()["data"]) == (200, None)
    assert "9990000001" not in response.content.decode()


def test_who_is_known_by_what_is_not_told_with_the_data(shop, reader):
    body = joined(member={"external_id": "anna", "email": "anna@example.com", "phone": "+79990000001"})
    event_id = shop.post(body).json()["id"]

    answer = reader.get(f"/api/v1/events/{event_id}")

    assert answer.json()["data"] == {}
    assert not [each for each in ("anna@example.com", "9990000001") if each in answer.content.decode()]


def test_nothing_is_told_of_what_was_put_into_the_events_of_somebody_erased(reader):
    shop = Shop()
    call = shop.tells("custom.call", "anna", phone="+79990000001")
    other = shop.tells("custom.call", "boris", phone="+79990000002")
    anna = Member.objects.get(pk=shop.id_of("anna"))
    assert data_of(reader, call.pk) == {"phone": "+79990000001"}

    with transaction():
        erasing.erase(member=anna, actor_kind="staff", actor="marta", at=shop.at)

    assert data_of(reader, call.pk) is None
    assert "9990000001" not in reader.get(f"/api/v1/events/{call.pk}").content.decode()
    assert data_of(reader, other.pk) == {"phone": "+79990000002"}


def test_what_was_told_of_somebody_who_was_merged_goes_when_the_other_is_erased(reader):
    shop = Shop()
    call = shop.tells("custom.call", "boris", phone="+79990000002")
    shop.joins("anna")
    into, away = (Member.objects.get(pk=shop.id_of(name)) for name in ("anna", "boris"))
    merging.merge(into=into, away=away, actor_kind="staff", actor="marta", at=shop.at)
    assert data_of(reader, call.pk) == {"phone": "+79990000002"}

    with transaction():
        erasing.erase(member=into, actor_kind="staff", actor="marta", at=shop.at)

    assert data_of(reader, call.pk) is None


def test_another_tenant_reads_none_of_it(bolt, shop, event_id):
    response = program_of(bolt, "events:read", "members:read").get(f"/api/v1/events/{event_id}")

    assert (response.status_code, response.json()["code"]) == (404, "unknown_event")
    with context.in_tenant("t_acme"):
        assert Event.objects.get().pk == event_id

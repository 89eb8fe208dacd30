import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.models import Event
from events.tests.bodies import joined
from tests.programs import program_of

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

"""Limits as a program meets them."""

import socket
import time
from datetime import UTC, datetime

import pytest

from core import valkey
from events.models import Event
from tenants import keys, rates
from tenants.models import Tenant
from tests.programs import Program

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def event(number: int) -> dict[str, object]:
    return {"key": f"e-{number}", "kind": "check_in", "member": {"external_id": "anna"}}


def program_of(tenant, *scopes, **wish) -> Program:
    found = {"environment": "live", "name": "Till", "scopes": scopes or ["events:write", "events:read"]} | wish
    __, full = keys.issue(tenant=tenant, **found, at=NOW)
    return Program(full, host="acme.localhost")


def told(answer) -> tuple[int, ...]:
    return tuple(int(answer[name]) for name in HEADERS)


@pytest.fixture(autouse=True)
def _five_a_second(settings):
    settings.API_REQUESTS_A_SECOND = 5
    rates.breaker.reset()
    yield
    rates.breaker.reset()


def test_every_answer_says_how_many_requests_are_left(acme):
    program = program_of(acme)

    answers = [
        program.get(),
        program.post(event(1)),
        program.post({"key": "no-kind"}),
        program.post("{", content_type="application/json"),
        program.get("/api/v1/events/999999999"),
        program.get("/api/v1/members/nobody"),
        program.delete("/api/v1/events"),
    ]

    assert [answer.status_code for answer in answers] == [200, 202, 400, 400, 404, 403, 405]
    assert {told(answer)[0] for answer in answers} == {10}
    left = [told(answer)[1] for answer in answers]
    assert left == sorted(left, reverse=True)
    assert left[0] == 9
    assert {told(answer)[2] for answer in answers} <= {1, 2}


def test_whoever_asks_too_often_is_told_when_to_ask_again_and_nothing_is_done(acme):
    program = program_of(acme, requests_a_second_max=1)
    taken = [program.post(event(number)) for number in range(2)]

    refused = program.post(event(3))

    assert [answer.status_code for answer in taken] == [202, 202]
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (429, "rate_limited", "1")
    assert refused["Content-Type"] == "application/problem+json"
    assert told(refused)[:2] == (2, 0)
    assert Event.objects.count() == 2


def test_a_refusal_takes_no_statement(acme, django_assert_num_queries):
    program = program_of(acme, requests_a_second_max=1)
    for number in range(2):
        program.post(event(number))

    with django_assert_num_queries(0):
        assert program.post(event(3)).status_code == 429


def test_the_days_events_are_counted_in_batches_too(acme, settings):
    settings.API_EVENTS_A_DAY = 3
    program = program_of(acme)
    assert program.post({"events": [event(1), event(2)]}).status_code == 202

    refused = program.post({"events": [event(3), event(4)]})

    assert (refused.status_code, refused.json()["code"]) == (429, "quota_used_up")
    assert (refused.json()["quota"], refused.json()["limit"]) == ("events", 3)
    assert int(refused["Retry-After"]) == told(refused)[2]
    assert told(refused)[:2] == (3, 1)
    assert Event.objects.count() == 2
    assert program.post(event(5)).status_code == 202
    # Reading is not concerned.
    assert program.get().status_code == 200


def test_a_body_that_cannot_be_read_is_a_request_all_the_same(acme):
    program = program_of(acme, requests_a_second_max=1)

    statuses = [program.post("{", content_type="application/json").status_code for _ in range(3)]

    assert statuses == [400, 400, 429]


def test_another_tenant_notices_nothing(acme, bolt, settings):
    settings.API_REQUESTS_A_DAY = 1
    program = program_of(acme)
    __, full = keys.issue(tenant=bolt, environment="live", name="x", scopes=["events:read"], at=NOW)
    program.get()

    assert program.get().json()["code"] == "quota_used_up"
    assert Program(full, host="bolt.localhost").get().status_code == 200


def test_the_sandbox_has_a_day_of_its_own(acme, settings):
    settings.API_REQUESTS_A_DAY = 1
    live, test = program_of(acme), program_of(acme, environment="sandbox")
    assert [live.get().status_code, live.get().status_code] == [200, 429]

    assert test.get().status_code == 200


def test_a_sandbox_whose_clock_is_ahead_has_no_more_than_others(acme):
    Tenant.objects.filter(live=acme).update(clock_ahead="400 days")
    program = program_of(acme, environment="sandbox", requests_a_second_max=1)

    assert [program.get().status_code for _ in range(3)] == [200, 200, 429]


def test_without_valkey_requests_pass_and_say_nothing_of_limits(acme, settings, caplog):
    settings.CACHES = {**settings.CACHES, "default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere.sock"}}
    program = program_of(acme, requests_a_second_max=1)

    answers = [program.get() for _ in range(20)]

    assert {answer.status_code for answer in answers} == {200}
    assert not any(name in answers[0] for name in HEADERS)
    told_of = [record for record in caplog.records if record.name == "tenants.rates"]
    assert [record.levelname for record in told_of] == ["ERROR"]


def test_a_valkey_that_does_not_answer_costs_one_request_a_quarter_of_a_second(acme, settings, tmp_path):
    # It takes what it is sent, and says nothing.
    path = str(tmp_path / "mute.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)
    settings.CACHES = {**settings.CACHES, "default": {**settings.CACHES["default"], "LOCATION": f"unix://{path}"}}
    program = program_of(acme)
    began = time.monotonic()

    statuses = {program.get().status_code for _ in range(10)}

    took = time.monotonic() - began
    listener.close()
    assert statuses == {200}
    assert valkey.TIMEOUT_SECONDS <= took < valkey.TIMEOUT_SECONDS + 1


def page_of(tenant) -> Program:
    wish = {"kind": "publishable", "scopes": ["clicks:write"], "allowed_origins": ["https://shop.example.com"]}
    page = program_of(tenant, **wish)
    page.headers["Origin"] = "https://shop.example.com"
    return page


def test_a_key_that_may_not_report_events_takes_nothing_of_their_quota(acme, settings):
    settings.API_EVENTS_A_DAY = 3
    program, page = program_of(acme), page_of(acme)

    refused = page.post({"events": [event(number) for number in range(3)]})

    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert program.post({"events": [event(number) for number in range(3)]}).status_code == 202
    assert Event.objects.count() == 3


def test_a_visitor_has_one_bucket_for_all_addresses_of_their_network(acme, settings):
    settings.API_REQUESTS_A_SECOND_OF_VISITOR = 1
    page = page_of(acme)

    def ask(address):
        return page.client.get("/api/v1/key", headers=page.headers, REMOTE_ADDR=address).status_code

    assert [ask(f"2001:db8:0:1::{number}") for number in range(1, 4)] == [200, 200, 429]
    assert ask("2001:db8:0:2::1") == 200


def test_what_is_too_long_to_be_a_batch_does_not_use_up_the_day(acme, settings):
    settings.API_EVENTS_A_DAY = 600
    program = program_of(acme)

    refused = [program.post({"events": [event(1)] * 501}) for _ in range(2)]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(400, "invalid_batch")] * 2
    assert program.post(event(1)).status_code == 202

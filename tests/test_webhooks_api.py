"""Webhooks as a program sets them up: /api/v1/webhooks."""

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.models import Event
from integrations.models import Delivery, Endpoint
from integrations.webhooks import endpoints, kinds
from tenants import context
from tenants.staff.models import AuditEntry
from tests.callers import ALL, URL, Caller, happen, problem
from tests.cast import NOON
from tests.programs import program_of


@pytest.fixture
def program(acme):
    """Return a program that may set up webhooks, at noon of the day when everything happens."""
    with time_machine.travel(NOON, tick=False):
        yield Caller(program_of(acme, "webhooks:write"))


# Adding


def test_a_webhook_is_added_with_its_secret_which_is_not_told_again(program):
    made = program.post(body={"url": URL, "kinds": ["points.expired", "reward.granted"], "description": "The shop"})

    found = program.get(f"/{made.json()['id']}").json()
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    assert {**found, "secret": made.json()["secret"]} == made.json()
    assert found.pop("secrets") == [{"ending": made.json()["secret"][-5:-1], "until": None}]
    assert found == {
        "id": Endpoint.objects.get().pk,
        "url": URL,
        "description": "The shop",
        "kinds": ["reward.granted", "points.expired"],
        "status": "active",
        "disabled_why": "",
        "version": 1,
        "failing_since": None,
        "last_delivered_at": None,
        "waiting": 0,
        "old_secret_until": None,
        "resending": None,
        "created_at": "2026-03-17T15:00:00+03:00",
    }
    entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.action, entry.changes["url"]) == ("key", "webhook.added", URL)
    assert made.json()["secret"] not in str(entry.changes)


def test_whoever_chooses_nothing_is_told_of_all_that_is_confirmed(program):
    made = program.post(body={"url": URL}).json()

    assert made["kinds"] == list(kinds.CONFIRMED)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example.com/hooks",
        "ftp://shop.example.com/",
        "https://anna:secret@shop.example.com/",
        "https://shop.example.com/#here",
        "https://shop.example.com/ hooks",
        "https://shop.example.com:99999/",
        "https://10.0.0.1/",
        "https://[fd00::1]/",
        "https://169.254.169.254/latest",
        "https://intranet/",
        "https:///hooks",
        "https://shop.example.com/\u0430",
        "javascript:alert(1)",
        "",
    ],
)
def test_what_nothing_can_be_sent_to_is_no_address(program, url):
    refused = program.post(body={"url": url})

    assert refused.status_code == 400
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/url"]
    assert not Endpoint.objects.exists()


def test_an_address_of_this_machine_is_good_where_the_platform_is_tried_out_and_nowhere_else(program, settings):
    here = program.post(body={"url": "http://localhost:9000/hooks"})
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    elsewhere = [program.post(body={"url": f"{scheme}://127.0.0.1:9000/"}) for scheme in ("http", "https")]

    assert here.status_code == 201
    assert [problem(each) for each in elsewhere] == [(400, "invalid_webhook_url")] * 2


def test_an_address_has_2000_characters_at_most(program):
    longest = URL + "/" + "x" * (2000 - len(URL) - 1)

    assert program.post(body={"url": longest}).status_code == 201
    assert program.post(body={"url": longest + "x"}).status_code == 400


def test_facts_that_there_are_not_are_pointed_at(program):
    refused = program.post(body={"url": URL, "kinds": ["reward.granted", "reward.eaten", "order.paid"]})
    none = program.post(body={"url": URL, "kinds": []})

    assert problem(refused) == (400, "unknown_fact_kind")
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/kinds/1", "/kinds/2"]
    assert [each["pointer"] for each in none.json()["errors"]] == ["/kinds"]
    assert not Endpoint.objects.exists()


def test_there_are_twenty_and_no_more(program):
    for _number in range(endpoints.ENDPOINTS_MAX):
        assert program.post(body={"url": URL}).status_code == 201

    assert problem(program.post(body={"url": URL})) == (409, "too_many_webhooks")
    assert Endpoint.objects.count() == 20


def test_the_kinds_are_listed_with_a_schema_of_the_whole_message(program):
    listed = program.get("/kinds").json()["kinds"]

    assert [each["kind"] for each in listed] == list(kinds.ALL)
    granted = next(each for each in listed if each["kind"] == "reward.granted")
    assert (granted["is_confirmed"], granted["object_type"]) == (True, "reward")
    assert granted["payload_schema"]["properties"]["type"]["const"] == "reward.granted"


# Changing


def test_a_webhook_is_changed_paused_and_resumed(program):
    number = program.post(body={"url": URL}).json()["id"]

    changed = program.patch(f"/{number}", {"url": URL + "/2", "kinds": ["points.expired"]}).json()
    paused = program.patch(f"/{number}", {"status": "paused"}).json()
    again = program.patch(f"/{number}", {"status": "paused"}).json()
    resumed = program.patch(f"/{number}", {"status": "active", "description": "Mine"}).json()

    assert (changed["url"], changed["kinds"], changed["status"]) == (URL + "/2", ["points.expired"], "active")
    assert [each["status"] for each in (paused, again, resumed)] == ["paused", "paused", "active"]
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == [
        "webhook.added",
        "webhook.changed",
        "webhook.paused",
        "webhook.changed",
        "webhook.resumed",
    ]


def test_a_change_that_is_refused_changes_nothing(program):
    number = program.post(body={"url": URL}).json()["id"]

    refused = program.patch(f"/{number}", {"url": "http://10.0.0.1/", "description": "x"})

    assert refused.status_code == 400
    assert (program.get(f"/{number}").json()["url"], program.get(f"/{number}").json()["description"]) == (URL, "")


def test_a_deleted_webhook_is_gone_with_all_that_waited(program):
    number = program.post(body={"url": URL}).json()["id"]
    happen(1)

    answer = program.delete(f"/{number}")

    assert (answer.status_code, Delivery.objects.count(), Endpoint.objects.count()) == (204, 0, 0)
    assert problem(program.get(f"/{number}")) == (404, "unknown_webhook")
    assert Event.objects.filter(kind="reward.granted").exists()


# Who may


def test_a_key_without_the_scope_is_refused(acme):
    response = program_of(acme, "events:read").get(ALL)

    assert problem(response) == (403, "missing_scope")


def test_another_tenants_webhook_is_not_there(program, bolt):
    number = program.post(body={"url": URL}).json()["id"]
    with context.in_tenant("t_bolt"):
        stranger = Caller(program_of(bolt, "webhooks:write"))

    answers = [
        stranger.get(f"/{number}"),
        stranger.patch(f"/{number}", {"status": "paused"}),
        stranger.delete(f"/{number}"),
        stranger.post(f"/{number}/rotation"),
        stranger.delete(f"/{number}/rotation"),
        stranger.post(f"/{number}/resend", {"since": "2026-03-17T12:00:00Z"}),
        stranger.post(f"/{number}/test"),
        stranger.get(f"/{number}/deliveries"),
        stranger.get(f"/{number}/deliveries/1"),
    ]

    assert [problem(each) for each in answers] == [(404, "unknown_webhook")] * 9
    assert program.get(f"/{number}").json()["status"] == "active"


def test_a_list_takes_as_many_statements_whatever_its_length(program):
    counts = []
    for _number in range(3):
        program.post(body={"url": URL})
        with CaptureQueriesContext(connection) as asked:
            assert program.get().status_code == 200
        counts.append(len(asked))

    assert counts[1] == counts[2]
    assert timezone.now() == NOON

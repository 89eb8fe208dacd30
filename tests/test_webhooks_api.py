"""Webhooks as a program sets them up: /api/v1/webhooks."""

from datetime import timedelta

import pytest
import time_machine
from celery import current_app
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.db import transaction
from events import facts
from events.facts import Fact
from events.models import Event
from integrations.models import Delivery, Endpoint
from integrations.webhooks import endpoints, examples, kinds, resending
from tenants import context
from tenants.staff.models import AuditEntry
from tests import webhooks
from tests.cast import NOON
from tests.programs import program_of
from tests.stand_ins.receivers import StandIn

URL = "https://shop.example.com/hooks"
ALL = "/api/v1/webhooks"


@pytest.fixture
def program(acme):
    """Return a program that may set up webhooks, at noon of the day when everything happens."""
    with time_machine.travel(NOON, tick=False):
        yield Caller(program_of(acme, "webhooks:write"))


class Caller:
    """A program, and the methods that webhooks have."""

    def __init__(self, program) -> None:
        self.program = program

    def get(self, path="", **query):
        return self.program.get(f"{ALL}{path}", **query)

    def post(self, path="", body=None):
        return self.program.post(body or {}, f"{ALL}{path}")

    def patch(self, path, body):
        client, headers = self.program.client, self.program.headers
        return client.patch(f"{ALL}{path}", body, content_type="application/json", headers=headers)

    def delete(self, path):
        return self.program.delete(f"{ALL}{path}")


@transaction
def happen(*numbers, at=NOON, kind="reward.granted") -> None:
    told = [
        Fact(kind, f"{kind}:{each}", {"reward_id": each, "kind": "points", "what": "", "given": 1}) for each in numbers
    ]
    facts.record(facts=told, at=at)


def problem(response):
    return response.status_code, response.json()["code"]


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


def test_a_rotation_gives_another_secret_and_says_which_sign_until_when(program):
    made = program.post(body={"url": URL}).json()

    rotated = program.post(f"/{made['id']}/rotation")

    assert rotated.status_code == 201
    assert rotated.json()["secret"] != made["secret"]
    assert rotated.json()["old_secret_until"] == "2026-03-18T15:00:00+03:00"
    assert rotated.json()["secrets"] == [
        {"ending": rotated.json()["secret"][-5:-1], "until": None},
        {"ending": made["secret"][-5:-1], "until": "2026-03-18T15:00:00+03:00"},
    ]


def test_a_fourth_secret_has_to_wait_until_one_of_three_has_ended(program):
    number = program.post(body={"url": URL}).json()["id"]
    secrets_given = [program.post(f"/{number}/rotation").json()["secret"] for _ in range(2)]

    refused = program.post(f"/{number}/rotation")

    assert problem(refused) == (409, "too_many_secrets")
    assert refused.json()["until"] == "2026-03-18T12:00:00Z"
    assert len(program.get(f"/{number}").json()["secrets"]) == 3
    with time_machine.travel(NOON + endpoints.OVERLAP, tick=False):
        assert [each["until"] for each in program.get(f"/{number}").json()["secrets"]] == [None]
        given = program.post(f"/{number}/rotation").json()
    assert given["secret"] not in secrets_given
    assert [each["ending"] for each in given["secrets"]] == [given["secret"][-5:-1], secrets_given[1][-5:-1]]


def test_an_overlap_is_ended_at_once_where_somebody_has_an_old_secret(program):
    number = program.post(body={"url": URL}).json()["id"]
    for _ in range(2):
        newest = program.post(f"/{number}/rotation").json()["secret"]

    ended, again = program.delete(f"/{number}/rotation"), program.delete(f"/{number}/rotation")

    assert (ended.status_code, problem(again)) == (204, (409, "no_overlap"))
    found = program.get(f"/{number}").json()
    assert (found["secrets"], found["old_secret_until"]) == ([{"ending": newest[-5:-1], "until": None}], None)
    assert program.post(f"/{number}/rotation").status_code == 201
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == [
        "webhook.added",
        "webhook.rotated",
        "webhook.rotated",
        "webhook.overlap_ended",
        "webhook.rotated",
    ]


def test_a_deleted_webhook_is_gone_with_all_that_waited(program):
    number = program.post(body={"url": URL}).json()["id"]
    happen(1)

    answer = program.delete(f"/{number}")

    assert (answer.status_code, Delivery.objects.count(), Endpoint.objects.count()) == (204, 0, 0)
    assert problem(program.get(f"/{number}")) == (404, "unknown_webhook")
    assert Event.objects.filter(kind="reward.granted").exists()


# What was sent


def test_a_test_says_that_it_is_one(program):
    with StandIn() as stand_in:
        number = program.post(body={"url": stand_in.url}).json()["id"]
        answer = program.post(f"/{number}/test")
        webhooks.send_due(at=NOON)

        (told,) = webhooks.told(stand_in.receiver)
    assert answer.status_code == 202
    assert (told["type"], told["test"], told["id"]) == ("webhook.test", True, answer.json()["message_id"])
    assert program.get(f"/{number}/deliveries").json()["data"][0]["status"] == "delivered"
    assert program.get(f"/{number}").json()["last_delivered_at"] == "2026-03-17T15:00:00+03:00"


def test_deliveries_are_listed_filtered_and_looked_at(program):
    with StandIn() as stand_in:
        stand_in.receiver.mode, stand_in.receiver.answer = "down", b"Ouch"
        number = program.post(body={"url": stand_in.url}).json()["id"]
        happen(1, 2)
        happen(3, kind="reward.rejected")
        webhooks.send_due(at=NOON)

    listed = program.get(f"/{number}/deliveries").json()["data"]
    one = program.get(f"/{number}/deliveries/{listed[0]['id']}").json()
    assert [each["kind"] for each in listed] == ["reward.rejected", "reward.granted", "reward.granted"]
    assert len(program.get(f"/{number}/deliveries", kind="reward.granted").json()["data"]) == 2
    assert program.get(f"/{number}/deliveries", status="delivered").json()["data"] == []
    assert (one["answer_status"], one["answer"], one["error"], one["attempts"]) == (500, "Ouch", "answered", 1)
    assert one["body"] == stand_in.receiver.came[-1].body.decode()
    assert problem(program.get(f"/{number}/deliveries/{listed[0]['id'] + 100}")) == (404, "unknown_delivery")


def test_one_delivery_is_sent_again_as_it_was(program):
    with StandIn() as stand_in:
        number = program.post(body={"url": stand_in.url}).json()["id"]
        happen(1)
        webhooks.send_due(at=NOON)
        delivery = Delivery.objects.get()

        answer = program.post(f"/{number}/deliveries/{delivery.pk}/resend")
        webhooks.send_due(at=NOON)

        first, again = stand_in.receiver.came
    assert (answer.status_code, answer.json()["status"]) == (202, "waiting")
    assert (first.body, first.message_id) == (again.body, again.message_id)
    assert program.get(f"/{number}/deliveries/{delivery.pk}").json()["tries"][0]["status"] == 204


@pytest.mark.parametrize("path", ["test", "resend"])
def test_to_a_webhook_that_is_not_active_nothing_is_sent_by_hand(program, path):
    number = program.post(body={"url": URL}).json()["id"]
    program.patch(f"/{number}", {"status": "paused"})

    refused = program.post(f"/{number}/{path}", {"since": "2026-03-17T00:00:00Z"} if path == "resend" else None)

    assert problem(refused) == (409, "webhook_not_active")
    assert not Delivery.objects.exists()


def test_what_a_disabled_webhook_missed_comes_out_of_the_log(program):
    with StandIn() as stand_in:
        number = program.post(body={"url": stand_in.url}).json()["id"]
        happen(1)
        webhooks.send_due(at=NOON)
        Endpoint.objects.update(status="disabled", status_note="failing")
        happen(2, 3)
        happen(4, at=NOON - timedelta(days=1))
        program.patch(f"/{number}", {"status": "active"})

        answer = program.post(f"/{number}/resend", {"since": "2026-03-17T11:00:00Z"})
        webhooks.send_due(at=NOON)

        told = [each["object"]["id"] for each in webhooks.told(stand_in.receiver)]
    assert (answer.status_code, answer.json()["count"], answer.json()["is_done"]) == (202, 2, True)
    assert told == [1, 2, 3]


def test_everything_once_more_has_the_same_ids_even_after_it_was_purged(program):
    with StandIn() as stand_in:
        number = program.post(body={"url": stand_in.url}).json()["id"]
        happen(1, 2)
        webhooks.send_due(at=NOON)
        Delivery.objects.filter(event__key="reward.granted:2").delete()

        answer = program.post(f"/{number}/resend", {"since": "2026-03-17T12:00:00Z", "which": "all"})
        webhooks.send_due(at=NOON)

        came = [each.message_id for each in stand_in.receiver.came]
    assert answer.json()["count"] == 2
    assert came[:2] == came[2:]


def test_a_long_log_is_gone_through_piece_by_piece_and_it_says_how_far_it_is(
    program, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(resending, "PIECE", 2)
    left = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **told: left.append((name, told["kwargs"])))
    happen(*range(10, 14), at=NOON - timedelta(days=2))
    number = program.post(body={"url": URL}).json()["id"]
    happen(*range(5))
    Delivery.objects.all().delete()

    with django_capture_on_commit_callbacks(execute=True):
        begun = program.post(f"/{number}/resend", {"since": "2026-03-17T12:00:00Z"}).json()
    refused = program.post(f"/{number}/resend", {"since": "2026-03-17T12:00:00Z"})
    told, gone_on = [begun], [_course_of(number)]
    while not told[-1]["is_done"]:
        with transaction():
            gone_on.append(resending.go_on(endpoint_id=number, after_id=gone_on[-1].after_id, at=NOON))
        told.append(program.get(f"/{number}").json()["resending"])
        assert gone_on[-1] == _course_of(number)

    # What was recorded days before is not looked at.
    assert [each["count"] for each in told] == [2, 4, 5]
    assert [each["done_percent"] for each in told] == [40, 80, 100]
    assert Delivery.objects.count() == 5
    assert problem(refused) == (409, "resend_underway")
    on_one = {"schema_name": "t_acme", "endpoint_id": number, "after_id": gone_on[0].after_id}
    assert [each for each in left if each[0] == resending.TASK] == [(resending.TASK, on_one)]
    with transaction():
        assert resending.go_on(endpoint_id=number, after_id=gone_on[-1].after_id, at=NOON) is None
    assert Delivery.objects.count() == 5


def _course_of(number):
    return resending.find_course(Endpoint.objects.get(pk=number))


def test_of_several_to_whom_the_rest_was_left_one_goes_on(program, monkeypatch):
    monkeypatch.setattr(resending, "PIECE", 2)
    number = program.post(body={"url": URL}).json()["id"]
    happen(*range(7))
    Delivery.objects.all().delete()
    program.post(f"/{number}/resend", {"since": "2026-03-17T12:00:00Z"})
    begun = _course_of(number)

    with transaction():
        first = resending.go_on(endpoint_id=number, after_id=begun.after_id, at=NOON)
        second = resending.go_on(endpoint_id=number, after_id=begun.after_id, at=NOON)

    assert (first.count, second, _course_of(number)) == (4, None, first)
    assert Delivery.objects.count() == 4


def test_a_window_ends_where_it_is_said_to(program):
    number = program.post(body={"url": URL}).json()["id"]
    for hours in reversed(range(6)):
        happen(hours, at=NOON - timedelta(hours=hours))
    Delivery.objects.all().delete()

    answer = program.post(f"/{number}/resend", {"since": "2026-03-17T08:00:00Z", "until": "2026-03-17T10:00:00Z"})
    backwards = program.post(f"/{number}/resend", {"since": "2026-03-17T08:00:00Z", "until": "2026-03-17T07:00:00Z"})

    assert (answer.json()["count"], answer.json()["is_done"]) == (3, True)
    assert sorted(Delivery.objects.values_list("event__data__reward_id", flat=True)) == [2, 3, 4]
    assert problem(backwards) == (400, "invalid_since")
    assert [each["pointer"] for each in backwards.json()["errors"]] == ["/until"]


@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
def test_a_time_is_found_in_the_log_whatever_its_numbers_are(acme, count):
    before = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for number in range(count):
        happen(number, at=NOON + timedelta(minutes=number))
        if number % 3 == 0:
            with connection.cursor() as cursor:
                cursor.execute("SELECT nextval(pg_get_serial_sequence('events_event', 'id'))")
    rows = list(Event.objects.filter(pk__gt=before).order_by("pk").values_list("pk", flat=True))
    last_id = rows[-1] if rows else before

    for number in range(count):
        found = resending._number_before(NOON + timedelta(minutes=number), last_id=last_id)
        assert found == rows[number] - 1
    assert resending._number_before(NOON + timedelta(days=1), last_id=last_id) == last_id


def test_where_whoever_was_to_go_on_is_no_more_it_is_found(program, monkeypatch):
    monkeypatch.setattr(resending, "PIECE", 2)
    number = program.post(body={"url": URL}).json()["id"]
    happen(*range(5))
    program.post(f"/{number}/resend", {"since": "2026-03-17T12:00:00Z"})

    assert resending.find_stalled(at=NOON + timedelta(seconds=59)) == {}
    assert resending.find_stalled(at=NOON + resending.STALLED) == {number: _course_of(number).after_id}


def test_a_webhook_that_was_deleted_has_nothing_more_to_be_sent_again(program, monkeypatch):
    monkeypatch.setattr(resending, "PIECE", 2)
    number = program.post(body={"url": URL}).json()["id"]
    happen(*range(5))
    program.post(f"/{number}/resend", {"since": "2026-03-17T12:00:00Z"})
    after_id = _course_of(number).after_id
    program.delete(f"/{number}")

    with transaction():
        assert resending.go_on(endpoint_id=number, after_id=after_id, at=NOON) is None
    assert Delivery.objects.count() == 0


@pytest.mark.parametrize(
    ("since", "code"),
    [("2026-02-14T00:00:00Z", "invalid_since"), ("2026-03-17T12:01:00Z", "invalid_since"), ("2026-03-18", "invalid")],
)
def test_from_so_long_ago_or_from_tomorrow_nothing_is_sent_again(program, since, code):
    number = program.post(body={"url": URL}).json()["id"]
    happen(1)
    Delivery.objects.all().delete()

    refused = program.post(f"/{number}/resend", {"since": since})

    assert problem(refused) == (400, code)
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/since"]
    assert (Delivery.objects.count(), program.get(f"/{number}").json()["resending"]) == (0, None)


def test_an_example_goes_to_every_active_webhook_that_wants_the_kind(program):
    with StandIn() as stand_in:
        program.post(body={"url": stand_in.url})
        program.post(body={"url": URL, "kinds": ["points.expired"]})
        with transaction():
            made = examples.trigger(kind="reward.granted", at=NOON)
        webhooks.send_due(at=NOON)

        (told,) = webhooks.told(stand_in.receiver)
    assert [each.kind for each in made] == ["reward.granted"]
    assert (told["test"], told["data"]["reward_id"], told["data"]["member"]["external_id"]) == (True, 12, "anna")
    with pytest.raises(kinds.UnknownFactKind), transaction():
        examples.trigger(kind="reward.eaten", at=NOON)


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

"""What a program has sent once more: one delivery, or all since a time out of the log, piece by piece."""

from datetime import timedelta

import pytest
import time_machine
from celery import current_app
from django.db import connection

from core.db import transaction
from events.models import Event
from integrations.models import Delivery, Endpoint
from integrations.webhooks import resending
from tests import webhooks
from tests.callers import URL, Caller, happen, problem
from tests.cast import NOON
from tests.programs import program_of
from tests.stand_ins.receivers import StandIn


@pytest.fixture
def program(acme):
    """Return a program that may set up webhooks, at noon of the day when everything happens."""
    with time_machine.travel(NOON, tick=False):
        yield Caller(program_of(acme, "webhooks:write"))


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

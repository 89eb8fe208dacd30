"""What was sent to a webhook, as a program looks at it, and what it has sent to try it out."""

import pytest
import time_machine

from core.db import transaction
from integrations.models import Delivery
from integrations.webhooks import examples, kinds
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


@pytest.mark.parametrize("path", ["test", "resend"])
def test_to_a_webhook_that_is_not_active_nothing_is_sent_by_hand(program, path):
    number = program.post(body={"url": URL}).json()["id"]
    program.patch(f"/{number}", {"status": "paused"})

    refused = program.post(f"/{number}/{path}", {"since": "2026-03-17T00:00:00Z"} if path == "resend" else None)

    assert problem(refused) == (409, "webhook_not_active")
    assert not Delivery.objects.exists()


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

"""What we send is good for the independent library of Standard Webhooks for JavaScript, and nothing else is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from integrations.models import Delivery
from integrations.webhooks import endpoints, examples
from tests import webhooks
from tests.cast import NOON, Shop
from tests.npm.reading import Tried, read
from tests.stand_ins.receivers import StandIn
from tests.webhooks import happen, send_due

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FORGED = {"refused": "No matching signature found"}


@pytest.fixture
def stand_in(acme):
    with StandIn() as found:
        yield found


def test_a_fact_is_read_with_all_that_it_says(stand_in):
    shop = Shop()
    shop.joins("зоя ✓")
    _endpoint, secret = webhooks.add(stand_in.url)
    happen(12, member_id=shop.id_of("зоя ✓"))
    send_due(at=NOON)
    (came,) = stand_in.receiver.came

    (found,) = read([Tried(came, secret, NOON)])

    delivery = Delivery.objects.get()
    assert found == {
        "message": {
            "id": delivery.message_id,
            "type": "reward.granted",
            "version": 1,
            "timestamp": "2026-03-17T12:00:00Z",
            "sequence": delivery.event_id,
            "object": {"type": "reward", "id": 12},
            "tenant": "acme",
            "environment": "live",
            "data": {
                "reward_id": 12,
                "kind": "points",
                "what": "",
                "member": {"id": shop.id_of("зоя ✓"), "external_id": "зоя ✓"},
            },
        }
    }


def test_the_test_event_is_read(stand_in):
    endpoint, secret = webhooks.add(stand_in.url)
    made = webhooks.act(examples.test, endpoint)
    send_due(at=NOON)
    (came,) = stand_in.receiver.came

    (found,) = read([Tried(came, secret, NOON)])

    message = found["message"]
    assert (message["id"], message["type"], message["test"]) == (made.message_id, "webhook.test", True)


def test_each_attempt_is_signed_for_its_own_time(stand_in):
    _endpoint, secret = webhooks.add(stand_in.url)
    stand_in.receiver.mode = "down"
    happen(1)
    send_due(at=NOON)
    stand_in.receiver.mode = "fine"
    send_due(at=NOON + HOUR)
    first, second = stand_in.receiver.came

    found = read([Tried(each, secret, at) for at in (NOON, NOON + HOUR) for each in (first, second)])

    good = {"message": found[0]["message"]}
    assert found == [
        good,
        {"refused": "Message timestamp too new"},
        {"refused": "Message timestamp too old"},
        good,
    ]


# While secrets are replaced


def test_while_two_secrets_sign_each_of_them_is_good(stand_in):
    endpoint, old = webhooks.add(stand_in.url)
    _endpoint, new = webhooks.act(endpoints.rotate, endpoint)
    happen(1)
    send_due(at=NOON)

    assert _are_good(stand_in, [old, new]) == [[True, True]]


def test_while_three_secrets_sign_each_of_them_is_good_until_its_own_day_is_over(stand_in):
    endpoint, first = webhooks.add(stand_in.url)
    _endpoint, second = webhooks.act(endpoints.rotate, endpoint)
    _endpoint, third = webhooks.act(endpoints.rotate, endpoint, at=NOON + HOUR)
    for number, hours in enumerate((1, 23, 24, 25)):
        happen(number, at=NOON + hours * HOUR)
        send_due(at=NOON + hours * HOUR)

    assert _are_good(stand_in, [first, second, third]) == [
        [True, True, True],
        [True, True, True],
        [False, True, True],
        [False, False, True],
    ]


def test_when_the_overlap_is_ended_the_newest_secret_alone_is_good(stand_in):
    endpoint, old = webhooks.add(stand_in.url)
    _endpoint, new = webhooks.act(endpoints.rotate, endpoint)
    webhooks.act(endpoints.end_overlap, endpoint)
    happen(1)
    send_due(at=NOON)

    assert _are_good(stand_in, [old, new]) == [[False, True]]


def _are_good(stand_in, secrets) -> list[list[bool]]:
    """Tell of each message that came with which of the secrets it can be read, when it was sent."""
    tried = [
        Tried(came, secret, datetime.fromtimestamp(int(came.headers["webhook-timestamp"]), tz=UTC))
        for came in stand_in.receiver.came
        for secret in secrets
    ]
    found = read(tried)
    assert [each for each in found if "message" not in each and each != FORGED] == []
    each_good = ["message" in each for each in found]
    return [each_good[start : start + len(secrets)] for start in range(0, len(found), len(secrets))]


# What is not from us


def test_whatever_was_touched_is_refused(stand_in):
    _endpoint, secret = webhooks.add(stand_in.url)
    _other, of_another = webhooks.add("https://shop.example.com/hooks", kinds=["points.expired"])
    happen(1)
    send_due(at=NOON)
    (came,) = stand_in.receiver.came
    places = range(0, len(came.body), 16)
    changed = [came.body[:place] + bytes([came.body[place] ^ 1]) + came.body[place + 1 :] for place in places]
    renamed = {**came.headers, "webhook-id": f"{came.message_id}0"}
    later = {**came.headers, "webhook-timestamp": str(int(came.headers["webhook-timestamp"]) + 1)}
    touched = [replace(came, body=body) for body in changed]
    touched += [replace(came, body=came.body + b" "), replace(came, headers=renamed), replace(came, headers=later)]

    found = read([*[Tried(each, secret, NOON) for each in touched], Tried(came, of_another, NOON)])

    assert len(changed) > 10
    assert found == [FORGED] * (len(changed) + 4)


def test_an_old_message_is_refused_and_one_of_five_minutes_is_not(stand_in):
    _endpoint, secret = webhooks.add(stand_in.url)
    happen(1)
    send_due(at=NOON)
    (came,) = stand_in.receiver.came

    on_time, too_old = read([Tried(came, secret, NOON + 5 * MINUTE), Tried(came, secret, NOON + 5.1 * MINUTE)])

    assert (on_time["message"]["type"], too_old) == ("reward.granted", {"refused": "Message timestamp too old"})

"""Webhooks with real threads, processes and commits: each fact goes out once, and nobody is in anybody's way."""

import signal
import subprocess
import sys
import threading

import pytest
from django.db import connection

from core.db import transaction
from events import facts
from events.facts import Fact
from events.models import Event
from integrations.models import Delivery, Endpoint
from integrations.webhooks import claims, endpoints, lanes, outcomes
from tests import webhooks
from tests.cast import NOON
from tests.checkout import ROOT
from tests.races import at_once
from tests.stand_ins.receivers import StandIn
from tests.webhooks import STRAIGHT, happen, ids_of, send_due


@pytest.mark.django_db(transaction=True)
def test_however_many_deliver_at_once_each_fact_goes_out_once_and_no_more_than_four_together(acme):
    with StandIn() as stand_in:
        stand_in.receiver.delay_seconds = 0.05
        endpoint, _ = webhooks.add(stand_in.url)
        happen(40)
        assert _deliver_all(endpoint.pk) == 1  # It has proved quick.
        happen(*range(40))

        counts = at_once(*[lambda: _deliver_all(endpoint.pk) for _ in range(8)])
        rest = _deliver_all(endpoint.pk)

        assert sum(counts) + rest == 40
        assert len(stand_in.receiver.came) == len(ids_of(stand_in.receiver)) == 41
        assert 2 <= stand_in.receiver.at_once_max <= claims.AT_ONCE
    assert not Delivery.objects.exclude(status="delivered").exists()


def _deliver_all(endpoint_id: int) -> int:
    count = 0
    while lanes.deliver_one(endpoint_id=endpoint_id, rng=STRAIGHT, at=NOON):
        count += 1
    return count


# A process of its own, which is killed.
SENDER = """
import sys, django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from integrations.webhooks import lanes
from tenants import context
from tests.checkout import ROOT
from tests.cast import NOON
from tests.webhooks import STRAIGHT
with context.in_tenant("t_acme"):
    lanes.deliver_one(endpoint_id=int(sys.argv[2]), rng=STRAIGHT, at=NOON)
"""


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_process_was_sending_is_sent_again_with_the_same_id(acme):
    with StandIn() as stand_in:
        stand_in.receiver.mode = "held up"
        endpoint, secret = webhooks.add(stand_in.url)
        happen(1)
        database = connection.settings_dict["NAME"]
        with subprocess.Popen([sys.executable, "-c", SENDER, database, str(endpoint.pk)], cwd=ROOT) as sender:  # noqa: S603
            assert stand_in.receiver.arrived.wait(timeout=60)
            sender.kill()
        stand_in.receiver.mode = "fine"
        sent_at_once = send_due(at=NOON)

        send_due(at=NOON + claims.LEASE)

        first, again = stand_in.receiver.came
        assert (sent_at_once, sender.returncode) == (0, -signal.SIGKILL)
        assert (first.message_id, first.body) == (again.message_id, again.body)
        assert webhooks.read(again, secret, at=NOON + claims.LEASE)["object"]["id"] == 1
    assert webhooks.statuses(endpoint) == [("reward.granted", "delivered", 1)]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_something_is_sent(acme):
    with StandIn() as stand_in:
        stand_in.receiver.mode = "held up"
        endpoint, _ = webhooks.add(stand_in.url)
        happen(1)

        def look_meanwhile() -> tuple[bool, str]:
            stand_in.receiver.arrived.wait(timeout=10)
            # Whoever deletes a webhook, or scores, does not wait for its receiver.
            with transaction():
                found = Endpoint.objects.select_for_update(nowait=True).get(pk=endpoint.pk)
                delivery = Delivery.objects.select_for_update(nowait=True).get()
            stand_in.receiver.may_answer.set()
            return delivery.claimed_until is not None, found.status

        attempt, meanwhile = at_once(
            lambda: lanes.deliver_one(endpoint_id=endpoint.pk, rng=STRAIGHT, at=NOON), look_meanwhile
        )

    assert (meanwhile, attempt.is_delivered) == ((True, "active"), True)


@pytest.mark.django_db(transaction=True)
def test_a_webhook_that_is_deleted_while_facts_are_recorded_leaves_neither_in_the_way(acme):
    endpoint, _ = webhooks.add("https://shop.example.com/hooks")
    recorded, may_commit = threading.Event(), threading.Event()

    @transaction
    def record():
        facts.record(facts=[Fact("reward.granted", "r:1", {"reward_id": 1, "kind": "points", "what": ""})], at=NOON)
        recorded.set()
        may_commit.wait(timeout=10)

    def delete() -> None:
        recorded.wait(timeout=10)
        threading.Timer(0.3, may_commit.set).start()
        webhooks.act(endpoints.delete, endpoint)

    at_once(record, delete)

    assert (Endpoint.objects.count(), Delivery.objects.count()) == (0, 0)
    assert Event.objects.filter(key="r:1").exists()


def test_a_lease_is_longer_than_an_attempt_can_take():
    # As much again, for the database to be waited for before and after.
    assert claims.LEASE.total_seconds() > outcomes.SECONDS_MAX * 2

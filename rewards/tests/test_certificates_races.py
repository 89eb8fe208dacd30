"""Many at once, and a worker that dies at the worst moment: each code once, and nothing bought twice."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from core.db import current_schema, fetch, transaction
from members import people
from rewards import entitlements
from rewards.certificates import orders
from rewards.entitlements import NewEntitlement
from rewards.models import Entitlement, StockCode
from rewards.tests.stage import NOON
from rewards.tests.test_certificates import brand_of, give, put, serve
from rewards.tests.test_certificates_orders import again, provider_at
from tests.races import race
from tests.stand_ins.certificates import StandIn

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
GRANTS, CODES, AT_ONCE = 1_000, 700, 16


def granting(gift, member, numbers):
    """Return an act that gives a certificate for each number, in a few batches as scoring does."""

    def act():
        people.lock(current_schema())
        new = [
            NewEntitlement(
                key=f"grant-{number}",
                kind="certificate",
                gift_id=gift.pk,
                member_id=member.pk,
                value_minor=50_000,
                currency="RUB",
            )
            for number in numbers
        ]
        return [row.pk for row in entitlements.give(new=new, at=NOON)]

    return act


def test_of_a_thousand_grants_at_once_seven_hundred_get_a_code_each_and_the_others_wait_their_turn(anna):
    coffee = brand_of()
    put(coffee, *(f"CODE-{number:04}" for number in range(CODES)))
    shares = [range(first, GRANTS, AT_ONCE * 4) for first in range(AT_ONCE * 4)]

    for turn in range(4):
        results = race(*(granting(coffee, anna, numbers) for numbers in shares[turn::4]))
        assert [each for each in results if isinstance(each, Exception)] == []

    issued = list(Entitlement.objects.filter(status="issued").order_by("pk"))
    waiting = list(Entitlement.objects.filter(status="waiting").order_by("pk").values_list("pk", flat=True))
    assert (len(issued), len(waiting)) == (CODES, GRANTS - CODES)
    assert len({entitlements.code_of(row) for row in issued}) == CODES
    assert len({row.code_index for row in issued}) == CODES
    # Nobody was overtaken.
    assert max(row.pk for row in issued) < min(waiting)

    put(coffee, *(f"MORE-{number:04}" for number in range(100)), batch="second")
    served = serve(coffee)

    assert served == waiting[:100]
    codes = [entitlements.code_of(again(Entitlement(pk=pk))) for pk in served]
    assert codes == [f"MORE-{number:04}" for number in range(100)]
    assert StockCode.objects.filter(entitlement=None).count() == 0


def test_one_code_and_sixteen_who_want_it(anna):
    coffee = brand_of()
    put(coffee, "ONLY")

    race(*(granting(coffee, anna, [number]) for number in range(AT_ONCE)))

    statuses = Entitlement.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["issued"] + ["waiting"] * (AT_ONCE - 1)


# A worker dies


def broker_url():
    # A database of the broker that no test run uses.
    return settings.BROKER_URL.replace("virtual_host=0", "virtual_host=1")


@contextmanager
def worker():
    """Run a real Celery worker against the test's database."""
    name, host = connection.settings_dict["NAME"], connection.settings_dict["HOST"]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings_test",
        "DATABASE_URL": f"postgresql://postgres@/{name}?host={host}",
        "BROKER_URL": broker_url(),
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "celery", "--app", "config.celery", "--quiet", "worker", "--pool", "solo"]
    process = subprocess.Popen(  # noqa: S603 (this checkout's own worker)
        [*command, "--without-gossip", "--without-mingle"], env=environment, cwd=ROOT
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


def ring():
    app = Celery(broker=broker_url())
    app.send_task(orders.TASK, kwargs={"schema_name": "t_acme"}, ignore_result=True)
    app.close()


def wait_until(is_so, *, seconds=30):
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "It has not happened."
        time.sleep(0.05)


def is_somebody_waiting_for_the_lock():
    return bool(fetch("SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 7001 AND NOT granted"))


@pytest.mark.skipif("virtual_host=0" not in settings.BROKER_URL, reason="Another broker's databases are others'.")
def test_a_worker_killed_between_the_providers_answer_and_our_commit_buys_nothing_twice(anna):
    with StandIn() as partner:
        partner.provider.mode = "held up"
        provider_at(partner)
        (row,) = give(brand_of(providers=["giftly"]), anna, "k", at=now())
        key = orders.key_of(schema="t_acme", entitlement_id=row.pk, turn=0)

        with worker() as first:
            ring()
            assert partner.provider.ordered.wait(timeout=30)
            # It has been bought. From here on the worker cannot write down the answer.
            with transaction():
                people.lock("t_acme")
                partner.provider.may_answer.set()
                wait_until(is_somebody_waiting_for_the_lock)
                os.kill(first.pid, signal.SIGKILL)
                first.wait(timeout=10)
        assert (again(row).status, partner.provider.bought[key]) == ("ordered", 1)

        partner.provider.mode, partner.provider.queue = "fine", 0
        Entitlement.objects.update(next_attempt_at=now() - timedelta(seconds=1))
        with worker():
            ring()
            wait_until(lambda: again(row).status == "issued")

    assert partner.provider.bought == {key: 1}
    assert partner.provider.calls.count("POST /orders") == 1
    assert entitlements.code_of(again(row)).startswith("GIFT-1000")

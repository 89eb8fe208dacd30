"""What webhooks cost those who record facts, and whether one waits for others that never answer, of anybody's."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median, quantiles
from typing import Final

from celery import current_app
from django.conf import settings
from django.utils import timezone

from benchmarks.rows import W1, W1_P99, W2, W3, Measured
from benchmarks.stage import Stage
from benchmarks.timing import ratios, seconds
from config import env
from core.db import transaction
from events import facts
from events.facts import Fact
from integrations.models import Endpoint
from integrations.webhooks import endpoints
from integrations.webhooks.endpoints import Wanted
from rewards.actors import Actor
from tenants import context, provisioning
from tenants.models import Tenant
from tests.stand_ins.receivers import Receiver, StandIn

KIND: Final = "points.expired"
BENCH: Final = Actor("staff", "bench")
FACTS: Final = 200
PAUSE_SECONDS: Final = 0.05
GIVE_UP_SECONDS: Final = 60.0
BAD: Final = 10
OTHERS: Final = ("first", "second")
# So often something happens to the other tenants: after so many facts of ours.
BOTHERED_EVERY: Final = 20
# Longer than they are waited for.
BAD_SECONDS: Final = 15.0
BATCHES: Final = 60
BATCH: Final = 50
# In place of the outbox: a statement that is otherwise the same.
WITHOUT: Final = ", outbox AS (SELECT 1 WHERE false)"

WORKER: Final = (
    *(sys.executable, "-m", "celery", "--app", "config.celery", "--quiet", "worker", "--loglevel", "ERROR"),
    *("--queues", "webhooks", "--pool", "threads", "--concurrency", str(settings.WEBHOOK_THREADS)),
    *("--without-gossip", "--without-mingle"),
)


def measure(set_up: Stage) -> list[Measured]:
    """Let facts be told to one webhook, alone and beside those that never answer, others' or its own; and to nobody."""
    others = [_schema_of_another(name) for name in OTHERS]
    with context.in_tenant(set_up.tenant.schema_name):
        unasked = _cost_of_nobody()
        with _worker(), StandIn() as good, StandIn() as bad, StandIn() as theirs:
            _add(good)
            _until_arrived(good.receiver, [_happen("warm-up")])
            alone = _delays(good.receiver, "alone")
            bad.receiver.delay_seconds = theirs.receiver.delay_seconds = BAD_SECONDS
            _add_for(others, theirs)
            beside_others = _delays(good.receiver, "beside others", others=others)
            _sweep_of(others)
            for _number in range(BAD):
                _add(bad)
            beside = _delays(good.receiver, "beside")
        _sweep()
    return [
        Measured(
            row=W1,
            values=[median(beside) / median(alone)],
            figures={
                "from the commit to the receiver, one webhook": _shown(alone),
                f"the same beside {BAD} that never answer": _shown(beside),
                "messages that those held up meanwhile": str(len(bad.receiver.came)),
            },
        ),
        Measured(row=W1_P99, values=[1000 * _percentile_99(beside)]),
        Measured(
            row=W3,
            values=[median(beside_others) / median(alone)],
            figures={
                "the same beside forty of two other tenants": _shown(beside_others),
                "messages that those held up": str(len(theirs.receiver.came)),
            },
        ),
        Measured(row=W2, values=unasked),
    ]


def _schema_of_another(name: str) -> str:
    # The groups are measured a second time where a floor does not hold.
    found = Tenant.objects.filter(slug=name).first()
    if found is None:
        made = provisioning.create(
            name=name, slug=name, time_zone="Europe/Moscow", currency="USD", language="en", at=timezone.now()
        )
        found = made.tenant
    return str(found.schema_name)


def _add_for(schemas: Sequence[str], stand_in: StandIn) -> None:
    for schema in schemas:
        with context.in_tenant(schema):
            for _number in range(endpoints.ENDPOINTS_MAX):
                _add(stand_in)


def _sweep_of(schemas: Sequence[str]) -> None:
    for schema in schemas:
        with context.in_tenant(schema):
            _sweep()


def _bother(schemas: Sequence[str]) -> None:
    for schema in schemas:
        with context.in_tenant(schema):
            _happen("noise")


def _delays(receiver: Receiver, name: str, *, others: Sequence[str] = ()) -> list[float]:
    """Return how long each of many facts takes from its commit to the receiver, in seconds. `others` have some too."""
    committed = {}
    for number in range(FACTS):
        if number % BOTHERED_EVERY == 0:
            _bother(others)
        key = f"{name}-{number}"
        _happen(key)
        committed[key] = time.time()
        time.sleep(PAUSE_SECONDS)
    arrived = _until_arrived(receiver, list(committed))
    return [arrived[key] - at for key, at in committed.items()]


def _until_arrived(receiver: Receiver, keys: Sequence[str]) -> dict[str, float]:
    ends = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < ends:
        with receiver.lock:
            came = list(receiver.came)
        arrived = {json.loads(each.body)["data"]["asset"]: each.at for each in reversed(came)}
        if arrived.keys() >= set(keys):
            return arrived
        time.sleep(0.05)
    raise RuntimeError("Not every message has arrived.")


@transaction
def _happen(key: str) -> str:
    # The asset's name is what the message is known by.
    facts.record(facts=[Fact(KIND, f"bench:{key}:{time.time()}", {"asset": key, "amount": 1})], at=timezone.now())
    return key


@transaction
def _add(stand_in: StandIn) -> Endpoint:
    made, _secret = endpoints.add(wanted=Wanted(url=stand_in.url, kinds=[KIND]), by=BENCH, at=timezone.now())
    return made


@transaction
def _sweep() -> None:
    for each in Endpoint.objects.all():
        endpoints.delete(endpoint=each, by=BENCH, at=timezone.now())


def _cost_of_nobody() -> list[float]:
    """Return the rates of recording facts for a tenant without webhooks ÷ those of the same without the outbox."""
    with_it: list[float] = []
    without_it: list[float] = []
    usual = settings.FACT_OUTBOX
    for number in range(5):
        for name, found in (("benchmarks.webhooks.WITHOUT", without_it), (usual, with_it)):
            settings.FACT_OUTBOX = name
            facts._tell.cache_clear()
            found.append(BATCHES / seconds(partial(_record, f"{name}-{number}")))
    settings.FACT_OUTBOX = usual
    facts._tell.cache_clear()
    return ratios(with_it, without_it)


def _record(name: str) -> None:
    for batch in range(BATCHES):
        told = [
            Fact(KIND, f"{name}:{batch}:{number}:{time.time()}", {"asset": "x", "amount": 1}) for number in range(BATCH)
        ]
        with transaction():
            facts.record(facts=told, at=timezone.now())


@contextmanager
def _worker() -> Iterator[None]:
    # What the other groups have left in the queue is for nobody.
    current_app.control.purge()
    process = subprocess.Popen(WORKER, cwd=env.ROOT, env=os.environ)  # noqa: S603 (our own command)
    with ExitStack() as ending:
        ending.callback(process.wait)
        ending.callback(process.kill)
        yield


def _percentile_99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]


def _shown(values: list[float]) -> str:
    return f"{1000 * median(values):.1f} ms, 99 of 100 within {1000 * _percentile_99(values):.1f} ms"

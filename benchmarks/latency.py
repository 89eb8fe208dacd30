"""P11: how long a shop waits for the reward after its event was answered, while nothing else is going on."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from statistics import median, quantiles
from typing import Final

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from redis import Redis

from benchmarks import ingest
from benchmarks.rows import P11, P11_P99, Measured
from benchmarks.stage import Stage
from benchmarks.worker import app, begin
from config import env
from core.db import fetch
from tenants import context, hosts

REPETITIONS: Final = 5
POSTS: Final = 40
PAUSE_SECONDS: Final = 0.02
LOOK_EVERY_SECONDS: Final = 0.0005
GIVE_UP_SECONDS: Final = 30
REPLIES: Final = "bench:replies"

WORKER: Final = (
    *(sys.executable, "-m", "celery", "--app", "benchmarks.worker", "--quiet", "worker", "--loglevel", "WARNING"),
    *("--concurrency", "2", "--without-gossip", "--without-mingle"),
)
REWARD: Final = """
SELECT r.id FROM rewards_reward r JOIN events_order o ON o.id = r.order_id WHERE o.number = %(number)s LIMIT 1
"""


def measure(set_up: Stage) -> list[Measured]:
    """Start a worker as `make run` does. The tasks that do nothing alternate with the posts."""
    application = get_wsgi_application()
    empty: list[list[float]] = []
    rewarded: list[list[float]] = []
    with _worker(), context.in_tenant(set_up.tenant.schema_name):
        _repeat(set_up, application)  # To warm up.
        for _repetition in range(REPETITIONS):
            pairs = _repeat(set_up, application)
            empty.append([pair[0] for pair in pairs])
            rewarded.append([pair[1] for pair in pairs])
    all_empty, all_rewarded = [*chain(*empty)], [*chain(*rewarded)]
    figures = {
        "empty task from sending to its beginning (C0)": _shown(all_empty),
        "from the answer to the reward": _shown(all_rewarded),
    }
    medians = [median(subject) / median(reference) for subject, reference in zip(rewarded, empty, strict=True)]
    return [
        Measured(row=P11, values=medians, figures=figures),
        Measured(row=P11_P99, values=[1000 * _percentile_99(all_rewarded)]),
    ]


@contextmanager
def _worker() -> Iterator[None]:
    # What the other groups have left in the queue is for nobody.
    app.control.purge()
    process = subprocess.Popen(WORKER, cwd=env.ROOT)  # noqa: S603 (our own command)
    try:
        _empty_task()
        yield
    finally:
        process.terminate()
        process.wait()


def _repeat(set_up: Stage, application: WSGIHandler) -> list[tuple[float, float]]:
    pairs = []
    for _post in range(POSTS):
        empty = _empty_task()
        time.sleep(PAUSE_SECONDS)
        pairs.append((empty, _reward(set_up, application)))
        time.sleep(PAUSE_SECONDS)
    return pairs


def _empty_task() -> float:
    sent_at = time.time()
    begin.apply_async(kwargs={"reply_to": REPLIES})
    with Redis.from_url(settings.CACHES["default"]["LOCATION"]) as valkey:
        reply = valkey.blpop([REPLIES], timeout=GIVE_UP_SECONDS)
    if reply is None:
        raise RuntimeError("The worker does not answer.")
    return float(json.loads(reply[1])) - sent_at


def _reward(set_up: Stage, application: WSGIHandler) -> float:
    (order,) = set_up.orders(1)
    host = hosts.name_for(set_up.tenant.slug)
    asked = ingest.environment(host=host, key=set_up.made.live_key, path=ingest.API, body=order)
    ingest.ask(application, asked)
    answered_at = time.perf_counter()
    while not fetch(REWARD, {"number": order["data"]["order_id"]}):
        if time.perf_counter() - answered_at > GIVE_UP_SECONDS:
            raise RuntimeError("The reward does not come.")
        time.sleep(LOOK_EVERY_SECONDS)
    return time.perf_counter() - answered_at


def _percentile_99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]


def _shown(values: list[float]) -> str:
    return f"{1000 * median(values):.1f} ms, 99 of 100 within {1000 * _percentile_99(values):.1f} ms"

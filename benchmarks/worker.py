"""The Celery application of the worker that P11 measures: ours, and one task more that does nothing."""

import time

from django.conf import settings
from redis import Redis

from config.celery import app as app


@app.task(name="benchmarks.begin")
def begin(*, reply_to: str) -> None:
    """C0: tell when it began."""
    with Redis.from_url(settings.CACHES["default"]["LOCATION"]) as valkey:
        valkey.rpush(reply_to, repr(time.time()))

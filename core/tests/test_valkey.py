import time

import pytest
from redis import RedisError

from core import valkey


def test_after_a_failure_nobody_tries_for_a_while():
    breaker = valkey.Breaker(rest_seconds=0.05)
    assert not breaker.is_open

    # Of those who fail at the same time one is the first.
    assert [breaker.trip(), breaker.trip()] == [True, False]
    assert breaker.is_open
    time.sleep(0.06)
    assert not breaker.is_open
    assert breaker.trip()
    breaker.reset()
    assert not breaker.is_open


def test_a_client_speaks_to_where_the_cache_is(servers, settings):
    assert valkey.client().ping()

    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere.sock"}}
    with pytest.raises(RedisError):
        valkey.client().ping()

"""What the settings make of an environment, each in a process of its own: they are read once."""

import os
import subprocess
import sys

import pytest

from config import env

SHOWN = "from config import settings; print(settings.OUTBOUND_ALLOWED_STARTS)"
LOCAL = {"SARAFAN_PROFILE": "test", "PORT": "8000", "ENCRYPTION_KEY": "Zm9yIHRlc3RzIG9ubHksIDMyIGJ5dGVzIGxvbmcuLi4="}
SERVER = {
    **LOCAL,
    "SECRET_KEY": "for tests only",
    "DATABASE_URL": "postgresql://sarafan@db.example.com/sarafan",
    "BROKER_URL": "redis://broker.example.com",
    "CACHE_URL": "redis://cache.example.com",
    "BASE_DOMAIN": "sarafan.example.com",
}


def read(environment):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", SHOWN],
        cwd=env.ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "allowed"),
    [
        (LOCAL, "('http://127.0.0.1:8001/',)"),
        (LOCAL | {"DEMO_SHOP_PORT": "9000"}, "('http://127.0.0.1:9000/',)"),
        (LOCAL | {"DEMO_ENABLED": "no"}, "()"),
        (SERVER, "()"),
        (SERVER | {"HTTPS": "yes"}, "()"),
        (SERVER | {"DEMO_ENABLED": "yes"}, "()"),
    ],
    ids=["own machine", "another port", "no demo", "a server", "a server with TLS", "a server with the demo"],
)
def test_nothing_of_our_own_machine_is_called_but_the_demos_shop_on_ones_own(environment, allowed):
    assert read(environment).stdout.strip() == allowed


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (SERVER | {"DEMO_ENABLED": "yes", "HTTPS": "yes"}, "DEMO_ENABLED is for one's own machine"),
        (LOCAL | {"DEMO_SHOP_PORT": "8000"}, "DEMO_SHOP_PORT is PORT, and two servers cannot share one."),
    ],
)
def test_what_makes_no_sense_stops_the_start(environment, sentence):
    stopped = read(environment)

    assert stopped.returncode == 1
    assert stopped.stderr.startswith(f"Settings: {sentence}")

"""A real server over the test's database: processes of its own, which can be killed."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import psutil
from django.db import connection

from tests.checkout import ROOT

SECONDS_MAX = 60


class Told(NamedTuple):
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """Gunicorn as it serves us, on a port of its own. It starts another process for each that is killed."""

    port: int
    master: psutil.Process

    def ask(self, method: str, path: str, *, body: Any = None, host: str, **headers: str) -> Told:
        """
        Send one request on a connection of its own.

        :raises OSError: or http.client.HTTPException when the process died before it had answered.
        """
        caller = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS_MAX)
        try:
            sent = None if body is None else json.dumps(body)
            told = {"Host": host, "Content-Type": "application/json", **headers}
            caller.request(method, path, sent, {name.replace("_", "-"): value for name, value in told.items()})
            answer = caller.getresponse()
            return Told(answer.status, dict(answer.headers), answer.read().decode())
        finally:
            caller.close()

    def workers(self) -> list[psutil.Process]:
        """Return the processes that answer."""
        with suppress(psutil.NoSuchProcess):
            return list(self.master.children())
        return []

    def answers(self) -> bool:
        """Tell whether somebody answers."""
        with suppress(OSError, http.client.HTTPException):
            return self.ask("GET", "/healthz", host="acme.localhost").status == 200
        return False


@contextmanager
def served(*, processes: int = 1) -> Iterator[Server]:
    """Serve the test's own database for as long as the block lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "config.wsgi",
        "--config",
        "config/gunicorn.py",
        "--access-logfile",
        os.devnull,
    ]
    started = subprocess.Popen(command, env=environment(PORT=str(port), WEB_PROCESSES=str(processes)), cwd=ROOT)  # noqa: S603 (our own server)
    server = Server(port=port, master=psutil.Process(started.pid))
    try:
        wait_until(lambda: server.answers() or started.poll() is not None)
        assert started.poll() is None, "The server did not start."
        yield server
    finally:
        for process in [server.master, *server.workers()]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        started.wait(timeout=10)


def environment(**more: str) -> dict[str, str]:
    """Return what a process needs to work on the test's database."""
    name, host = connection.settings_dict["NAME"], connection.settings_dict["HOST"]
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings_test",
        "DATABASE_URL": f"postgresql://postgres@/{name}?host={host}",
        "PYTHONWARNINGS": "ignore",
        **more,
    }


def wait_until(is_so: Any, *, seconds: float = SECONDS_MAX) -> None:
    """Wait for something that other processes bring about."""
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "It has not happened."
        time.sleep(0.02)

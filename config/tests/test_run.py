import os
import socket

import pytest

from config import run


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setattr(os, "environ", {"PATH": "/usr/bin"})
    return os.environ


def test_a_port_in_use_stops_the_start_and_another_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SystemExit, match=rf"Port {port} cannot be used .* PORT={port + 1} make run"):
            run._require_free(port)


def test_a_free_port_is_fine():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    run._require_free(port)


def test_the_processes_find_the_port_the_programs_and_secrets(environment):
    run._complete_environment(8123)

    assert environment["PORT"] == "8123"
    assert environment["PATH"].endswith(":/usr/bin")
    assert environment["SARAFAN_LAUNCHER"] == str(os.getpid())
    assert {"SECRET_KEY", "ENCRYPTION_KEY"} <= set(environment)


def test_what_the_environment_says_stays(environment):
    environment["SECRET_KEY"] = "my own"

    run._complete_environment(8123)

    assert environment["SECRET_KEY"] == "my own"

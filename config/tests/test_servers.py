import os
import shutil
import signal
import stat
import time

import psutil
import pytest

from config.servers.place import LONGEST_SOCKET_NAME, SOCKET_PATH_BYTES_MAX, Place
from config.servers.use import NotStarted, using_server


@pytest.fixture
def place():
    place = Place(f"scratch-{os.getpid()}")
    yield place
    shutil.rmtree(place.folder, ignore_errors=True)
    shutil.rmtree(place.sockets, ignore_errors=True)


def find_servers(place):
    """Return the processes that serve in a place."""
    return [process for process in psutil.process_iter() if str(place.sockets) in _command(process)]


def _command(process):
    try:
        # Of one that has died, but is not buried yet, it is empty.
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def await_server(place, *, other_than=None):
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        for process in find_servers(place):
            if process.pid != other_than and (place.sockets / "valkey.sock").exists():
                return process
        time.sleep(0.05)
    raise AssertionError("No server came.")


def test_the_last_one_out_stops_the_server(place):
    with using_server("valkey", place):
        with using_server("valkey", place):
            assert len(find_servers(place)) == 1
        assert len(find_servers(place)) == 1
    assert find_servers(place) == []


def test_only_the_owner_may_enter_the_folder_of_the_sockets(place):
    with using_server("valkey", place):
        assert stat.S_IMODE(place.sockets.stat().st_mode) == 0o700


def test_a_killed_server_is_started_again(place):
    with using_server("valkey", place):
        killed = await_server(place)
        killed.kill()

        assert await_server(place, other_than=killed.pid).is_running()


def test_a_killed_keeper_takes_its_server_along_and_the_next_user_starts_anew(place):
    with using_server("valkey", place):
        server = await_server(place)
        server.parent().send_signal(signal.SIGKILL)
        psutil.wait_procs([server], timeout=5)
        assert find_servers(place) == []

    with using_server("valkey", place):
        assert len(find_servers(place)) == 1


def test_a_server_that_cannot_start_says_why(place):
    place.folder.mkdir(parents=True)
    place.make_sockets()
    (place.sockets / "valkey.sock").mkdir()

    with pytest.raises(NotStarted, match=r"valkey"), using_server("valkey", place):
        pass


def test_a_long_path_gets_short_sockets():
    long = Place("x" * 100)

    assert len(os.fsencode(long.sockets / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX
    assert long.sockets != Place("y" * 100).sockets

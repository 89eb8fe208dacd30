"""
Use the embedded servers: start them if nobody has, and let them go.

Everybody who uses a server holds its lock `users` together with the others. A process of its own, the keeper, has
started the server and waits until it gets that lock alone: then nobody is left, and it stops the server.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from config import env
from config.servers import locks
from config.servers.place import Place


class NotStarted(SystemExit):
    """A server did not come up. The message says why."""


@contextmanager
def using(place: Place) -> Iterator[None]:
    """
    Have what the environment gives no address of answer in `place`, for as long as the block lasts.

    :raises NotStarted: if it does not come up
    """
    with ExitStack() as stack:
        if env.find("DATABASE_URL") is None:
            stack.enter_context(using_server("postgres", place))
        if env.find("BROKER_URL") is None or env.find("CACHE_URL") is None:
            stack.enter_context(using_server("valkey", place))
        yield


@contextmanager
def using_server(name: str, place: Place) -> Iterator[None]:
    """
    Have one server answer in `place` for as long as the block lasts.

    :raises NotStarted: if it does not come up
    """
    _make_folder(place)
    users, keeper = place.folder / f"{name}.users.lock", place.folder / f"{name}.keeper.lock"
    started = None
    try:
        with locks.shared(users):
            with locks.alone(place.folder / f"{name}.start.lock"):
                if locks.is_free(keeper):
                    started = _start_keeper(name, place)
            yield
    finally:
        # The last one out waits until the server has stopped, so that nothing is left behind when we end.
        while not locks.is_free(keeper) and not locks.is_shared(users):
            time.sleep(0.05)
        if started is not None:
            _part_with(started)


def _make_folder(place: Place) -> None:
    try:
        place.folder.mkdir(parents=True, exist_ok=True)
    except PermissionError:
        raise NotStarted(f"{place.folder} cannot be made: its parent belongs to another user.") from None
    if not os.access(place.folder, os.W_OK):
        raise NotStarted(f"{place.folder} belongs to another user. Run as that user, or remove it.")


def _start_keeper(name: str, place: Place) -> subprocess.Popen[bytes]:
    with (place.folder / f"{name}.keeper.log").open("wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "config.servers.keeper", name, place.profile],
            cwd=env.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            # A Ctrl-C is for us alone: the server goes when its last user has gone.
            start_new_session=True,
        )
    try:
        _await_ready(keeper, NotStarted(f"The embedded {name} did not start: see {log.name}."))
    except NotStarted:
        keeper.wait()
        raise
    return keeper


def _await_ready(keeper: subprocess.Popen[bytes], silence: NotStarted) -> None:
    """Pass on what the keeper says before it says `ready`; what it says last, if it never does, is the reason."""
    assert keeper.stdout is not None
    said: list[str] = []
    with keeper.stdout as output:
        for line in output:
            if line == b"ready\n":
                print("".join(said), end="", file=sys.stderr)
                return
            said.append(line.decode())
    raise NotStarted("".join(said).strip()) if said else silence


def _part_with(keeper: subprocess.Popen[bytes]) -> None:
    """Bury a keeper that has ended; one that works on for others is nobody's child any more, and that is no mistake."""
    try:
        keeper.wait(timeout=1)
    except subprocess.TimeoutExpired:
        keeper.returncode = 0

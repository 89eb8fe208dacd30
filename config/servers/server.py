"""What PostgreSQL and Valkey have in common as child processes."""

import ctypes
import pwd
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Final

from config.servers.place import DidNotStart, Place

READY_WITHIN_SECONDS: Final = 60
STOP_WITHIN_SECONDS: Final = 20
PR_SET_PDEATHSIG: Final = 1


class Server(ABC):
    """One child process."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    # Another user to run as.
    user: pwd.struct_passwd | None = None

    def __init__(self, place: Place) -> None:
        self.place = place
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.place.folder / f"{self.name}.log"

    @abstractmethod
    def prepare(self) -> None:
        """Make what must be there before the start, and clear away what a killed run has left."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return the program and its arguments."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Say whether the server answers."""

    def start(self) -> None:
        """
        Start the server and wait until it answers.

        :raises DidNotStart: if it ends, or does not answer in time
        """
        self.prepare()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # The kernel sends this signal when the keeper dies: a server must not outlive it.
                preexec_fn=lambda: _die_with_parent(self.stop_signal),  # noqa: PLW1509 (one thread)
                **as_user(self.user),
            )
        give_up = time.monotonic() + READY_WITHIN_SECONDS
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise DidNotStart(f"The embedded {self.name} did not start: {self._last_words()}")
            time.sleep(0.05)

    def restart_if_dead(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            print(f"{self.name} has died and is started again.", file=sys.stderr, flush=True)
            self.start()

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'it said nothing'} ({self.log})"


def as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Return what `subprocess` needs in order to run a program as somebody else."""
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _die_with_parent(stop_signal: signal.Signals) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(stop_signal))

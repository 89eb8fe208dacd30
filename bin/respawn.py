"""
Run the command in `COMMAND`, and run it again when it crashes.

A process manager that stops everything when one process ends (honcho does) shall not do so for a crash that a fresh
start mends. SIGTERM and SIGINT are passed on, and then the end is the end. A command that keeps crashing at once is
given up, with its own exit code.

The command ends as well when the launcher that wanted it is gone, even by a `kill -9`: the launcher's number is in
`SARAFAN_LAUNCHER`. And the command stands in the environment, not among our arguments, so that who kills "all that is
called celery" kills the worker and not its nurse.
"""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import time
from typing import Final

LOOK_EVERY_SECONDS: Final = 0.5
PAUSE_SECONDS: Final = 1.0
# So many crashes in a row, each sooner than so many seconds after its start, are no accident.
CRASHES_MAX: Final = 5
SOON_SECONDS: Final = 10.0
PR_SET_PDEATHSIG: Final = 1
ENDING: Final = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """Somebody asked us to end."""


def main() -> int:
    """Return the exit code of the last run, or 0 if it was ended on demand."""
    command = shlex.split(os.environ["COMMAND"])
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    crashes = 0
    try:
        while True:
            started = time.monotonic()
            code = _run(command)
            crashes = crashes + 1 if time.monotonic() - started < SOON_SECONDS else 1
            if code == 0 or crashes >= CRASHES_MAX:
                return code
            print(f"It ended with {code} and is started again.", flush=True)
            time.sleep(PAUSE_SECONDS)
    except Stopped:
        return 0


def _run(command: list[str]) -> int:
    """
    Return the exit code of one run.

    :raises Stopped: when the command was ended on demand
    """
    # Whoever asks us to end while the command is being started is heard once there is a child to pass it on to.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    child = subprocess.Popen(command, preexec_fn=_begin)  # noqa: PLW1509 (one thread)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        while True:
            try:
                return child.wait(LOOK_EVERY_SECONDS)
            except subprocess.TimeoutExpired:
                _require_launcher()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()


def _require_launcher() -> None:
    launcher = os.environ.get("SARAFAN_LAUNCHER")
    try:
        if launcher is not None:
            os.kill(int(launcher), 0)
    except ProcessLookupError:
        raise Stopped from None


def _begin() -> None:
    """Let the command hear signals again, and end when we do."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))


def _stop(*_: object) -> None:
    # A second signal while the command is ending must not interrupt that.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())

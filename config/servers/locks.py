"""
Locks that the kernel lets go of when their holder ends, however it ends.

So nothing here has to be cleaned after a `kill -9`.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold a lock together with others, and wait until nobody holds it alone."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock alone, and wait for it."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def find_alone(path: Path) -> IO[str] | None:
    """Return a file whose lock is held alone until it is closed, or `None` where somebody else has it."""
    file = path.open("a")
    if _take(file, fcntl.LOCK_EX):
        return file
    file.close()
    return None


def is_free(path: Path) -> bool:
    """Say whether nobody holds a lock in any way."""
    file = find_alone(path)
    if file is not None:
        file.close()
    return file is not None


def is_shared(path: Path) -> bool:
    """Say whether somebody holds a lock in the way that others may, too."""
    with path.open("a") as file:
        return _take(file, fcntl.LOCK_SH) and not _take(file, fcntl.LOCK_EX)


def _take(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

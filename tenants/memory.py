"""A process's short memory: what was looked up a moment ago, so that it need not be asked of the database again."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memory(Generic[T]):
    """
    Remember up to `size_max` answers for `ttl_seconds` each, "there is no such thing" included.

    Each process has its own, so that a change made elsewhere is seen after `ttl_seconds` at the latest.
    """

    def __init__(self, *, ttl_seconds: float, size_max: int) -> None:
        self.ttl_seconds = ttl_seconds
        self.size_max = size_max
        self._answers: dict[str, tuple[float, T]] = {}
        self._lock = threading.Lock()

    def recall(self, key: str, look_up: Callable[[], T]) -> T:
        """Return the answer for `key`, looked up if it is not remembered."""
        known = self._answers.get(key)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        answer = look_up()
        self.keep(key, answer)
        return answer

    def keep(self, key: str, answer: T) -> None:
        """Remember an answer from now on."""
        with self._lock:
            self._answers.pop(key, None)
            if len(self._answers) >= self.size_max:
                # The oldest goes: dictionaries keep the order in which things came.
                del self._answers[next(iter(self._answers))]
            self._answers[key] = (time.monotonic() + self.ttl_seconds, answer)

    def find(self, key: str) -> T | None:
        """Return the answer for `key`, or None if it is not remembered."""
        known = self._answers.get(key)
        return known[1] if known is not None and time.monotonic() < known[0] else None

    def last(self, key: str) -> T | None:
        """Return the answer for `key` as it was last known, however long ago, or None."""
        known = self._answers.get(key)
        return None if known is None else known[1]

    def forget(self) -> None:
        """Remember nothing."""
        with self._lock:
            self._answers.clear()

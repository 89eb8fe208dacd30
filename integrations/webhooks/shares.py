"""
How the threads of a process that delivers are shared among tenants.

A tenant may have another thread as long as more are free than it has already: alone it has half of them, of `k` who
want all of them each has one part of `k + 1`, and one part is left for whoever comes next. (Dynamic thresholds, as
switches share their memory: Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998.)
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Share:
    """So many threads, of which a tenant has `most` at most, and never more than are free then. For one process."""

    def __init__(self, *, size: int, most: int | None = None) -> None:
        self._size = size
        self._most = size if most is None else most
        self._held: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def taken(self, schema: str) -> Iterator[bool]:
        """Tell whether a tenant may have one more, and let it have it for as long as the block lasts."""
        is_taken = self._take(schema)
        try:
            yield is_taken
        finally:
            if is_taken:
                self._give_back(schema)

    def _take(self, schema: str) -> bool:
        with self._lock:
            held = self._held[schema]
            if held >= min(self._most, self._size - self._held.total()):
                return False
            self._held[schema] = held + 1
            return True

    def _give_back(self, schema: str) -> None:
        with self._lock:
            self._held[schema] -= 1
            # Tenants come and go; a process stays.
            self._held += Counter()

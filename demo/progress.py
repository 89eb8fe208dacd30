"""How far the feed is: a bar for somebody at a terminal, a line now and then in a log of several programs."""

import sys
from typing import Final, TextIO

from tqdm import tqdm

STEP_PERCENT: Final = 5


class Progress:
    """Counts towards `total`; what was done before it began counts as well."""

    def __init__(self, *, title: str, total: int, done: int, stream: TextIO | None = None) -> None:
        self._title, self._total, self._done = title, total, done
        self._stream = stream or sys.stdout
        self._said = self._percent()
        self._bar = (
            tqdm(total=total, initial=done, desc=title, unit="event", file=self._stream)
            if self._stream.isatty()
            else None
        )

    def advance(self, count: int) -> None:
        """Count so many more."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif self._percent() - self._said >= STEP_PERCENT or self._done == self._total:
            self._said = self._percent()
            line = f"{self._title}: {self._said:3} %, {self._done:,} of {self._total:,} events"
            print(line, file=self._stream, flush=True)

    def close(self) -> None:
        """Leave the bar where it is."""
        if self._bar is not None:
            self._bar.close()

    def _percent(self) -> int:
        return 100 * self._done // self._total

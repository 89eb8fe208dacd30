"""Counts how each operation answered: fuzzing that reached nothing finds nothing either."""

import atexit
import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import schemathesis

# By operation, and by the first digit of the status.
type_of_tally = Mapping[str, Mapping[str, int]]

COLUMNS = ("2", "3", "4", "5")
_counted: dict[str, Counter[str]] = {}


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Take an answer down. What was asked with another method than the operation's is not its answer."""
    if response.request.method == case.operation.method.upper():
        _counted.setdefault(case.operation.label, Counter())[str(response.status_code)[0]] += 1


@atexit.register
def _write() -> None:
    if "FUZZ_TALLY" in os.environ:
        Path(os.environ["FUZZ_TALLY"]).write_text(json.dumps(_counted))


def read(path: Path) -> type_of_tally:
    """Return what was counted."""
    found: type_of_tally = json.loads(path.read_text())
    return found


def table(tally: type_of_tally) -> str:
    """Return a line for each operation, the one that did its work least often first."""
    rows = sorted(tally.items(), key=lambda row: (_share(row[1]), row[0]))
    head = f"{'':6}" + "".join(f"{column + 'xx':>8}" for column in COLUMNS)
    lines = [
        f"{_share(counts):6.0%}" + "".join(f"{counts.get(each, 0):8}" for each in COLUMNS) + f"  {name}"
        for name, counts in rows
    ]
    return "\n".join([head, *lines])


def never_done(tally: type_of_tally) -> list[str]:
    """Return the operations that never did their work."""
    return sorted(name for name, counts in tally.items() if not counts.get("2"))


def _share(counts: Mapping[str, int]) -> float:
    return counts.get("2", 0) / sum(counts.values())

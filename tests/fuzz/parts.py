"""Which operations are fuzzed: all of them, or a part that a run of its own takes (ONLY, SHARD)."""

import os
import re
from collections.abc import Mapping
from typing import Any, Final

# A regular expression over addresses.
ONLY: Final = os.environ.get("ONLY", "")
# "2/3" is the second of three parts, for runs side by side.
SHARD: Final = os.environ.get("SHARD") or "1/1"
SANDBOX: Final = "/api/v1/sandbox/"


def of_live_tenants(document: Mapping[str, Any]) -> list[str]:
    """Return the operations of this run, without those that only a sandbox has."""
    return [name for name in _of_this_run(document) if SANDBOX not in name]


def of_sandboxes(document: Mapping[str, Any]) -> list[str]:
    """Return the operations of this run that only a sandbox has."""
    return [name for name in _of_this_run(document) if SANDBOX in name]


def _of_this_run(document: Mapping[str, Any]) -> list[str]:
    number, count = (int(each) for each in SHARD.split("/"))
    by_resource: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        # What belongs together stays together, so that one can walk from an answer to the next.
        resource = by_resource.setdefault(path.split("/")[3], [])
        resource += [f"{method.upper()} {path}" for method in operations]
    shards: list[list[str]] = [[] for _ in range(count)]
    for names in sorted(by_resource.values(), key=len, reverse=True):
        min(shards, key=len).extend(names)
    return sorted(name for name in shards[number - 1] if re.search(ONLY, name.partition(" ")[2]))

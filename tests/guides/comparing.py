"""Compares what a guide shows with what is true: all of it, but for what differs from one reader to the next."""

import re
from collections.abc import Mapping
from typing import Any, Final

TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
ID: Final = re.compile(r"(^|_)id$")
# Lists of nothing but ids.
IDS: Final = {"events"}
# Made up by chance, or telling where the reader's server is.
BY_CHANCE: Final = {"code", "link", "url", "secret", "ending"}
# Stands in a guide for members that are left out.
MORE: Final = "…"


def differences(shown: Any, true: Any, *, at: str = "") -> list[str]:
    """Return where an answer is not as it is shown. Nothing: it is."""
    name = at.rpartition(".")[2].partition("[")[0]
    if isinstance(shown, Mapping) and isinstance(true, Mapping):
        return _between_objects(shown, true, at)
    if isinstance(shown, list) and isinstance(true, list) and len(shown) == len(true):
        pairs = enumerate(zip(shown, true, strict=True))
        return [each for number, (one, other) in pairs for each in differences(one, other, at=f"{at}[{number}]")]
    if type(shown) is type(true) and (shown == true or _may_differ(name, shown, true)):
        return []
    return [f"{at}: shown {shown!r}, but it is {true!r}"]


def _between_objects(shown: Mapping[str, Any], true: Mapping[str, Any], at: str) -> list[str]:
    found = [f"{at}.{name}: shown, but not there" for name in shown if name not in true and name != MORE]
    if MORE not in shown:
        found += [f"{at}.{name}: there, but not shown ({true[name]!r})" for name in true if name not in shown]
    for name in shown.keys() & true.keys():
        found += differences(shown[name], true[name], at=f"{at}.{name}")
    return found


def _may_differ(name: str, shown: Any, true: Any) -> bool:
    if isinstance(shown, str) and TIME.fullmatch(shown):
        return bool(TIME.fullmatch(true))
    return bool(ID.search(name)) or name in IDS or (name in BY_CHANCE and bool(true))

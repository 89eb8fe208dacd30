"""What a member does, as it will be reported to the API. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

# Stands in the `extra` of whatever did not really happen.
SIMULATED: Final = {"simulated": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """
    One event to report.

    `at` is when it occurred, None for "as it is reported". `inviter` is the external_id of the member whose code a new
    one came with: the code itself is known to the API only.
    """

    key: str
    kind: str
    who: Mapping[str, str]
    at: datetime | None
    data: Mapping[str, Any] = field(default_factory=dict)
    inviter: str = ""

    def body(self, *, codes: Mapping[str, str]) -> dict[str, Any]:
        """Return the event as the API takes it. It is the same however often it is asked for: a repeat is harmless."""
        body: dict[str, Any] = {"key": self.key, "kind": self.kind, "member": dict(self.who), "data": dict(self.data)}
        if self.inviter:
            body["data"]["code"] = codes[self.inviter]
        if self.at is not None:
            body["occurred_at"] = self.at.isoformat(timespec="seconds")
        return body


def in_order(acts: list[Act]) -> tuple[Act, ...]:
    """Return acts as they happened, those that happen as they are reported last. Of two at once the first told is."""
    return tuple(sorted(acts, key=lambda act: (act.at is None, act.at.timestamp() if act.at else 0.0)))

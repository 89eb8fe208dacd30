"""Who does something by hand: somebody of the staff, or a program by its key."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from tenants import audit


class Actor(NamedTuple):
    """A person of the staff by user name, or a key by what it is called."""

    kind: Literal["staff", "key"]
    name: str

    def note(self, *, action: str, target: str, changes: Mapping[str, Any], at: datetime) -> None:
        """Write what this one did into the audit log."""
        audit.record(actor_kind=self.kind, actor=self.name, action=action, target=target, changes=changes, at=at)

"""
The log of what staff and keys changed. It only grows.

A trigger says so; and each entry's hash covers the one before it, so that whoever gets past the trigger leaves a gap
that `verify` finds. No chain can show that its end was cut off: keep its head, which `manage.py verify_audit` prints,
somewhere else.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from core.db import execute, joined, json_text
from tenants.staff.models import AuditEntry

# Of the advisory locks. It is taken last, and held until the commit: entries of one schema stand in one order.
LOCK_CLASS: Final = 7003

FIRST_HASH: Final = "0" * 64

ACTOR_LENGTH_MAX: Final = 150
ACTION_LENGTH_MAX: Final = 60
TARGET_LENGTH_MAX: Final = 200


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A place where the chain does not hold: before this entry something is missing, or the entry was changed."""

    entry_id: int
    what: Literal["missing", "changed"]


def record(
    *,
    actor_kind: Literal["staff", "key", "system"],
    actor: str,
    action: str,
    target: str,
    changes: Mapping[str, Any],
    at: datetime,
) -> None:
    """Write an entry to the log of the current schema: with the caller's transaction, if there is one."""
    values = {
        "at": at.astimezone(UTC),
        "actor_kind": actor_kind,
        "actor": actor[:ACTOR_LENGTH_MAX],
        "action": action[:ACTION_LENGTH_MAX],
        "target": target[:TARGET_LENGTH_MAX],
        # Fractions as text: jsonb may write a number in another way than it was given.
        "changes": json.loads(json_text(changes), parse_float=str),
    }
    with joined():
        execute("SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))", [LOCK_CLASS])
        previous_hash = head()
        AuditEntry.objects.create(**values, previous_hash=previous_hash, hash=_hash(previous_hash, values))


def verify() -> list[Gap]:
    """Return where the log of the current schema was tampered with."""
    gaps = []
    previous_hash = FIRST_HASH
    for entry in AuditEntry.objects.order_by("id").iterator():
        if entry.previous_hash != previous_hash:
            gaps.append(Gap(entry_id=entry.id, what="missing"))
        if entry.hash != _hash(entry.previous_hash, _values_of(entry)):
            gaps.append(Gap(entry_id=entry.id, what="changed"))
        previous_hash = entry.hash
    return gaps


def head() -> str:
    """Return the last entry's hash, which stands for the whole log so far."""
    return AuditEntry.objects.order_by("-id").values_list("hash", flat=True).first() or FIRST_HASH


def _hash(previous_hash: str, values: Mapping[str, Any]) -> str:
    canonical = json.dumps(
        {**values, "at": values["at"].isoformat(timespec="microseconds")},
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(f"{previous_hash}{canonical}".encode()).hexdigest()


def _values_of(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": entry.at.astimezone(UTC),
        "actor_kind": entry.actor_kind,
        "actor": entry.actor,
        "action": entry.action,
        "target": entry.target,
        "changes": entry.changes,
    }

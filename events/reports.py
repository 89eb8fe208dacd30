"""What a sender reports: one event, checked and clean, ready to be recorded."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from core import sealing
from core.errors import FieldError, Invalid
from core.errors import translated as _
from events import kinds, schemas, shapes
from events.fields import Kind
from members import identities
from members.identities import SealedIdentity

AHEAD_MAX: Final = timedelta(minutes=5)
AGE_MAX: Final = timedelta(days=90)
# Five years, with as many leap days as they can hold.
AGE_MAX_BACKFILLED: Final = timedelta(days=5 * 365 + 2)
# Older ones, where the key may send them, are a tenant's history and no news.
NEWS_AGE_MAX: Final = timedelta(days=1)
PROBLEMS_MAX: Final = 20

KEY: Final = schemas.text(200, "Your own unique name for this event: sent twice, it is recorded once.")
KIND: Final = schemas.text(60, "What happened.")
MEMBERS: Final = ("key", "kind", "member", "occurred_at", "data")

# RFC 3339. Python would also read what few others can, such as weeks of the year.
INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?([Zz]|[+-]\d\d(:?\d\d)?)", flags=re.ASCII
)

_encoder: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
_check_key = shapes.compile_schema(KEY)
_check_kind = shapes.compile_schema(KIND)
_check_data = {name: shapes.compile_schema(kind.schema) for name, kind in kinds.KINDS.items()}


class InvalidEvent(Invalid):
    """Something in the event is missing, unknown or out of bounds; `errors` says what and where."""

    message = _("The event is not valid.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who reports: the tenant's schema, the country of its phone numbers, and how far back its key may go."""

    schema: str
    region: str | None
    may_backfill: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An event as it will be recorded. Personal identities are sealed; `fingerprint` tells two bodies apart."""

    key: str
    kind: str
    occurred_at: datetime
    data: Mapping[str, Any]
    identities: tuple[SealedIdentity, ...]
    business_key: str | None
    fingerprint: str
    is_history: bool


def read(*, body: object, sender: Sender, pointer: str = "", at: datetime) -> Report:
    """
    Return what was sent, checked and clean. `pointer` is where in the request it stands.

    :raises InvalidEvent: with everything that is wrong with it, or the failure of the one identity that is wrong.
    """
    if not isinstance(body, dict):
        raise InvalidEvent(errors=[FieldError(pointer=pointer, detail=_("This must be an object."))])
    problems: list[FieldError] = [
        FieldError(pointer=f"{pointer}/{shapes.escaped(name)}", detail=_("There is no such field."))
        for name in body
        if name not in MEMBERS
    ]
    key = _check_key(body.get("key", ""), f"{pointer}/key", problems)
    kind, data = _what(body, pointer, problems)
    payload = canonical(body)
    if not problems:
        _measure(payload, data, pointer, problems)
    occurred_at = _when(body, sender, pointer, problems, at)
    found = _whom(body, sender, pointer, problems)
    if problems:
        raise InvalidEvent(errors=problems[:PROBLEMS_MAX])
    return Report(
        key=key,
        kind=body["kind"].strip(),
        occurred_at=occurred_at,
        data=data,
        identities=found,
        business_key=kind.business_key(data) if kind else None,
        fingerprint=sealing.fingerprint(schema=sender.schema, payload=payload),
        is_history=sender.may_backfill and at - occurred_at > NEWS_AGE_MAX,
    )


def canonical(body: Mapping[str, Any]) -> bytes:
    """Return the same bytes for two bodies that say the same, however their members are ordered and spaced."""
    return _encoder.encode(body).encode()


def _what(body: Mapping[str, Any], pointer: str, problems: list[FieldError]) -> tuple[Kind | None, dict[str, Any]]:
    count = len(problems)
    name = _check_kind(body.get("kind", ""), f"{pointer}/kind", problems)
    if len(problems) > count:
        return None, {}
    kind = kinds.find_reported(name)
    if kind is None:
        detail = _("There is no such kind of event. One of your own is called custom. and a name.")
        problems.append(FieldError(pointer=f"{pointer}/kind", detail=detail))
        return None, {}
    data = body.get("data", {})
    return kind, _check_data[kind.name](data, f"{pointer}/data", problems)


def _measure(payload: bytes, data: dict[str, Any], pointer: str, problems: list[FieldError]) -> None:
    # Only a large event can hold too much data, and measuring costs as much as checking.
    size_bytes_max = schemas.DATA_SIZE_BYTES_MAX
    if len(payload) > size_bytes_max and shapes.size_bytes(data) > size_bytes_max:
        detail = _("This is larger than %(max)s KiB.") % {"max": size_bytes_max // 1024}
        problems.append(FieldError(pointer=f"{pointer}/data", detail=detail))


def _when(body: Mapping[str, Any], sender: Sender, pointer: str, problems: list[FieldError], at: datetime) -> datetime:
    if "occurred_at" not in body:
        return at
    found = instant_of(body["occurred_at"])
    oldest = at - (AGE_MAX_BACKFILLED if sender.may_backfill else AGE_MAX)
    if found is None:
        detail = _("This must be an instant with its time zone, as in 2026-03-01T12:30:00+03:00.")
    elif found > at + AHEAD_MAX:
        detail = _("This is more than 5 minutes ahead.")
    elif found < oldest and sender.may_backfill:
        detail = _("This is more than five years ago.")
    elif found < oldest:
        detail = _("This is more than 90 days ago. A key with the scope events:backfill may go back five years.")
    else:
        return found
    problems.append(FieldError(pointer=f"{pointer}/occurred_at", detail=detail))
    return at


def instant_of(value: object) -> datetime | None:
    """Return the instant that a text names (RFC 3339, the zone required), in UTC, or None."""
    if not isinstance(value, str) or not INSTANT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _whom(
    body: Mapping[str, Any], sender: Sender, pointer: str, problems: list[FieldError]
) -> tuple[SealedIdentity, ...]:
    given, place = body.get("member"), f"{pointer}/member"
    if not isinstance(given, dict):
        detail = _("This must be an object.") if "member" in body else _("This is required.")
        problems.append(FieldError(pointer=place, detail=detail))
        return ()
    try:
        return identities.prepare(schema=sender.schema, identities=given, region=sender.region, pointer=place)
    except Invalid as failure:
        # Alone it speaks for itself, with its own code; among others it is one of them.
        if not problems:
            raise
        problems.extend(failure.errors)
        return ()

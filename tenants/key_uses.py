"""
When and from where keys were used, and tried in vain.

This is for people, who ask "today or last year?", and never in the way of a request: losing it harms nobody.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from core.db import transaction
from tenants import audit, context, keys
from tenants.keys import KnownKey
from tenants.models import ApiKey, Tenant

logger = logging.getLogger(__name__)

# Writing it at each request would double the statements.
NOTED_EVERY: Final = timedelta(minutes=1)
# For so long after the last attempt people are told of it.
ALARM_LASTS: Final = timedelta(days=7)

# What was noted, and of which key → when this process last did so.
_noted: dict[tuple[str, int], datetime] = {}


def note(*, key: KnownKey, address: str | None, at: datetime) -> None:
    """Write down that a key was used, unless this process did so a moment ago."""
    if not _is_due("used", key, at):
        return
    try:
        ApiKey.objects.filter(id=key.id).update(last_used_at=at, last_used_from=address)
    except DatabaseError:
        # The request it belongs to is answered already, and its work is committed.
        logger.exception("The use of an API key could not be written down.")


def note_refused(*, key: KnownKey, address: str | None, at: datetime) -> None:
    """
    Write down that somebody sent a key that has ended, and give the alarm if it had been replaced.

    Then a program still has the old key, or somebody has who should not. The first time is a fact of the tenant's,
    also of a key that was revoked or has expired.
    """
    if not _is_due("refused", key, at):
        return
    try:
        _note_refused(key, address, at)
    except DatabaseError:
        logger.exception("The use of an API key that has ended could not be written down.")


def note_elsewhere(*, key: KnownKey, address: str | None, at: datetime) -> None:
    """Tell the log that a good key came from a network that it may not be used from."""
    if _is_due("elsewhere", key, at):
        logger.warning("The API key %s… was sent from %s, which its networks do not have.", key.start, address)


def list_alarms(*, tenant: Tenant, at: datetime) -> QuerySet[ApiKey]:
    """Return a tenant's keys, and its sandbox's, that were replaced, have ended and were tried since, newest first."""
    found = keys.list_of(tenant=tenant).filter(refused_at__gt=at - ALARM_LASTS, replaced_by__isnull=False)
    return found.select_related("tenant").order_by("-refused_at")


def forget() -> None:
    """Write down the next use of each key, whenever the last was."""
    _noted.clear()


def _is_due(what: str, key: KnownKey, at: datetime) -> bool:
    noted_at = _noted.get((what, key.id))
    if noted_at is not None and at - noted_at < NOTED_EVERY:
        return False
    _noted[what, key.id] = at
    return True


def _note_refused(key: KnownKey, address: str | None, at: datetime) -> None:
    row = ApiKey.objects.filter(id=key.id)
    noted = {"refused_at": at, "refused_from": address}
    with context.in_tenant(key.tenant.schema_name), transaction():
        # Of all processes that see it within a minute one writes it down.
        is_first = row.filter(refused_at=None).update(**noted) == 1
        was_noted = is_first or row.filter(refused_at__lte=at - NOTED_EVERY).update(**noted) == 1
        successor = ApiKey.objects.filter(replaces=key.id).first() if was_noted else None
        if is_first:
            _tell(key, successor, address, at)
    if successor is not None:
        logger.warning(
            "The API key %s…, which %s has replaced, is still used at %s from %s.",
            key.start,
            successor,
            at.isoformat(timespec="seconds"),
            address,
        )


def _tell(key: KnownKey, successor: ApiKey | None, address: str | None, at: datetime) -> None:
    """Record in the tenant that a key was first used after its end; in the log of changes too if it was replaced."""
    why = "replaced" if successor else "revoked" if key.revoked_at else "expired"
    import_string(settings.FACT_RECORDER)(
        kind="key.used_after_end",
        key=f"key:{key.id}:used_after_end",
        data={"start": key.start, "name": key.name, "why": why, "used_at": at, "from": address},
        at=at,
    )
    if successor is not None:
        audit.record(
            actor_kind="system",
            actor="keys",
            action="apikey.used_after_its_end",
            target=f"apikey:{key.id} {key}",
            changes={"from": address, "replaced_by": str(successor)},
            at=at,
        )

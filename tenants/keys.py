"""API keys: issued once, known by a hash, revoked for ever. A key leads to one tenant, or to its sandbox twin."""

import hmac
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.utils.translation import gettext_lazy as _

from core import codes
from core.db import in_transaction, transaction
from core.errors import Conflict, FieldError, Invalid
from tenants import context, sandboxes
from tenants.memory import Memory
from tenants.models import ApiKey, Tenant

logger = logging.getLogger(__name__)

ALL_SCOPES: tuple[str, ...] = tuple(ApiKey.Scope.values)
NAME_LENGTH_MAX = 100

# `last_used_at` is for people, who ask "today or last year?". Writing it at each request would double the statements.
USE_NOTED_EVERY = timedelta(minutes=1)

# A revoked key works on for as long as this in the processes that have just seen it.
_keys: Memory["KnownKey | None"] = Memory(ttl_seconds=5, size_max=5_000)
# Key id → when its use was last written down by this process.
_noted: dict[int, datetime] = {}


class InvalidKey(Invalid):
    """The name or the scopes of a key make no sense."""

    message = _("The key is not valid.")


class AlreadyRevoked(Conflict):
    """The key was revoked before."""

    message = _("This key is already revoked.")


@dataclass(frozen=True, kw_only=True)
class KnownKey:
    """A key as it is remembered between requests: what is needed to let its owner in."""

    id: int
    name: str
    prefix: str
    secret_hash: str
    scopes: frozenset[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    tenant: Tenant

    @property
    def start(self) -> str:
        """What the key begins with: all of it that may be shown."""
        return f"sk_{codes.KEY_WORDS[self.tenant.environment]}_{self.prefix}_"

    def is_good(self, *, given: codes.Key, at: datetime) -> bool:
        """Tell whether what was given is this key and it still holds. It takes the same time whatever is wrong."""
        matches = hmac.compare_digest(self.secret_hash, codes.secret_hash(given.secret))
        holds = self.revoked_at is None and (self.expires_at is None or at < self.expires_at)
        # Somebody who reads "live" must not be misled about where a key leads.
        return matches and holds and given.full.startswith(self.start)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"


@in_transaction
def add(
    *,
    tenant: Tenant,
    environment: str,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    at: datetime,
) -> tuple[ApiKey, str]:
    """
    Issue a key, and return it with its full text, which cannot be had again.

    `environment` says where it leads: `live`, or `sandbox`, which a tenant's first such key brings into being.

    :raises InvalidKey: for a name or scopes that make no sense, and for a live key of a sandbox.
    """
    _check(name, scopes)
    with context.in_public():
        target = _target_of(tenant, environment, at)
        made = codes.new_key(target.environment)
        key = ApiKey.objects.create(
            tenant=target,
            name=name.strip(),
            prefix=made.prefix,
            secret_hash=codes.secret_hash(made.secret),
            scopes=sorted(scopes),
            created_at=at,
            expires_at=expires_at,
        )
    return key, made.full


# For callers that have no transaction of their own.
issue = transaction(add)


def revoke(*, key: ApiKey, at: datetime) -> None:
    """
    Let a key open nothing any more: at once in this process, within seconds in the others.

    :raises AlreadyRevoked: when it was revoked before.
    """
    if not ApiKey.objects.filter(id=key.id, revoked_at=None).update(revoked_at=at):
        raise AlreadyRevoked
    forget()


def find(*, prefix: str) -> KnownKey | None:
    """Return the key with this prefix, revoked and expired ones too, as it was a few seconds ago at most."""
    return _keys.recall(prefix, lambda: _look_up(prefix))


def note_use(*, key: KnownKey, at: datetime) -> None:
    """Write down that a key was used, unless this process did so a moment ago. Losing it harms nobody."""
    noted_at = _noted.get(key.id)
    if noted_at is not None and at - noted_at < USE_NOTED_EVERY:
        return
    _noted[key.id] = at
    try:
        ApiKey.objects.filter(id=key.id).update(last_used_at=at)
    except DatabaseError:
        # The request it belongs to is answered already, and its work is committed.
        logger.exception("The use of an API key could not be written down.")


def forget() -> None:
    """Forget all keys: one has changed."""
    _keys.forget()


def _check(name: str, scopes: Collection[str]) -> None:
    errors = []
    if not 1 <= len(name.strip()) <= NAME_LENGTH_MAX or not name.isprintable():
        errors.append(FieldError(pointer="/name", detail=_("Give the key a name of 1 to 100 characters.")))
    if not scopes or not set(scopes) <= set(ALL_SCOPES):
        errors.append(FieldError(pointer="/scopes", detail=_("Choose what the key may do.")))
    if errors:
        raise InvalidKey(errors=errors)


def _target_of(tenant: Tenant, environment: str, at: datetime) -> Tenant:
    if environment == tenant.environment:
        return tenant
    if environment == Tenant.Environment.SANDBOX:
        return sandboxes.ensure(live=tenant, at=at)
    raise InvalidKey(_("A sandbox has test keys only."), pointer="/environment")


def _look_up(prefix: str) -> KnownKey | None:
    row = ApiKey.objects.select_related("tenant").filter(prefix=prefix).first()
    if row is None:
        return None
    return KnownKey(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        secret_hash=row.secret_hash,
        scopes=frozenset(row.scopes),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        tenant=row.tenant,
    )

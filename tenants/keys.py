"""
API keys: issued once, known by a hash, changed for another, revoked for ever.

A key leads to one tenant, or to its sandbox twin.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from core import codes
from core.db import after_commit, in_transaction, transaction
from core.errors import Conflict, Invalid
from tenants import context, key_wishes, networks, sandboxes
from tenants.key_wishes import Wish
from tenants.memory import Memory
from tenants.models import ApiKey, Tenant
from tenants.networks import Network

ALL_SCOPES: tuple[str, ...] = tuple(ApiKey.Scope.values)
# All that a publishable key may have: what harms nobody, whoever does it.
PUBLIC_SCOPES: tuple[str, ...] = (ApiKey.Scope.PUBLIC_READ, ApiKey.Scope.CLICKS_WRITE)

OVERLAP_DEFAULT: Final = timedelta(hours=24)
OVERLAP_MAX: Final = timedelta(days=7)

# A revoked key works on for as long as this in the processes that have just seen it.
_keys: Memory["KnownKey"] = Memory(ttl_seconds=5, size_max=5_000)
# Prefixes that no key has, apart: whoever makes them up shall not drive out the keys that there are.
_absent: Memory[bool] = Memory(ttl_seconds=5, size_max=5_000)


class InvalidKey(Invalid):
    """What is wished of a key makes no sense."""

    message = _("The key is not valid.")


class InvalidOverlap(Invalid):
    """Nobody keeps two keys for that long."""

    message = _("The old key may be valid for 0 to 168 hours more.")


class AlreadyRevoked(Conflict):
    """The key was revoked before."""

    message = _("This key is already revoked.")


class AlreadyRotated(Conflict):
    """The key has a successor."""

    message = _("This key has been replaced already.")


class KeyEnded(Conflict):
    """The key is revoked or expired."""

    message = _("This key opens nothing any more, so there is nothing to replace. Issue a new one.")


@dataclass(frozen=True, kw_only=True)
class KnownKey:
    """A key as it is remembered between requests: what is needed to let its owner in."""

    id: int
    kind: str
    name: str
    prefix: str
    secret_hash: str
    scopes: frozenset[str]
    networks: tuple[Network, ...]
    origins: frozenset[str]
    requests_a_second_max: int | None
    expires_at: datetime | None
    revoked_at: datetime | None
    tenant: Tenant

    @property
    def start(self) -> str:
        """What the key begins with: all of it that may be shown."""
        return codes.key_start(environment=self.tenant.environment, kind=self.kind, prefix=self.prefix)

    @property
    def is_publishable(self) -> bool:
        return self.kind == ApiKey.Kind.PUBLISHABLE

    def is_what(self, given: codes.Key) -> bool:
        """Tell whether what was given is this key. It takes the same time whatever is wrong."""
        matches = hmac.compare_digest(self.secret_hash, codes.secret_hash(given.secret))
        # Somebody who reads "live" must not be misled about where a key leads.
        return matches and given.full.startswith(self.start)

    def holds(self, *, at: datetime) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def is_welcome_from(self, address: str | None) -> bool:
        """Tell whether the key may be used from an address."""
        return not self.networks or networks.has(self.networks, address)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"


@in_transaction
def add(  # noqa: PLR0913 (what a key is)
    *,
    tenant: Tenant,
    environment: str,
    name: str,
    scopes: Collection[str],
    kind: str = ApiKey.Kind.SECRET,
    allowed_networks: Collection[str] = (),
    allowed_origins: Collection[str] = (),
    requests_a_second_max: int | None = None,
    expires_at: datetime | None = None,
    at: datetime,
) -> tuple[ApiKey, str]:
    """
    Issue a key, and return it with its full text, which cannot be had again.

    `environment` says where it leads: `live`, or `sandbox`, which a tenant's first such key brings into being.

    :raises InvalidKey: for what makes no sense, with a pointer to each value, and for a live key of a sandbox.
    """
    wish = Wish(
        kind=kind,
        name=name.strip(),
        scopes=tuple(sorted(scopes)),
        allowed_networks=tuple(allowed_networks),
        allowed_origins=tuple(allowed_origins),
        requests_a_second_max=requests_a_second_max,
        expires_at=expires_at,
    )
    checked = _checked(wish)
    return _made(_target_of(tenant, environment, at), checked, at)


# For callers that have no transaction of their own.
issue = transaction(add)


@in_transaction
def rotate(*, key: ApiKey, overlap: timedelta = OVERLAP_DEFAULT, at: datetime) -> tuple[ApiKey, str]:
    """
    Issue a key in place of another, which stays valid for `overlap` more; return it with its full text.

    It may what the old one may, from where that may, and lives as long as that should have lived from its beginning.

    :raises InvalidOverlap: for less than nothing, or more than OVERLAP_MAX.
    :raises KeyEnded: for one that is revoked or expired.
    :raises AlreadyRotated: for one that was replaced before.
    """
    if not timedelta() <= overlap <= OVERLAP_MAX:
        raise InvalidOverlap(pointer="/overlap")
    old = ApiKey.objects.select_for_update(of=("self",)).select_related("tenant").get(id=key.id)
    if not is_in_force(old, at=at):
        raise KeyEnded
    if ApiKey.objects.filter(replaces=old).exists():
        raise AlreadyRotated
    wish = replace(wish_of(old), expires_at=None if old.expires_at is None else at + (old.expires_at - old.created_at))
    made = _made(old.tenant, wish, at, replaces=old)
    ends_at = at + overlap
    old.expires_at = ends_at if old.expires_at is None else min(old.expires_at, ends_at)
    old.save(update_fields=["expires_at"])
    after_commit(forget)
    return made


@in_transaction
def confine(
    *,
    key: ApiKey,
    allowed_networks: Collection[str],
    allowed_origins: Collection[str],
    requests_a_second_max: int | None,
) -> None:
    """
    Say anew from where a key may be used, and how often: within seconds it is so in all processes.

    :raises InvalidKey: for what makes no sense, with a pointer to each value.
    """
    wish = wish_of(
        key,
        allowed_networks=allowed_networks,
        allowed_origins=allowed_origins,
        requests_a_second_max=requests_a_second_max,
    )
    stored = _checked(wish).columns()
    names = ("allowed_networks", "allowed_origins", "requests_a_second_max")
    ApiKey.objects.filter(id=key.id).update(**{name: stored[name] for name in names})
    after_commit(forget)


def revoke(*, key: ApiKey, at: datetime) -> None:
    """
    Let a key open nothing any more: at once in this process, within seconds in the others.

    :raises AlreadyRevoked: when it was revoked before.
    """
    if not ApiKey.objects.filter(id=key.id, revoked_at=None).update(revoked_at=at):
        raise AlreadyRevoked
    forget()


def is_in_force(key: ApiKey, *, at: datetime) -> bool:
    """Tell whether a key is neither revoked nor expired."""
    return key.revoked_at is None and (key.expires_at is None or at < key.expires_at)


def list_of(*, tenant: Tenant) -> QuerySet[ApiKey]:
    """Return a tenant's keys, and those of its sandbox."""
    return ApiKey.objects.filter(Q(tenant=tenant) | Q(tenant__live=tenant))


def wish_of(key: ApiKey, **changed: Any) -> Wish:
    """Return a key as it could be wished for once more, or with something changed."""
    return Wish.of(**{name: getattr(key, name) for name in Wish.__dataclass_fields__} | changed)


def find(*, prefix: str) -> KnownKey | None:
    """Return the key with this prefix, revoked and expired ones too, as it was a few seconds ago at most."""
    known = _keys.find(prefix)
    if known is None and not _absent.find(prefix):
        known = _look_up(prefix)
        if known is None:
            _absent.keep(prefix, answer=True)
        else:
            _keys.keep(prefix, known)
    return known


def is_familiar(given: codes.Key) -> bool:
    """Tell whether this process has met the very key before, lately or not: then no stranger sends it."""
    known = _keys.last(given.prefix)
    return known is not None and known.is_what(given)


def find_successor(*, key: KnownKey) -> KnownKey | None:
    """Return the key that was issued in place of this one, if one was."""
    row = ApiKey.objects.select_related("tenant").filter(replaces=key.id).first()
    return None if row is None else _known(row)


def forget() -> None:
    """Forget all keys: one has changed."""
    _keys.forget()
    _absent.forget()


def _checked(wish: Wish) -> Wish:
    faults = key_wishes.list_faults(wish=wish, public_scopes=PUBLIC_SCOPES)
    if faults:
        raise InvalidKey(errors=faults)
    return key_wishes.normalised(wish)


def _made(tenant: Tenant, wish: Wish, at: datetime, **more: Any) -> tuple[ApiKey, str]:
    made = codes.new_key(tenant.environment, wish.kind)
    with context.in_public():
        key = ApiKey.objects.create(
            tenant=tenant,
            prefix=made.prefix,
            secret_hash=codes.secret_hash(made.secret),
            created_at=at,
            **wish.columns(),
            **more,
        )
    return key, made.full


def _target_of(tenant: Tenant, environment: str, at: datetime) -> Tenant:
    if environment == tenant.environment:
        return tenant
    if environment == Tenant.Environment.SANDBOX:
        with context.in_public():
            return sandboxes.ensure(live=tenant, at=at)
    raise InvalidKey(_("A sandbox has test keys only."), pointer="/environment")


def _look_up(prefix: str) -> KnownKey | None:
    row = ApiKey.objects.select_related("tenant").filter(prefix=prefix).first()
    return None if row is None else _known(row)


def _known(row: ApiKey) -> KnownKey:
    return KnownKey(
        id=row.id,
        kind=row.kind,
        name=row.name,
        prefix=row.prefix,
        secret_hash=row.secret_hash,
        scopes=frozenset(row.scopes),
        networks=networks.read(row.allowed_networks),
        origins=frozenset(row.allowed_origins),
        requests_a_second_max=row.requests_a_second_max,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        tenant=row.tenant,
    )

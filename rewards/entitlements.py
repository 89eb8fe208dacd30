"""
What members are given besides units: certificates, codes, privileges, products, content.

An entitlement is written as waiting, and brought as far as it goes by its kind (`rewards.kinds.<kind>.giving`). Its key
is made from what it follows from, so that it is given once. Codes are sealed; one is found by its blind index.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from importlib import import_module
from typing import Any, Final, NamedTuple, Protocol, cast

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core import sealing
from core.codes import normalise_code
from core.db import current_schema, fetch, in_transaction, json_text, transaction
from core.errors import Conflict
from events import facts
from events.facts import Fact
from members import people
from rewards.models import Entitlement, Gift
from tenants import periods

Status = Entitlement.Status

# A pool is a certificate of which the brand is not chosen yet.
SAME_KIND: Final = {Gift.Kind.POOL.value: Gift.Kind.CERTIFICATE.value}
# Codes of stock and of entitlements are sealed alike, so that SQL can hand one over.
SEALED_AS: Final = "entitlement_code"

# What can become of an entitlement that is not over.
BEFORE_ISSUE: Final = (Status.CHOOSING, Status.WAITING, Status.ORDERED, Status.UNKNOWN)
OVER: Final = (Status.CANCELLED, Status.EXPIRED)
WHY_LENGTH_MAX: Final = 300


class EntitlementChanged(Conflict):
    """It is not any more what it was, or never was what this needs."""

    message = _("Its state does not allow this any more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntitlement:
    """Something to give. `value_minor` is a certificate's; `details` is whatever its kind keeps with it."""

    key: str
    kind: str
    gift_id: int
    member_id: int
    reward_id: int | None = None
    redemption_id: int | None = None
    value_minor: int | None = None
    currency: str = ""
    actor: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


class Issue(NamedTuple):
    """What an entitlement gets when it is issued: its code, sealed and indexed, and the time in which it is valid."""

    id: int
    code: str = ""
    code_index: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None


class Giving(Protocol):
    """What a kind does: `rewards.kinds.<kind>.giving`. What changes anything runs in the caller's transaction."""

    def begin(self, *, entitlements: Sequence[Entitlement], at: datetime) -> None:
        """Bring waiting entitlements as far as they go now."""

    def stop(self, *, entitlements: Sequence[Entitlement], why: str, at: datetime) -> dict[int, str]:
        """Cancel; say of those that cannot be taken back why (`Reward.LostWhy`)."""

    def why_lost(self, *, entitlement: Entitlement) -> str:
        """Say why one could not be taken back as it stands (`Reward.LostWhy`), or ""."""


# Verbs


@in_transaction
def lock() -> None:
    """Hold the tenant's lock until the transaction ends: whoever gives, stops or uses does."""
    people.lock(current_schema())


@in_transaction
def give(*, new: Sequence[NewEntitlement], at: datetime) -> list[Entitlement]:
    """
    Give, and return what was given in the order of `new`. A key that was given before is the entitlement of then.

    The caller holds the tenant's lock. It takes one statement to write them, and a few for each kind among them.
    """
    if not new:
        return []
    fresh = {row.id for row in fetch(INSERT, _columns(new, at=at))}
    keys = [each.key for each in new]
    if fresh:
        written = _rows(Entitlement.objects.filter(pk__in=fresh).order_by("pk"))
        for kind, rows in _by_kind(written):
            giving_of(kind).begin(entitlements=rows, at=at)
        tell(what="issued", ids=_in_status(fresh, Status.ISSUED), at=at)
    found = {each.key: each for each in _rows(Entitlement.objects.filter(key__in=keys))}
    return [found[key] for key in keys]


@in_transaction
def stop(*, entitlements: Sequence[Entitlement], why: str, at: datetime, actor: str = "") -> dict[int, str]:
    """
    Take back what can be taken back; return of each that cannot why it is lost (`Reward.LostWhy`), by its id.

    They are read anew. What is over already stays as it is, and is not lost. The caller holds the tenant's lock.
    """
    lost: dict[int, str] = {}
    asked = Entitlement.objects.filter(pk__in=[each.pk for each in entitlements]).order_by("pk")
    going = _rows(asked.exclude(status__in=OVER)) if entitlements else []
    for kind, rows in _by_kind(going):
        lost |= giving_of(kind).stop(entitlements=rows, why=why[:WHY_LENGTH_MAX], at=at)
    stopped = _in_status([each.pk for each in going], Status.CANCELLED)
    tell(what="cancelled", ids=stopped, why=why, actor=actor, at=at)
    return lost


@in_transaction
def mark_issued(*, issues: Sequence[Issue], at: datetime) -> list[int]:
    """
    Issue what has not been issued yet, in one statement; return the ids of what was.

    Nothing is told: `give` does for what it gives, whoever issues later calls `tell`.

    :raises django.db.IntegrityError: when a code is one that another entitlement of its kind has.
    """
    if not issues:
        return []
    columns = [list(column) for column in zip(*issues, strict=True)]
    params = dict(zip(Issue._fields, columns, strict=True)) | {"was": list(map(str, BEFORE_ISSUE)), "at": at}
    return [row.id for row in fetch(MARK_ISSUED, params)]


@in_transaction
def cancel(*, ids: Collection[int], was: Collection[str], why: str, at: datetime) -> set[int]:
    """Cancel those that are in one of these statuses; return which were. Nothing is told: `stop` does."""
    if not ids:
        return set()
    params = {"ids": list(ids), "was": [str(each) for each in was], "why": why[:WHY_LENGTH_MAX], "at": at}
    return {row.id for row in fetch(CANCEL, params)}


@in_transaction
def mark_used(*, entitlement: Entitlement, used_for: str, actor: str = "", at: datetime) -> None:
    """
    Mark an issued entitlement as used, for an order perhaps.

    :raises EntitlementChanged: when it is not issued any more.
    """
    issued = Entitlement.objects.filter(pk=entitlement.pk, status=Status.ISSUED)
    if not issued.update(status=Status.USED, used_at=at, used_for=used_for):
        raise EntitlementChanged
    # One that was given back may be used again.
    used = facts_of(what="used", ids=[entitlement.pk], why=used_for, actor=actor)
    facts.record(facts=[each._replace(key=f"{each.key}:{at.isoformat()}") for each in used], at=at)


@in_transaction
def note_shown(*, ids: Collection[int], at: datetime) -> set[int]:
    """
    Note that something is about to be seen, and return what of it may be: not what was taken back meanwhile.

    Under the tenant's lock, so that a code is either seen or back in the stock.
    """
    people.lock(current_schema())
    return {row.id for row in fetch(NOTE_SHOWN, {"ids": list(ids), "at": at})}


@transaction
def expire_due(*, schema: str, limit: int, at: datetime) -> int:
    """Let up to `limit` issued entitlements end whose time is over, the oldest first, and return how many."""
    people.lock(schema)
    expired = [row.id for row in fetch(EXPIRE, {"at": at, "limit": limit})]
    tell(what="expired", ids=expired, at=at)
    return len(expired)


@in_transaction
def tell(*, what: str, ids: Collection[int], at: datetime, why: str = "", actor: str = "") -> None:
    """
    Record the facts `entitlement.<what>` of what can happen once only: told again, it is the same fact.

    Whoever issues an entitlement after `give` has returned tells that it is "issued".
    """
    facts.record(facts=facts_of(what=what, ids=ids, why=why, actor=actor), at=at)


def facts_of(*, what: str, ids: Collection[int], why: str = "", actor: str = "") -> list[Fact]:
    """Return the facts that `tell` records, one for each, in the order of ids. No code is in them."""
    if not ids:
        return []
    return [_fact(row, what, why=why, actor=actor) for row in fetch(TOLD, {"ids": list(ids)})]


# Reading


def list_of(member_id: int) -> QuerySet[Entitlement]:
    """Return what a member was given, the newest first, each with its gift."""
    return Entitlement.objects.filter(member_id=member_id).select_related("gift").order_by("-pk")


def list_of_rewards(reward_ids: Collection[int]) -> QuerySet[Entitlement]:
    """Return what rewards became, each with its gift."""
    return Entitlement.objects.filter(reward_id__in=reward_ids).select_related("gift").order_by("pk")


def giving_of(kind: str) -> Giving:
    """Return what gives entitlements of a kind."""
    package = settings.REWARD_KINDS[SAME_KIND.get(kind, kind)]
    return cast("Giving", import_module(f"{package}.giving"))


def last_instant(*, days: int | None, zone: tzinfo, at: datetime) -> datetime | None:
    """Return the local midnight at which what is valid for so many days from `at` on is over; None for never."""
    if days is None:
        return None
    return periods.midnight(at.astimezone(zone).date() + timedelta(days=days + 1), zone=zone)


# Codes


def seal(code: str) -> str:
    """Return a code as it is stored, in the stock and in entitlements."""
    return sealing.seal(schema=current_schema(), kind=SEALED_AS, value=code)


def index_of(*, kind: str, gift_id: int, code: str) -> str:
    """
    Return what a code is found by, in the stock and in entitlements.

    A discount code is looked up by itself, so it is one in the whole tenant, however it is written; of two brands'
    certificates each may have the same code, and another one that differs by a small letter.
    """
    lookup = normalise_code(code) if kind == Gift.Kind.DISCOUNT else f"{gift_id}|{code.strip()}"
    return sealing.index(schema=current_schema(), kind=SEALED_AS, lookup=lookup)


def code_of(entitlement: Entitlement) -> str:
    """Return an entitlement's code to be shown; "" while it has none."""
    return sealing.unseal(schema=current_schema(), kind=SEALED_AS, value=entitlement.code) if entitlement.code else ""


def masked(code: str) -> str:
    """Return a code of which only the end is readable."""
    return f"••••{code[-4:]}" if len(code) > 4 else "••••"


# Within


def _rows(found: QuerySet[Entitlement]) -> list[Entitlement]:
    return list(found.select_related("gift"))


def _by_kind(rows: Iterable[Entitlement]) -> list[tuple[str, list[Entitlement]]]:
    found: dict[str, list[Entitlement]] = defaultdict(list)
    for row in rows:
        found[SAME_KIND.get(row.kind, row.kind)].append(row)
    return sorted(found.items())


def _in_status(ids: Collection[int], status: str) -> list[int]:
    return list(Entitlement.objects.filter(pk__in=ids, status=status).order_by("pk").values_list("pk", flat=True))


def _fact(row: Any, what: str, *, why: str, actor: str) -> Fact:
    data = {
        "entitlement_id": row.id,
        "kind": row.kind,
        "gift": row.gift_code,
        "reward_id": row.reward_id,
        "redemption_id": row.redemption_id,
        "value_minor": row.value_minor,
        "currency": row.currency,
        "valid_until": row.valid_until and row.valid_until.isoformat(),
        "actor": actor or row.actor,
        "why": why,
    }
    return Fact(
        kind=f"entitlement.{what}",
        key=f"entitlement:{row.id}:{what}",
        data={name: value for name, value in data.items() if value not in (None, "")},
        member_id=row.member_id,
        cause_id=row.event_id,
        depth=0 if row.event_id is None else min(row.depth + 1, facts.DEPTH_MAX),
    )


def _columns(new: Sequence[NewEntitlement], *, at: datetime) -> dict[str, Any]:
    names = ("key", "kind", "gift_id", "member_id", "reward_id", "redemption_id", "value_minor", "currency", "actor")
    columns: dict[str, Any] = {name: [getattr(each, name) for each in new] for name in names}
    return columns | {"details": json_text([dict(each.details) for each in new]), "at": at}


INSERT = """
INSERT INTO rewards_entitlement (
    key, kind, gift_id, member_id, reward_id, redemption_id, value_minor, currency, actor, details, status, created_at,
    code, code_index, provider_order, attempts, problem, used_for, ended_why
)
SELECT key, kind, gift_id, member_id, reward_id, redemption_id, value_minor, currency, actor, details, 'waiting',
    %(at)s, '', '', '', 0, '', '', ''
FROM ROWS FROM (
    unnest(
        %(key)s::text[], %(kind)s::text[], %(gift_id)s::bigint[], %(member_id)s::bigint[], %(reward_id)s::bigint[],
        %(redemption_id)s::bigint[], %(value_minor)s::bigint[], %(currency)s::text[], %(actor)s::text[]
    ),
    jsonb_array_elements(%(details)s::jsonb)
) WITH ORDINALITY AS n (
    key, kind, gift_id, member_id, reward_id, redemption_id, value_minor, currency, actor, details, nth
)
ORDER BY nth
ON CONFLICT (key) DO NOTHING
RETURNING id
"""

MARK_ISSUED = """
UPDATE rewards_entitlement e
SET status = 'issued', issued_at = %(at)s, code = n.code, code_index = n.code_index,
    valid_from = coalesce(n.valid_from, %(at)s), valid_until = n.valid_until, problem = '', next_attempt_at = NULL
FROM unnest(%(id)s::bigint[], %(code)s::text[], %(code_index)s::text[], %(valid_from)s::timestamptz[],
    %(valid_until)s::timestamptz[]) AS n (id, code, code_index, valid_from, valid_until)
WHERE e.id = n.id AND e.status = ANY(%(was)s::text[])
RETURNING e.id
"""

CANCEL = """
UPDATE rewards_entitlement
SET status = 'cancelled', ended_at = %(at)s, ended_why = %(why)s, next_attempt_at = NULL
WHERE id = ANY(%(ids)s::bigint[]) AND status = ANY(%(was)s::text[])
RETURNING id
"""

NOTE_SHOWN = """
UPDATE rewards_entitlement SET shown_at = coalesce(shown_at, %(at)s)
WHERE id = ANY(%(ids)s::bigint[]) AND status IN ('issued', 'used', 'delivered')
RETURNING id
"""

EXPIRE = """
WITH due AS (
    SELECT id FROM rewards_entitlement
    WHERE status = 'issued' AND valid_until <= %(at)s
    ORDER BY valid_until, id LIMIT %(limit)s FOR NO KEY UPDATE
)
UPDATE rewards_entitlement e SET status = 'expired', ended_at = %(at)s
FROM due WHERE e.id = due.id AND e.status = 'issued'
RETURNING e.id
"""

TOLD = """
SELECT e.id, e.kind, e.member_id, e.reward_id, e.redemption_id, e.value_minor, e.currency, e.valid_until, e.actor,
    gift.code AS gift_code, r.event_id, event.depth
FROM rewards_entitlement e
JOIN rewards_gift gift ON gift.id = e.gift_id
LEFT JOIN rewards_reward r ON r.id = e.reward_id
LEFT JOIN events_event event ON event.id = r.event_id
WHERE e.id = ANY(%(ids)s::bigint[])
ORDER BY e.id
"""

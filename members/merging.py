"""
Two members who turn out to be one person: all that one is known by and has goes over to the other, for good.

The one who goes keeps their number, which is never anybody else's, and points at the other. What other floors keep of
them they take over by verbs of their own (`settings.MERGED_BY`), from top to bottom, under the tenant's lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from core.db import current_schema, execute, fetch, in_transaction, savepoint
from core.errors import Conflict
from members import people
from members.models import Member
from tenants import audit


class SameMember(Conflict):
    """Both are one member already, or it is one and the same."""

    message = _("Both are the same member.")


class MemberMerged(Conflict):
    """Somebody was quicker: one of them has gone into a member already."""

    message = _("This member was merged into another.")


class MemberErased(Conflict):
    """Of somebody who is forgotten nobody can say who they are."""

    message = _("Somebody who was erased cannot be merged.")


@dataclass(frozen=True, slots=True)
class Merged:
    """Who stays, who went, and what went over, by what it is: `{"identities": 2, "rewards": 5, …}`."""

    into: Member
    away: Member
    moved: Mapping[str, Any] = field(default_factory=dict)


@in_transaction
def merge(
    *, into: Member, away: Member, actor_kind: Literal["staff", "key"], actor: str, note: str = "", at: datetime
) -> Merged:
    """
    Let `away` go into `into`. It cannot be undone: `preview` says what would go over.

    If one of them is blocked, the one who stays is.

    :raises SameMember: | MemberMerged | MemberErased
    """
    people.lock(current_schema())
    _require_two(into, away)
    identities = _hand_over(into, away)
    execute(JOIN, {"into_id": into.pk, "away_id": away.pk})
    moved: dict[str, Any] = {"identities": identities}
    for verb in settings.MERGED_BY:
        moved |= import_string(verb)(into_id=into.pk, away_id=away.pk, at=at)
    into.refresh_from_db()
    away.refresh_from_db()
    audit.record(
        actor_kind=actor_kind,
        actor=actor,
        action="member.merged",
        target=f"member:{away.pk}",
        changes={"into": into.pk, "note": note, "moved": moved},
        at=at,
    )
    return Merged(into, away, moved)


@in_transaction
def preview(*, into: Member, away: Member, at: datetime) -> Merged:
    """
    Return what `merge` would do, and do nothing: it is done, and undone.

    :raises SameMember: | MemberMerged | MemberErased
    """
    try:
        with savepoint():
            raise _DoneForShow(merge(into=into, away=away, actor_kind="key", actor="", at=at))
    except _DoneForShow as shown:
        into.refresh_from_db()
        away.refresh_from_db()
        return shown.merged


class _DoneForShow(Exception):
    """Takes back what was done to see what it does."""

    def __init__(self, merged: Merged) -> None:
        super().__init__()
        self.merged = merged


def _require_two(into: Member, away: Member) -> None:
    # As they are now: whoever was found before the lock may have gone since.
    now = Member.objects.in_bulk([into.pk, away.pk])
    statuses = {each.status for each in now.values()}
    if len(now) < 2 or now.keys() & {each.merged_into_id for each in now.values()}:
        raise SameMember
    if Member.Status.MERGED in statuses:
        raise MemberMerged
    if Member.Status.ERASED in statuses:
        raise MemberErased


def _hand_over(into: Member, away: Member) -> int:
    """Give the one who stays what the other is known by; return how many identities are new to them."""
    whose = {"into_id": into.pk, "away_id": away.pk}
    both = fetch(DROP, whose)
    columns: dict[str, list[object]] = {
        name: [getattr(row, name) for row in both] for name in ("id", "resolves", "added_at")
    }
    execute(KEEP, columns)
    return execute(MOVE, whose)


# What both are known by stays once. It has been theirs since whichever came first.
DROP = """
DELETE FROM members_identity gone USING members_identity own
WHERE gone.member_id = %(away_id)s AND own.member_id = %(into_id)s
    AND own.kind = gone.kind AND own.lookup = gone.lookup
RETURNING own.id, own.resolves OR gone.resolves AS resolves, least(own.added_at, gone.added_at) AS added_at
"""
KEEP = """
UPDATE members_identity i SET resolves = k.resolves, added_at = k.added_at
FROM unnest(%(id)s::bigint[], %(resolves)s::boolean[], %(added_at)s::timestamptz[]) AS k (id, resolves, added_at)
WHERE i.id = k.id
"""
# Of these a person has one: another of them goes on finding them, as a former one.
MOVE = """
UPDATE members_identity i SET member_id = %(into_id)s, is_former = i.is_former OR EXISTS (
    SELECT FROM members_identity own
    WHERE own.member_id = %(into_id)s AND own.kind = i.kind AND NOT own.is_former
) AND i.kind IN ('external_id', 'telegram')
WHERE i.member_id = %(away_id)s
"""
JOIN = """
WITH gone AS (
    UPDATE members_member m SET status = 'merged', merged_into_id = %(into_id)s
    FROM members_member was WHERE m.id = %(away_id)s AND was.id = m.id
    RETURNING was.status, was.first_seen_at, was.joined_at
)
UPDATE members_member m SET
    status = CASE WHEN gone.status = 'blocked' THEN gone.status ELSE m.status END,
    first_seen_at = least(m.first_seen_at, gone.first_seen_at), joined_at = least(m.joined_at, gone.joined_at)
FROM gone WHERE m.id = %(into_id)s
"""

"""
Forgetting a person who asks for it: what they are known by goes, what they did and were owed stays, under a number.

Of each identity a keyed index remains, which says nothing and can be asked for equality only: whoever comes again is a
new member, who was known before. What other floors keep of a person they forget by verbs of their own
(`settings.ERASED_BY`).
"""

from datetime import datetime
from typing import Literal

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from core import sealing
from core.db import current_schema, execute, in_transaction
from core.errors import Conflict
from members import people
from members.identities import SEALED
from members.merging import MemberMerged
from members.models import Identity, Member
from members.normalise import RESOLVING
from tenants import audit


class AlreadyErased(Conflict):
    """There is nothing left to forget."""

    message = _("This member is erased already.")


@in_transaction
def erase(*, member: Member, actor_kind: Literal["staff", "key"], actor: str, at: datetime) -> None:
    """
    Forget who a member is. It cannot be undone.

    :raises AlreadyErased:
    :raises MemberMerged:
    """
    schema = current_schema()
    people.lock(schema)
    if Member.objects.filter(pk=member.pk, status=Member.Status.MERGED).exists():
        raise MemberMerged
    going = Member.objects.filter(pk=member.pk).exclude(status=Member.Status.ERASED)
    if not going.exists():
        raise AlreadyErased
    # Lists find what to forget by the indexes as they still are, and whom to remember by the status.
    for verb in settings.ERASED_BY:
        import_string(verb)(member_id=member.pk)
    kinds = _bury(member, schema)
    going.update(status=Member.Status.ERASED)
    _tell(member.pk, at=at)
    member.refresh_from_db()
    audit.record(
        actor_kind=actor_kind,
        actor=actor,
        action="member.erased",
        target=f"member:{member.pk}",
        changes={"identities": kinds},
        at=at,
    )


def _bury(member: Member, schema: str) -> list[str]:
    rows = list(Identity.objects.filter(member=member).order_by("pk").values_list("pk", "kind", "lookup"))
    plain = [(pk, kind, lookup) for pk, kind, lookup in rows if kind in RESOLVING and kind not in SEALED]
    indexes = [sealing.index(schema=schema, kind=kind, lookup=lookup) for _pk, kind, lookup in plain]
    execute(BURY, {"member_id": member.pk, "ids": [pk for pk, _kind, _lookup in plain], "indexes": indexes})
    return sorted(kind for _pk, kind, _lookup in rows)


def _tell(member_id: int, *, at: datetime) -> None:
    """Record it, so that whoever was told of them outside forgets them too."""
    import_string(settings.FACT_RECORDER)(
        kind="member.erased",
        key=f"member:{member_id}:erased",
        data={"member_id": member_id},
        member_id=member_id,
        at=at,
    )


BURY = """
UPDATE members_identity i SET value = '', resolves = false, lookup = coalesce(buried.lookup, i.lookup)
FROM members_identity own
LEFT JOIN unnest(%(ids)s::bigint[], %(indexes)s::text[]) AS buried (id, lookup) ON buried.id = own.id
WHERE own.member_id = %(member_id)s AND i.id = own.id
"""

"""
Telling a person all that is held about them (GDPR, articles 15 and 20), a bit at a time, however much it is.

What other floors hold they tell by verbs of their own (`settings.EXPORTED_BY`): each gives sections, a name and rows.
Nothing is told of other people: not who invited, who was invited, or who of the staff did what.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.conf import settings
from django.db.models import Q
from django.utils.module_loading import import_string

from core.db import current_schema, fetch, json_text
from members import identities
from members.models import Member
from tenants import audit, context

type_of_row = Mapping[str, Any]
type_of_section = tuple[str, Iterable[type_of_row]]

BATCH_SIZE: Final = 500


def export(*, member: Member, key: str, at: datetime) -> Iterator[str]:
    """
    Note in the audit log that a key asks for it, and return the parts of one JSON object, made as they are asked for.

    Whoever was merged into the member is the same person.
    """
    audit.record(actor_kind="key", actor=key, action="member.exported", target=f"member:{member.pk}", changes={}, at=at)
    same = Member.objects.filter(Q(pk=member.pk) | Q(merged_into=member.pk))
    return _in_schema(current_schema(), _written(sorted(same.values_list("pk", flat=True)), at))


def rows(sql: str, *, member_ids: Sequence[int]) -> Iterator[type_of_row]:
    """
    Yield what a statement finds, so many rows at a time. It has %(member_ids)s, %(after)s, %(limit)s, and an `id`.
    """
    after = 0
    while found := fetch(sql, {"member_ids": list(member_ids), "after": after, "limit": BATCH_SIZE}):
        yield from (row._asdict() for row in found)
        after = found[-1].id


def _sections(member_ids: Sequence[int]) -> Iterator[type_of_section]:
    yield "members", rows(MEMBERS, member_ids=member_ids)
    yield "identities", map(_opened, rows(IDENTITIES, member_ids=member_ids))
    for verb in settings.EXPORTED_BY:
        yield from import_string(verb)(member_ids=member_ids)


def _opened(row: type_of_row) -> type_of_row:
    value = identities.opened(schema=current_schema(), kind=row["kind"], value=row["value"])
    return {**row, "value": value}


def _written(member_ids: Sequence[int], at: datetime) -> Iterator[str]:
    yield f'{{"exported_at":{json_text(at)}'
    for name, found in _sections(member_ids):
        yield f',"{name}":['
        waiting, comma = iter(found), ""
        while several := list(islice(waiting, BATCH_SIZE)):
            yield comma + ",".join(map(json_text, several))
            comma = ","
        yield "]"
    yield "}"


def _in_schema(schema: str, parts: Iterator[str]) -> Iterator[str]:
    """Make each part in the tenant's schema: between two of them the connection is anybody's."""
    while True:
        with context.in_tenant(schema):
            part = next(parts, None)
        if part is None:
            return
        yield part


MEMBERS = """
SELECT id, status, first_seen_at, joined_at FROM members_member
WHERE id = ANY(%(member_ids)s::bigint[]) AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""

# What was made from others has no value.
IDENTITIES = """
SELECT id, kind, value, is_former, added_at FROM members_identity
WHERE member_id = ANY(%(member_ids)s::bigint[]) AND value <> '' AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""

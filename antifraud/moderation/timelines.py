"""What happened to a member, for whoever judges them: their timeline, and since when they are known by what."""

from collections.abc import Iterator

from members import identities
from members.models import Identity
from rewards import portraits
from rewards.portraits import Moment
from tenants import context

# What is made from these, and the tenant's own name of somebody, are no news.
TELLING = ("telegram", "email", "phone", "card", "device", "ip")


def timeline_of(*, member_id: int, size: int) -> list[Moment]:
    """Return the latest of what happened to a member, newest first, in three statements."""
    moments = [*portraits.timeline_of(member_id=member_id, size=size), *_turned_up(member_id, size)]
    return sorted(moments, key=lambda each: each.at, reverse=True)[:size]


def _turned_up(member_id: int, size: int) -> Iterator[Moment]:
    """Yield when each of a member's identities was first seen, the latest first."""
    schema = context.current().schema_name
    rows = Identity.objects.filter(member=member_id, kind__in=TELLING).exclude(value="")
    for row in rows.order_by("-added_at", "-pk")[:size]:
        yield Moment(
            at=row.added_at,
            what="identity",
            id=row.pk,
            kind=row.kind,
            title=str(Identity.Kind(row.kind).label),
            detail=identities.masked(schema=schema, kind=row.kind, value=row.value),
            gives="",
            status="",
            status_label="",
        )

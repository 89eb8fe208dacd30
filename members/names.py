"""How members are called in lists: by the tenant's own id where there is one, else by a masked identity."""

from collections.abc import Iterable

from django.db.models import QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from core.db import fetch
from members import identities
from members.models import Identity
from tenants import context

# The strongest identity of each member. What a shop calls its customer says most to its staff. Whoever was merged into
# another is called as that one is.
NAMES = """
SELECT DISTINCT ON (m.id) m.id AS member_id, i.kind, i.value
FROM members_member m
JOIN members_identity i ON i.member_id = coalesce(m.merged_into_id, m.id)
WHERE m.id = ANY(%(member_ids)s::bigint[]) AND i.value <> ''
ORDER BY m.id, i.is_former,
    array_position(ARRAY['external_id', 'telegram', 'email', 'phone', 'card', 'device'], i.kind::text), i.id
"""


def own_ids() -> QuerySet[Identity]:
    """
    Return the tenant's own ids of its members: one of each at most, and none of whoever is erased.

    Those of members who were merged into another are former ones: they find the member, and are not told.
    """
    return Identity.objects.filter(kind=Identity.Kind.EXTERNAL_ID, resolves=True, is_former=False)


def is_own_id(alias: str) -> str:
    """Return what `own_ids` asks of identities, as SQL about those that a statement calls `alias`."""
    return f"{alias}.kind = 'external_id' AND {alias}.resolves AND NOT {alias}.is_former"


def external_id_of(member: Combinable) -> Subquery:
    """Return the tenant's own id of a member, or null, for a query to add to its rows. `member` is an `OuterRef`."""
    return Subquery(own_ids().filter(member=member).values("lookup")[:1])


# Of whoever was merged into another it is that one's.
EXTERNAL_IDS = f"""
SELECT m.id AS member_id, i.lookup FROM members_member m
JOIN members_identity i ON i.member_id = coalesce(m.merged_into_id, m.id) AND {is_own_id("i")}
WHERE m.id = ANY(%(member_ids)s::bigint[])
"""  # noqa: S608 (constants only)


def external_ids_of(member_ids: Iterable[int | None]) -> dict[int, str]:
    """Return the tenant's own id of each member who has one, in one statement."""
    wanted = sorted({each for each in member_ids if each is not None})
    rows = fetch(EXTERNAL_IDS, {"member_ids": wanted}) if wanted else []
    return {row.member_id: row.lookup for row in rows}


def names_of(member_ids: Iterable[int | None]) -> dict[int, str]:
    """Return a name for each member, personal values masked, in one statement."""
    wanted = sorted({each for each in member_ids if each is not None})
    schema = context.current().schema_name
    rows = fetch(NAMES, {"member_ids": wanted}) if wanted else []
    named = {row.member_id: _name(schema, row.kind, row.value) for row in rows}
    return {each: named.get(each) or str(_("Member %(id)s") % {"id": each}) for each in wanted}


def _name(schema: str, kind: str, value: str) -> str:
    shown = identities.masked(schema=schema, kind=kind, value=value)
    return f"Telegram {shown}" if kind == "telegram" else shown

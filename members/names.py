"""How members are called in lists: by the tenant's own id where there is one, else by a masked identity."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from core.db import fetch
from members import identities
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

# Of whoever was merged into another it is that one's.
EXTERNAL_IDS = """
SELECT m.id AS member_id, i.lookup FROM members_member m
JOIN members_identity i ON i.member_id = coalesce(m.merged_into_id, m.id)
    AND i.kind = 'external_id' AND i.resolves AND NOT i.is_former
WHERE m.id = ANY(%(member_ids)s::bigint[])
"""


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

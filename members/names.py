"""How members are called in lists: by the tenant's own id where there is one, else by a masked identity."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from core.db import fetch
from members import identities
from tenants import context

# The strongest identity of each member. What a shop calls its customer says most to its staff.
NAMES = """
SELECT DISTINCT ON (member_id) member_id, kind, value
FROM members_identity
WHERE member_id = ANY(%(member_ids)s::bigint[]) AND value <> ''
ORDER BY member_id, array_position(ARRAY['external_id', 'telegram', 'email', 'phone', 'card', 'device'], kind::text), id
"""


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

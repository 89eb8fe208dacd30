"""Finding members by what somebody typed: the whole of one identity, of whatever kind it may be."""

from core.db import fetch
from core.errors import Failure
from members import identities
from tenants import context

FOUND_MAX = 50

SEARCH = """
SELECT DISTINCT i.member_id
FROM members_identity i
JOIN unnest(%(kinds)s::text[], %(lookups)s::text[]) AS asked (kind, lookup)
    ON i.kind = asked.kind AND i.lookup = asked.lookup AND i.value <> ''
ORDER BY i.member_id LIMIT %(limit)s
"""


def find(text: str) -> list[int]:
    """
    Return the ids of the members who are known by `text`: their id at the tenant, Telegram, e-mail or phone.

    The whole value is asked for: personal ones are stored as a keyed index that knows equality only. Nobody who is
    erased is found.
    """
    tenant = context.current()
    region = identities.region_of(tenant.currency)
    asked: list[identities.SealedIdentity] = []
    for kind in identities.RESOLVING:
        try:
            asked += identities.prepare(schema=tenant.schema_name, identities={kind: text}, region=region)
        except Failure:  # Not of this kind.
            continue
    if not asked:
        return []
    columns = {"kinds": [one.kind for one in asked], "lookups": [one.lookup for one in asked]}
    return [row.member_id for row in fetch(SEARCH, {**columns, "limit": FOUND_MAX})]

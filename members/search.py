"""Finding members: all of them, by one identity, or by what somebody typed, of whatever kind it may be."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from core.db import fetch
from core.errors import Failure, Invalid
from members import identities, names
from members.models import Identity, Member
from members.people import UnknownMember
from tenants import context

FOUND_MAX = 50


class NotOneIdentity(Invalid):
    """None is given, or several, or one that names nobody by itself."""

    message = _("Give exactly one of external_id, telegram, phone or email.")


def list_members() -> QuerySet[Member]:
    """Return members, each with the tenant's own id as `external_id`."""
    return Member.objects.annotate(external_id=names.external_id_of(OuterRef("pk")))


def in_bulk(member_ids: Sequence[int]) -> dict[int, Member]:
    """Return several members by their numbers, as `list_members` does."""
    return dict(list_members().in_bulk(member_ids))


def get_by_identity(*, identity: Mapping[str, Any], region: str | None) -> Member:
    """
    Return the member who is known by one identity, as `list_members` does. `region` is as for `identities.prepare`.

    :raises NotOneIdentity: | UnknownMember
    :raises members.normalise.InvalidIdentity: where the value is not of its kind.
    """
    given = {kind: value for kind, value in identity.items() if value is not None}
    if len(given) != 1 or not given.keys() <= set(identities.RESOLVING):
        raise NotOneIdentity(pointer="")
    ((kind, value),) = given.items()
    asked = identities.prepare_one(
        schema=context.current().schema_name, kind=kind, value=value, region=region, pointer=f"/{kind}"
    )
    # Of whoever is erased no value is left.
    known = Identity.objects.filter(kind=asked.kind, lookup=asked.lookup, resolves=True).exclude(value="")
    found = list_members().filter(pk__in=known.values("member")).first()
    if found is None:
        raise UnknownMember
    return found


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

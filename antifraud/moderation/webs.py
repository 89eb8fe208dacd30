"""Who the members of a case are tied to, and by what: read for its drawing, in a fixed number of statements."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from antifraud.judging.ties import BINDING, MEMBERS_MAX
from antifraud.moderation.nodes import Person, Thing, Web
from core.db import fetch
from members import identities
from members.models import Identity
from members.names import names_of
from referrals.models import Referral
from rewards.models import Reward
from tenants import context

# Many who have nothing to do with one another share an address: it is shown, and leads to nobody further.
LOOSE: Final = ("ip", "email_alike")
OWN_MAX: Final = 100


def web_of(*, parties: Collection[int], rewards: Iterable[Reward]) -> Web:
    """Return what ties the `parties` of a case, the members that its reasons name, and whom they lead to."""
    known = sorted({*parties, *_named(rewards)})
    params = {"known": known, "binding": list(BINDING), "kinds": [*BINDING, *LOOSE]}
    rows = fetch(SHARED, params | {"own_max": OWN_MAX, "members_max": MEMBERS_MAX})
    tied = {member_id for row in rows if row.kind in BINDING for member_id in row.holders}
    members = {*known, *tied}
    invites = Referral.objects.filter(invitee__in=members, inviter__in=members)
    names = names_of(members)
    return Web(
        people=tuple(Person(each, names[each], each in parties) for each in sorted(members)),
        things=tuple(_things(rows, _also(rows, members))),
        invites=tuple(invites.order_by("invitee_id").values_list("inviter_id", "invitee_id")),
    )


def _named(rewards: Iterable[Reward]) -> Iterator[int]:
    """Yield the members whom the evidence against rewards names."""
    for reward in rewards:
        for reason in reward.reasons:
            yield from named_in(reason.get("evidence") or {})


def named_in(evidence: Mapping[str, Any]) -> list[int]:
    """Return the members whom a signal's evidence names. Where `members` is a number, it only counts them."""
    several = evidence.get("members")
    named = [evidence.get("member"), *(several if isinstance(several, list) else ())]
    return [each for each in named if isinstance(each, int)][:MEMBERS_MAX]


type_of_holders = Mapping[tuple[str, str], frozenset[int]]


def _also(rows: Sequence[Any], members: Collection[int]) -> type_of_holders:
    """Return who of the members has each identity: of an address too, though it led to nobody."""
    found = {(row.kind, row.lookup): set(row.holders) for row in rows}
    loose = Identity.objects.filter(
        member__in=members, kind__in=LOOSE, lookup__in=[row.lookup for row in rows if row.kind in LOOSE]
    )
    for kind, lookup, member_id in loose.values_list("kind", "lookup", "member_id"):
        found.get((kind, lookup), set()).add(member_id)
    return {pair: frozenset(holders & set(members)) for pair, holders in found.items()}


def _things(rows: Sequence[Any], holders_of: type_of_holders) -> Iterator[Thing]:
    schema = context.current().schema_name
    of_email = [holders for (kind, _lookup), holders in holders_of.items() if kind == "email"]
    for row in rows:
        holders = holders_of[row.kind, row.lookup]
        # One address is like itself, too.
        is_said = row.kind == "email_alike" and any(holders <= each for each in of_email)
        if len(holders) < 2 or is_said:
            continue
        label = identities.masked(schema=schema, kind=row.kind, value=row.value)
        yield Thing(
            kind=row.kind,
            label=label or str(Identity.Kind(row.kind).label),
            holders=holders,
            others=row.count - len(holders),
        )


# Of each identity the known members come first, then others by number, which the sum keeps from leading through the
# index of all members. More than a hundred are not counted.
SHARED = """
WITH own AS (
    SELECT DISTINCT i.kind, i.lookup
    FROM unnest(%(known)s::bigint[]) AS known (id)
    CROSS JOIN LATERAL (SELECT kind, lookup FROM members_identity
        WHERE member_id = known.id AND kind = ANY(%(kinds)s::text[]) ORDER BY id DESC LIMIT %(own_max)s) i
)
SELECT own.kind, own.lookup, found.value, found.holders, found.count
FROM own CROSS JOIN LATERAL (
    SELECT max(held.value) AS value, array_agg(held.member_id ORDER BY held.member_id) AS holders,
        (SELECT count(*) FROM (SELECT FROM members_identity o
            WHERE o.kind = own.kind AND o.lookup = own.lookup LIMIT 100) o) AS count
    FROM (
        (SELECT i.member_id, i.value FROM members_identity i
            WHERE i.member_id = ANY(%(known)s::bigint[]) AND i.kind = own.kind AND i.lookup = own.lookup)
        UNION
        (SELECT i.member_id, i.value FROM members_identity i
            WHERE i.kind = own.kind AND i.lookup = own.lookup AND own.kind = ANY(%(binding)s::text[])
            ORDER BY i.member_id + 0 LIMIT %(members_max)s)
    ) held
) found
WHERE cardinality(found.holders) > 1
ORDER BY own.kind, own.lookup
"""

"""
Who is it? The one place where identities become members.

The strongest identity that is known decides. A weaker one is overruled when its owner is known by another id of the
tenant's or another Telegram account than the one given: the tenant then says that this is somebody else. What two
members share is kept with both, and resolves to the first: antifraud wants to see it.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from core import sealing
from core.db import current_schema, execute, fetch, in_transaction
from core.errors import NotFound
from members import names
from members.identities import RESOLVING, SEALED, SealedIdentity
from members.models import Identity, Member
from members.normalise import InvalidIdentity, normalise_one

# One writer of a tenant's people and scores at a time. The scorer tries for the same lock.
LOCK_CLASS = 7001
# More values of one kind are left out: nobody has fifty phones, and a script that sends them must not slow the others.
IDENTITIES_OF_A_KIND_MAX = 50

# Of these a person has one: another value is another person. Phones and addresses change, and people have several.
EXCLUSIVE = frozenset({"external_id", "telegram"})

type_of_pair = tuple[str, str]


class UnknownMember(NotFound):
    """Nobody in this tenant is known so."""

    message = _("There is no such member.")


class Upserted(NamedTuple):
    """A member, and whether this call made them."""

    member: Member
    created: bool


def lock_key(schema: str) -> int:
    """Return the tenant's number within LOCK_CLASS. Two tenants that share one by chance merely wait for each other."""
    unsigned = zlib.crc32(schema.encode())
    return unsigned - 2**32 if unsigned >= 2**31 else unsigned


@in_transaction
def lock(schema: str) -> None:
    """Wait for the tenant's lock and hold it until the transaction ends. It comes before every other lock."""
    execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, lock_key(schema)])


@in_transaction
def present(member_id: int) -> int:
    """
    Return the number that a member goes by now: that of whoever they were merged into, if they were.

    Whoever was found before the caller has the tenant's lock may have gone by the time that it does.
    """
    return int(fetch(PRESENT, {"member_id": member_id})[0].id)


@in_transaction
def upsert(*, schema: str, identities: tuple[SealedIdentity, ...], at: datetime) -> Upserted:
    """Return the member these identities mean, with those they did not have added, made now if nobody is known so."""
    lock(schema)
    people = _known(identities)
    person = people.resolve(identities, at)
    _store(people, at)
    return Upserted(member=Member.objects.get(pk=people.ids[person]), created=person < 0)


@in_transaction
def resolve(*, groups: Sequence[tuple[SealedIdentity, ...]], seen_ats: Sequence[datetime], at: datetime) -> list[int]:
    """
    Return the member of each group of identities, in order, and store whatever was not known.

    `seen_ats` says of each group when its person did what is reported: a new member was first seen then.

    Takes one statement to read and one to write, however many groups there are. A group sees the members that earlier
    ones have made. The caller holds the tenant's lock: two batches at once would make the same person twice.
    """
    if not groups:
        return []
    people = _known(one for group in groups for one in group)
    found = [people.resolve(group, seen_at) for group, seen_at in zip(groups, seen_ats, strict=True)]
    _store(people, at)
    return [people.ids[person] for person in found]


def find_by_external_id(external_id: str) -> Member | None:
    """Return the member whom the tenant knows by this id of its own. What cannot be an id is nobody's."""
    try:
        lookup = normalise_one(kind="external_id", value=external_id, region=None).lookup
    except InvalidIdentity:
        return None
    owners = Identity.objects.filter(kind=Identity.Kind.EXTERNAL_ID, lookup=lookup, resolves=True)
    return Member.objects.filter(pk__in=owners.values("member_id")).first()


def get_by_external_id(external_id: str) -> Member:
    """
    Return the member whom the tenant knows by this id of its own.

    :raises UnknownMember:
    """
    member = find_by_external_id(external_id)
    if member is None:
        raise UnknownMember
    return member


def find_external_id(member_id: int) -> str | None:
    """Return the tenant's own id of a member, of which there is one at most, and none of whoever is erased."""
    return names.own_ids().filter(member_id=member_id).values_list("lookup", flat=True).first()


PRESENT = "SELECT coalesce(merged_into_id, id) AS id FROM members_member WHERE id = %(member_id)s"


@dataclass(slots=True)
class _People:
    """
    What is known of everybody concerned while a batch is resolved, in memory; persons to be made have numbers below 0.
    """

    owner: dict[type_of_pair, int] = field(default_factory=dict)
    values: dict[int, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    ids: dict[int, int] = field(default_factory=dict)
    made: list[datetime] = field(default_factory=list)
    added: list[tuple[int, SealedIdentity, bool]] = field(default_factory=list)

    def resolve(self, group: tuple[SealedIdentity, ...], seen_at: datetime) -> int:
        """Return the person that a group means, and note what is new."""
        named = [one for kind in RESOLVING for one in group if one.kind == kind]
        if not named:
            raise ValueError("A card, a device or an address alone names nobody.")
        person = self._find(named)
        if person is None:
            self.made.append(seen_at)
            person = -len(self.made)
        known = self.values[person]
        for one in group:
            # Nearly all is: a call for each would cost more than the look.
            if one.lookup not in known[one.kind]:
                self._add(person, one)
        return person

    def _find(self, named: Sequence[SealedIdentity]) -> int | None:
        for place, one in enumerate(named):
            person = self.owner.get((one.kind, one.lookup))
            if person is not None and not self._is_another(person, named[:place]):
                return person
        return None

    def _is_another(self, person: int, stronger: Iterable[SealedIdentity]) -> bool:
        values = self.values[person]
        return any(values[one.kind] and one.lookup not in values[one.kind] for one in stronger if one.kind in EXCLUSIVE)

    def _add(self, person: int, one: SealedIdentity) -> None:
        values = self.values[person][one.kind]
        if len(values) >= IDENTITIES_OF_A_KIND_MAX:
            return
        pair = (one.kind, one.lookup)
        resolves = one.kind in RESOLVING and pair not in self.owner
        if resolves:
            self.owner[pair] = person
        values.add(one.lookup)
        self.added.append((person, one, resolves))


def _known(identities: Iterable[SealedIdentity]) -> _People:
    pairs = sorted({(one.kind, one.lookup) for one in identities if one.kind in RESOLVING})
    rows = fetch(
        # LIMIT and OFFSET keep PostgreSQL at one look into an index for each value. Where it has no statistics yet, as
        # in the first minutes of a tenant whose history is being loaded, it would sort the whole table each time.
        """
        SELECT theirs.member_id, theirs.kind, theirs.lookup, theirs.resolves
        FROM (
            SELECT DISTINCT owner.member_id
            FROM unnest(%(kinds)s::text[], %(lookups)s::text[]) AS given (kind, lookup)
            CROSS JOIN LATERAL (
                SELECT member_id FROM members_identity
                WHERE kind = given.kind AND lookup = given.lookup AND resolves
                LIMIT 1
            ) AS owner
        ) AS found
        CROSS JOIN LATERAL (
            SELECT member_id, kind, lookup, resolves FROM members_identity
            WHERE member_id = found.member_id
            OFFSET 0
        ) AS theirs
        """,
        {"kinds": [kind for kind, _lookup in pairs], "lookups": [lookup for _kind, lookup in pairs]},
    )
    people = _People()
    for member_id, kind, lookup, resolves in rows:
        people.ids[member_id] = member_id
        people.values[member_id][kind].add(lookup)
        if resolves:
            people.owner[kind, lookup] = member_id
    return people


def _store(people: _People, at: datetime) -> None:
    if not people.added:
        return
    new = [(person, one.kind, _buried(one)) for person, one, _resolves in people.added if one.kind in RESOLVING]
    rows = fetch(
        """
        WITH buried AS (
            -- LATERAL and LIMIT: as in _known, one look into an index for each value.
            SELECT given.person, min(m.first_seen_at) AS first_seen_at
            FROM unnest(%(new_persons)s::bigint[], %(new_kinds)s::text[], %(new_lookups)s::text[])
                AS given (person, kind, lookup)
            CROSS JOIN LATERAL (
                SELECT member_id FROM members_identity
                -- As in antifraud.judging.observing: a value that many have would make it read the whole table.
                WHERE kind = given.kind AND lookup >= given.lookup AND lookup <= given.lookup
                ORDER BY lookup DESC LIMIT 20
            ) AS owner
            JOIN members_member m ON m.id = owner.member_id AND m.status = 'erased'
            GROUP BY given.person
        ), made AS (
            INSERT INTO members_member (status, first_seen_at)
            -- Whoever was erased and comes again was first seen when they were: nobody is new twice.
            SELECT 'active', least(seen_at, buried.first_seen_at)
            FROM unnest(%(seen_ats)s::timestamptz[]) WITH ORDINALITY AS s (seen_at, nth)
            LEFT JOIN buried ON buried.person = -s.nth
            ORDER BY nth
            RETURNING id
        ), again AS (
            -- Nor is whoever says later which account was theirs.
            UPDATE members_member m SET first_seen_at = buried.first_seen_at
            FROM buried WHERE m.id = buried.person AND m.first_seen_at > buried.first_seen_at
        ), numbered AS (
            -- Ids are drawn in the order of the rows.
            SELECT id, -row_number() OVER (ORDER BY id) AS person FROM made
        ), added AS (
            INSERT INTO members_identity (member_id, kind, lookup, value, resolves, added_at)
            SELECT coalesce(numbered.id, given.person), given.kind, given.lookup, given.value, given.resolves, %(at)s
            FROM unnest(%(persons)s::bigint[], %(kinds)s::text[], %(lookups)s::text[], %(values)s::text[],
                        %(resolves)s::boolean[]) AS given (person, kind, lookup, value, resolves)
            LEFT JOIN numbered ON numbered.person = given.person
        )
        SELECT id, person FROM numbered
        """,
        {
            "at": at,
            "seen_ats": people.made,
            "new_persons": [person for person, _kind, _lookup in new],
            "new_kinds": [kind for _person, kind, _lookup in new],
            "new_lookups": [lookup for _person, _kind, lookup in new],
            "persons": [person for person, _one, _resolves in people.added],
            "kinds": [one.kind for _person, one, _resolves in people.added],
            "lookups": [one.lookup for _person, one, _resolves in people.added],
            "values": [one.value for _person, one, _resolves in people.added],
            "resolves": [resolves for _person, _one, resolves in people.added],
        },
    )
    people.ids.update({row.person: row.id for row in rows})


def _buried(one: SealedIdentity) -> str:
    """Return what is left of an identity when its member is erased: its keyed index."""
    return (
        one.lookup if one.kind in SEALED else sealing.index(schema=current_schema(), kind=one.kind, lookup=one.lookup)
    )

"""Who has what in common with whom: the graph of members and their identities, bounded. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

# (kind, lookup) of an identity.
type_of_identity = tuple[str, str]

# An equal value of these is more than chance. An address is not among them: whole offices have one.
BINDING: Final = ("telegram", "email", "phone", "card", "device")
# How far the graph is read from those a batch is about, and how many members of one tie, or of all, are looked at.
DEPTH_MAX: Final = 4
MEMBERS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Ties:
    """
    What members near a batch have in common.

    `identities` are the members' binding ones; `holders` say of each identity, look-alike e-mails too, which members
    have it; `inviters` who invited whom; `shown` has masked values of what several members have.
    """

    identities: Mapping[int, frozenset[type_of_identity]] = field(default_factory=dict)
    holders: Mapping[type_of_identity, frozenset[int]] = field(default_factory=dict)
    inviters: Mapping[int, int] = field(default_factory=dict)
    shown: Mapping[type_of_identity, str] = field(default_factory=dict)

    def shared(self, one: int, other: int) -> list[type_of_identity]:
        """Return what two members have in common, in order."""
        nothing: frozenset[type_of_identity] = frozenset()
        return sorted(self.identities.get(one, nothing) & self.identities.get(other, nothing))

    def near(self, member_id: int) -> frozenset[int]:
        """Return who has anything in common with a member."""
        found = {each for pair in self.identities.get(member_id, ()) for each in self.holders.get(pair, ())}
        return frozenset(found - {member_id})

    def component(self, member_id: int) -> frozenset[int]:
        """Return everybody whom ties lead to from a member, themselves included, nearest first up to the bound."""
        found = {member_id}
        edge = {member_id}
        while edge and len(found) < MEMBERS_MAX:
            edge = set(sorted({each for one in edge for each in self.near(one)} - found)[: MEMBERS_MAX - len(found)])
            found |= edge
        return frozenset(found)

    def above(self, member_id: int) -> Iterator[int]:
        """Yield who invited a member, who invited those, and so on, as far as the bound."""
        above = self.inviters.get(member_id)
        for _step in range(DEPTH_MAX):
            if above is None:
                return
            yield above
            above = self.inviters.get(above)


NO_TIES: Final = Ties()

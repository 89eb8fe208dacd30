"""Who is tied to whom, as values, and as many of them as can be drawn. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

NODES_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Person:
    """One member. `is_party` are those whom the case is about."""

    id: int
    name: str
    is_party: bool


@dataclass(frozen=True, slots=True)
class Thing:
    """What several members have in common. `holders` are members of the web, `others` counts those beyond it."""

    kind: str
    label: str
    holders: frozenset[int]
    others: int = 0


@dataclass(frozen=True, slots=True)
class Web:
    """Members, what they have in common, and who invited whom: (inviter, invitee)."""

    people: tuple[Person, ...]
    things: tuple[Thing, ...]
    invites: tuple[tuple[int, int], ...]
    left_out: int = 0

    @property
    def is_tied(self) -> bool:
        """Tell whether there is anything to draw besides the members themselves."""
        return bool(self.things or self.invites)


def bounded(*, web: Web) -> Web:
    """
    Return a web of at most `NODES_MAX` nodes, those first that say most, and how many are left out.

    These are the case's own members, then what ties most members together, then whom that leads to.
    """
    ties = _ties_of(web.things)
    people = sorted(web.people, key=lambda each: (not each.is_party, -ties.get(each.id, 0), each.id))
    things = sorted(web.things, key=lambda each: (-len(each.holders), each.kind, each.label))
    too_many = len(people) + len(things) - NODES_MAX
    if too_many <= 0:
        return web
    room = max(NODES_MAX - len(things), NODES_MAX * 2 // 3)
    people = people[:room]
    shown = {each.id for each in people}
    kept = _held_by(shown, things)[: NODES_MAX - len(people)]
    return Web(
        people=tuple(people),
        things=tuple(kept),
        invites=tuple(each for each in web.invites if shown.issuperset(each)),
        left_out=len(web.people) + len(web.things) - len(people) - len(kept),
    )


def _held_by(shown: set[int], things: Iterable[Thing]) -> list[Thing]:
    """Return the things that tie members who are shown; whoever is not becomes one of the others."""
    found = []
    for thing in things:
        held = thing.holders & shown
        more = thing.others + len(thing.holders) - len(held)
        if held and len(held) + more > 1:
            found.append(replace(thing, holders=held, others=more))
    return found


def _ties_of(things: Iterable[Thing]) -> dict[int, int]:
    counted: dict[int, int] = {}
    for thing in things:
        for holder in thing.holders:
            counted[holder] = counted.get(holder, 0) + 1
    return counted

"""
The drawing of who is tied to whom: where everybody stands, on paper of a fixed width. Pure.

Members stand one below the other, so that no name covers another; arrows on their left say who invited whom, lines on
their right lead to what they have in common. The same web is always drawn the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Final, NamedTuple

from antifraud.moderation.nodes import Person, Thing, Web

LABEL_LENGTH_MAX: Final = 16

# In units of the drawing, whose width is a telephone's.
WIDTH: Final = 400
ROW, MARGIN, HEIGHT = 44, 26, 30
PERSON_LEFT, PERSON_RIGHT = 62, 208
THING_LEFT, THING_RIGHT = 262, 398
ARC_FIRST, ARC_STEP, ARC_MAX = 16, 9, 54
# An arrow leaves below the middle of a row and arrives above it, so that two do not lie on one another.
ARC_SHIFT: Final = 6


class Box(NamedTuple):
    """Where a node is, with the foot of its text and of what stands below it."""

    left: int
    top: int
    width: int
    height: int
    icon_left: int
    icon_foot: int
    text_left: int
    text_foot: int
    below: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def text_width(self) -> int:
        """How wide a text may be before it is cut: some letters are wider than the usual."""
        return self.right - self.text_left - 6


@dataclass(frozen=True, slots=True)
class PersonAt:
    """A member on paper: `label` is the name as far as there is room for it, `y` the middle of the box."""

    person: Person
    label: str
    y: int

    @property
    def box(self) -> Box:
        return _box(PERSON_LEFT, PERSON_RIGHT, self.y, indent=14)


@dataclass(frozen=True, slots=True)
class ThingAt:
    """Something shared on paper, as above."""

    thing: Thing
    label: str
    y: int

    @property
    def box(self) -> Box:
        return _box(THING_LEFT, THING_RIGHT, self.y, indent=26)


class Line(NamedTuple):
    """From a member to what they have, as a path of SVG."""

    path: str
    is_party: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where everything stands. `arrows` are paths of SVG, too."""

    width: int
    height: int
    people: tuple[PersonAt, ...]
    things: tuple[ThingAt, ...]
    arrows: tuple[str, ...]
    lines: tuple[Line, ...]


def draw(*, web: Web) -> Drawing:
    """Return where to draw what."""
    people = _in_order(web)
    rows = max(len(people), len(web.things), 1)
    y_of = {person.id: y for person, y in zip(people, _spread(len(people), rows), strict=True)}
    things = _things_at(web.things, y_of, rows)
    return Drawing(
        width=WIDTH,
        height=2 * MARGIN + (rows - 1) * ROW,
        people=tuple(PersonAt(each, short(each.name), y_of[each.id]) for each in people),
        things=tuple(things),
        arrows=tuple(_arrow(y_of[inviter], y_of[invitee]) for inviter, invitee in sorted(web.invites)),
        # Those of the case's own members lie above the others.
        lines=tuple(sorted(_lines(people, things, y_of), key=lambda each: each.is_party)),
    )


def short(label: str) -> str:
    """Return a label that fits its box."""
    return label if len(label) <= LABEL_LENGTH_MAX else f"{label[: LABEL_LENGTH_MAX - 1]}…"


def _in_order(web: Web) -> list[Person]:
    """Return the members from inviters to invited friends, those of the case as far up as possible."""
    known = {each.id: each for each in web.people}
    invited_by = {invitee: inviter for inviter, invitee in web.invites}
    friends: dict[int, list[int]] = {}
    for inviter, invitee in web.invites:
        friends.setdefault(inviter, []).append(invitee)
    first = sorted(web.people, key=lambda each: (each.id in invited_by, not each.is_party, each.id))
    found: dict[int, Person] = {}
    for person in first:
        # Whoever is left at the end stands in a circle of invitations.
        for member_id in _descent(person.id, friends, found, known):
            found[member_id] = known[member_id]
    return list(found.values())


def _descent(
    member_id: int, friends: Mapping[int, Sequence[int]], found: Mapping[int, Person], known: Mapping[int, Person]
) -> Iterator[int]:
    """Yield a member and whom they invited, and whom those invited, each before their friends."""
    waiting, seen = [member_id], set(found)
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        yield each
        waiting += sorted(friends.get(each, ()), key=lambda friend: (known[friend].is_party, -friend))


def _spread(count: int, rows: int) -> list[int]:
    """Return where so many stand, evenly, in the middle of the rows."""
    first = MARGIN + (rows - count) * ROW // 2
    return [first + number * ROW for number in range(count)]


def _things_at(things: Sequence[Thing], y_of: Mapping[int, int], rows: int) -> list[ThingAt]:
    """Return the things, each as near as possible to the middle of its holders, none on another."""
    wanted = sorted(
        ((mean(y_of[each] for each in thing.holders), thing.kind, thing.label, thing) for thing in things),
        key=lambda each: each[:3],
    )
    bottom = MARGIN + (rows - 1) * ROW
    found: list[ThingAt] = []
    for number, (middle, _kind, _label, thing) in enumerate(wanted):
        below = bottom - (len(wanted) - 1 - number) * ROW
        above = found[-1].y + ROW if found else MARGIN
        found.append(ThingAt(thing, short(thing.label), min(max(round(middle), above), below)))
    return found


def _box(left: int, right: int, middle: int, *, indent: int) -> Box:
    half = HEIGHT // 2
    return Box(
        left, middle - half, right - left, HEIGHT, left + 6, middle + 8, left + indent, middle + 5, middle + half + 11
    )


def _arrow(from_y: int, to_y: int) -> str:
    down = 1 if to_y > from_y else -1
    rows = abs(to_y - from_y) // ROW
    x = PERSON_LEFT - min(ARC_FIRST + ARC_STEP * rows, ARC_MAX)
    start, end = from_y + down * ARC_SHIFT, to_y - down * ARC_SHIFT
    return f"M{PERSON_LEFT} {start}C{x} {start} {x} {end} {PERSON_LEFT - 2} {end}"


def _lines(people: Iterable[Person], things: Iterable[ThingAt], y_of: Mapping[int, int]) -> Iterator[Line]:
    parties = {each.id for each in people if each.is_party}
    for each in things:
        for holder in sorted(each.thing.holders):
            yield Line(_line(y_of[holder], each.y), holder in parties)


def _line(person_y: int, thing_y: int) -> str:
    middle = (PERSON_RIGHT + THING_LEFT) // 2
    return f"M{PERSON_RIGHT} {person_y}C{middle} {person_y} {middle} {thing_y} {THING_LEFT} {thing_y}"

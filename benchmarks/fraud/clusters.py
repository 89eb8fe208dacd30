"""
Honest people who look odd: families, offices, parties, namesakes, and bloggers with an audience.

Families share an address or a tablet, never a bank card. Everybody is who they say.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from benchmarks.fraud import honest
from benchmarks.fraud.names import LAST
from benchmarks.fraud.world import BEGIN, DAY, DAYS, HOUR, MINUTE, Person, World

LAST_DAY: Final = DAYS - 12


def family_at_one_address(world: World) -> None:
    """Let a parent bring whom they live with: each has a phone, and all have the surname in their mailbox."""
    rng, names = world.rng, world.names
    home, surname = names.home_address(), rng.choice(LAST)
    parent = _host(world, home=home, email=names.email(surname=surname))
    for _nth in range(rng.randint(2, 4)):
        member = honest.newcomer(world, home=home, email=names.email(surname=surname))
        member.on_the_road = 0.3
        _follows(world, member, parent, soon=timedelta(days=6))


def family_on_one_tablet(world: World) -> None:
    """Have a tablet in the kitchen, which is everybody's; numbers and cards are their own."""
    rng, names = world.rng, world.names
    home, tablet = names.home_address(), names.device()
    parent = _host(world, home=home, device=tablet, phone=names.phone())
    for _nth in range(rng.randint(1, 3)):
        member = honest.newcomer(world, home=home, device=tablet, phone=names.phone())
        member.on_the_road = 0.1
        _follows(world, member, parent, soon=timedelta(days=8))


def office(world: World, *, size: int) -> None:
    """Let one colleague tell all: they sign up at work, at one address, on phones of their own."""
    address = world.names.home_address()
    first = _host(world, home=address)
    for _nth in range(size - 1):
        member = honest.newcomer(world, home=address)
        member.on_the_road = 0.25
        _follows(world, member, first, soon=timedelta(days=9))


def office_of_thirty(world: World) -> None:
    """Have an office of 30."""
    office(world, size=30)


def small_office(world: World) -> None:
    """Have an office of 6 to 14."""
    office(world, size=world.rng.randint(6, 14))


def namesakes(world: World) -> None:
    """Have friends, or relatives who live apart, with nearly the same mailbox."""
    rng, names = world.rng, world.names
    mailbox = names.email()
    first = _host(world, email=mailbox)
    for nth in range(rng.randint(1, 2)):
        member = honest.newcomer(world, email=names.email_like(mailbox, nth=rng.randint(1, 90) + nth))
        _follows(world, member, first, soon=timedelta(days=10))


def party(world: World) -> None:
    """Let six to nine guests sign up through their host in an evening, in one network; whoever buys does so later."""
    rng = world.rng
    home = world.names.home_address()
    host = _host(world, home=home)
    begins = honest.evening(world, rng.uniform(6, LAST_DAY))
    for _nth in range(rng.randint(6, 9)):
        guest = honest.newcomer(world, home=home)
        guest.on_the_road = 0
        world.joins(guest, begins + world.some(timedelta(), 80 * MINUTE), inviter=host)
        guest.home, guest.on_the_road = world.names.home_address(), 0.45
        honest.shop(world, guest, begins + 10 * HOUR)


def school_friends(world: World) -> None:
    """Let a child be brought by a friend from school, and use the tablet of parents who are members already."""
    names = world.names
    home, tablet = names.home_address(), names.device()
    _host(world, home=home, device=tablet, phone=names.phone())
    friend = _host(world)
    child = honest.newcomer(world, home=home, device=tablet, phone=names.phone())
    _follows(world, child, friend, soon=timedelta(days=20))


def dormitory(world: World) -> None:
    """Let twenty students behind one address bring one another over some weeks."""
    rng = world.rng
    home = world.names.home_address()
    known = [_host(world, home=home)]
    for _nth in range(19):
        student = honest.newcomer(world, home=home)
        _follows(world, student, rng.choice(known), soon=timedelta(days=4))
        known.append(student)


def chain_of_friends(world: World) -> None:
    """Let each tell the next, seven times; they have nothing else in common."""
    known = _host(world, last_day=15)
    for _nth in range(7):
        friend = honest.newcomer(world)
        _follows(world, friend, known, soon=timedelta(days=4))
        known = friend


# Forty, when there are ten thousand people.
KINDS: Final[tuple[tuple[Callable[[World], None], int], ...]] = (
    (family_at_one_address, 9),
    (family_on_one_tablet, 8),
    (school_friends, 2),
    (office_of_thirty, 1),
    (small_office, 5),
    (namesakes, 6),
    (party, 4),
    (dormitory, 1),
    (chain_of_friends, 4),
)


def blogger(world: World, *, brings: int, hours: float) -> None:
    """Let somebody bring so many from everywhere, most of them in the first hours after the post."""
    rng = world.rng
    star = _host(world)
    posted_at = honest.evening(world, rng.uniform(8, LAST_DAY - 6))
    for _nth in range(brings):
        after = min(rng.expovariate(3 / hours), hours)
        reader = honest.newcomer(world)
        at = world.joins(reader, world.awake(posted_at + timedelta(hours=after)), inviter=star)
        honest.shop(world, reader, at, buys=0.45)


def _host(world: World, *, last_day: float = LAST_DAY, **known: Any) -> Person:
    host = honest.newcomer(world, **known)
    at = world.joins(host, world.moment(last_day=last_day - 4))
    honest.shop(world, host, at)
    return host


def _follows(world: World, person: Person, inviter: Person, *, soon: timedelta) -> datetime:
    since = inviter.joined_at or BEGIN
    latest = BEGIN + (DAYS - 1) * DAY
    at = world.joins(person, min(world.awake(since + world.some(HOUR, soon)), latest), inviter=inviter)
    honest.shop(world, person, at, buys=0.75)
    return at

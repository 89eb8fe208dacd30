"""Many false friends of one account, made by machine or with patience, and what they cannot help having in common."""

from datetime import datetime, timedelta
from typing import Any

from benchmarks.fraud.gangs import Gang
from benchmarks.fraud.world import BEGIN, DAY, HOUR, MINUTE, Person


def device_farm(gang: Gang) -> None:
    """On a handful of phones that are not wiped each time."""
    rng, names = gang.world.rng, gang.world.names
    devices = [names.device() for _nth in range(max(gang.size // rng.randint(8, 12), 1))]
    home = names.home_address()
    _all(gang, [gang.fake(device=rng.choice(devices), home=home) for _nth in range(gang.size)], over=2 * DAY)


def card_sharing(gang: Gang) -> None:
    """On wiped phones and rented numbers, but paid with one to three cards."""
    rng, names = gang.world.rng, gang.world.names
    cards = [names.card() for _nth in range(rng.randint(1, 3))]
    _all(gang, [gang.fake(card=rng.choice(cards)) for _nth in range(gang.size)], over=4 * DAY)


def hosted(gang: Gang) -> None:
    """On emulators, behind a data centre's addresses."""
    names = gang.world.names
    fakes = [gang.fake(home=names.hosted_address()) for _nth in range(gang.size)]
    for fake in fakes:
        fake.on_the_road = 0.05
    _all(gang, fakes, over=3 * DAY)


def throwaway_mails(gang: Gang) -> None:
    """With mailboxes for ten minutes, from one network."""
    names = gang.world.names
    subnet = names.subnet()
    fakes = [
        gang.fake(email=names.throwaway_email(), phone="", home=f"{subnet}.{gang.world.rng.randrange(1, 255)}")
        for _nth in range(gang.size)
    ]
    _all(gang, fakes, over=3 * DAY)


def alike_mails_of_friends(gang: Gang) -> None:
    """With mailboxes that were counted up from one name, which is not the inviter's."""
    names = gang.world.names
    mailbox = names.email()
    _all(gang, [gang.fake(email=names.email_like(mailbox, nth=nth + 1)) for nth in range(gang.size)], over=5 * DAY)


def star_burst(gang: Gang) -> None:
    """All within the hour, on one phone for every few of them."""
    rng, names = gang.world.rng, gang.world.names
    devices = [names.device() for _nth in range(max(gang.size // rng.randint(5, 8), 2))]
    _all(gang, [gang.fake(device=rng.choice(devices)) for _nth in range(gang.size)], over=50 * MINUTE)


def young_telegrams(gang: Gang) -> None:
    """With Telegram accounts bought by the dozen: a number, no name, no picture, no phone."""
    _all(gang, [gang.fake(**_young(gang), email="") for _nth in range(gang.size)], over=6 * DAY)


def one_network(gang: Gang) -> None:
    """Behind rented home addresses of one or two networks, everything else fresh."""
    rng, names = gang.world.rng, gang.world.names
    subnets = [names.subnet() for _nth in range(rng.randint(1, 2))]
    fakes = [gang.fake(home=f"{rng.choice(subnets)}.{rng.randrange(1, 255)}") for _nth in range(gang.size)]
    for fake in fakes:
        fake.on_the_road = 0
    _all(gang, fakes, over=12 * HOUR)


def slow_drip(gang: Gang) -> None:
    """One every other day, below whatever counts hours: two or three have a phone together, and two or three a card."""
    names = gang.world.names
    at = gang.begins = gang.world.moment(first_day=4, last_day=8)
    boss = gang.boss()
    device, card = names.device(), names.card()
    for nth in range(gang.size):
        device = names.device() if nth % 3 == 0 else device
        card = names.card() if nth % 2 == 0 else card
        _one(gang, gang.fake(device=device, card=card), boss, at)
        at = gang.world.awake(at + gang.world.some(DAY, 3 * DAY))


def of_all_sorts(gang: Gang) -> None:
    """Each false friend is careless in two ways, and no two in the same."""
    rng, names = gang.world.rng, gang.world.names
    device, card, home, mailbox = names.device(), names.card(), names.home_address(), names.email()
    fakes = []
    for nth in range(gang.size):
        ways: tuple[dict[str, Any], ...] = (
            {"device": device},
            {"card": card},
            {"home": home},
            {"home": names.hosted_address()},
            {"email": names.throwaway_email()},
            {"email": names.email_like(mailbox, nth=nth + 1)},
            _young(gang),
        )
        one, other = rng.sample(ways, 2)
        fakes.append(gang.fake(**{**one, **other}))
    _all(gang, fakes, over=6 * DAY)


def _young(gang: Gang) -> dict[str, Any]:
    day = (gang.begins - BEGIN).days
    return {"telegram": gang.world.names.telegram(day=day, is_young=True), "is_bare": True, "phone": ""}


def _all(gang: Gang, fakes: list[Person], *, over: timedelta) -> None:
    """Let all sign up within some time; half of the gangs sign up everybody first and order then."""
    boss = gang.boss()
    is_in_steps = gang.world.rng.random() < 0.5
    moments = sorted(gang.begins + gang.world.some(timedelta(), over) for _fake in fakes)
    for fake, at in zip(fakes, moments, strict=True):
        if is_in_steps:
            joined_at = gang.world.joins(fake, at, inviter=boss)
            gang.buys(fake, joined_at, (moments[-1] - at) + gang.delay())
        else:
            _one(gang, fake, boss, at)


def _one(gang: Gang, fake: Person, boss: Person, at: datetime) -> None:
    gang.buys(fake, gang.world.joins(fake, at, inviter=boss), gang.delay())

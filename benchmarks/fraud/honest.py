"""
Honest people: how they sign up, shop, bring friends and give things back.

Assumed: 60 % of new members buy within the eight weeks; the time to the first order is log-normal around a day, and one
in eight signs up while paying; orders are log-normal around 1,600 roubles, and every twentieth is given back. One in
140 shows the shop a throwaway mailbox, one in 20 comes through a VPN, one in 50 with Telegram has opened it lately.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from benchmarks.fraud.world import BEGIN, DAY, DAYS, HOUR, MINUTE, THRESHOLD_MINOR, Person, World

BUYERS: Final = 0.6
AT_THE_CHECKOUT: Final = 0.12
REFUNDED: Final = 0.05
INVITED: Final = 0.35
# Of friends: who live together, of them who have one tablet, and who sit side by side when one invites the other.
LIVE_TOGETHER, SHARE_A_TABLET, SIDE_BY_SIDE = 0.04, 0.3, 0.05
OLD_HANDS: Final = 0.35
BEHIND_A_VPN: Final = 0.05


def settle(world: World, count: int) -> list[Person]:
    """
    Let so many people join over the weeks, a third of them at the beginning, and shop.

    Who brings friends brings as many as a Pareto distribution says: most one, few thirty.
    """
    rng = world.rng
    found: list[Person] = []
    hosts: list[Person] = []
    moments = sorted(
        world.moment(last_day=4) if rng.random() < OLD_HANDS else world.moment(first_day=1, last_day=DAYS - 1)
        for _nth in range(count)
    )
    for at in moments:
        inviter = rng.choice(hosts) if hosts and rng.random() < INVITED else None
        person = newcomer(world, day=(at - BEGIN).days)
        if inviter:
            _meet(world, person, inviter)
        joined_at = world.joins(person, at, inviter=inviter)
        shop(world, person, joined_at)
        found.append(person)
        if rng.random() < 0.2:
            hosts += [person] * min(int(rng.paretovariate(1.2)), 30)
    return found


def newcomer(world: World, *, day: int = 0, **known: Any) -> Person:
    """Return an honest person with what people usually have on some day."""
    rng, names = world.rng, world.names
    has_telegram = rng.random() < 0.35
    has_email, is_shy = rng.random() < 0.75, rng.random() < 0.007
    usual = {
        "email": (names.throwaway_email() if is_shy else names.email()) if has_email else "",
        "phone": names.phone() if rng.random() < 0.85 else "",
        "telegram": names.telegram(day=day, is_young=rng.random() < 0.02) if has_telegram else "",
        "is_bare": rng.random() < 0.05,
        "device": names.device() if rng.random() < 0.92 else "",
        "card": names.card() if rng.random() < 0.8 else "",
        "home": names.hosted_address() if rng.random() < BEHIND_A_VPN else names.home_address(),
    }
    return world.person(**{**usual, **known})


def shop(world: World, person: Person, joined_at: datetime, *, buys: float = BUYERS) -> None:
    """Order, or not, and again from time to time."""
    rng = world.rng
    if rng.random() >= buys:
        return
    if rng.random() < AT_THE_CHECKOUT:
        at = joined_at + (timedelta() if rng.random() < 0.5 else world.some(MINUTE / 2, 6 * MINUTE))
    else:
        at = world.awake(joined_at + timedelta(hours=rng.lognormvariate(3.0, 1.6)))
    order(world, person, at, amount_minor=first_amount(world, is_invited=True))
    while rng.random() < 0.5:
        at = world.awake(at + timedelta(days=rng.expovariate(1 / 16)))
        order(world, person, at, amount_minor=amount(world))


def order(world: World, person: Person, at: datetime, *, amount_minor: int) -> None:
    """Pay, if the weeks are not over by then; one in twenty is given back, a third of these in part."""
    end = BEGIN + DAYS * DAY
    if at >= end:
        return
    number = world.buys(person, at, amount_minor=amount_minor)
    if world.rng.random() < REFUNDED:
        back_at = world.awake(at + timedelta(days=world.rng.uniform(1, 13)))
        back_minor = amount_minor if world.rng.random() < 2 / 3 else amount_minor // 2
        if back_at < end:
            world.returns(person, number, back_at, amount_minor=back_minor)


def amount(world: World) -> int:
    """Return what somebody spends, in whole roubles."""
    return max(round(world.rng.lognormvariate(7.38, 0.6)), 90) * 100


def first_amount(world: World, *, is_invited: bool) -> int:
    """Return what somebody spends first: a third of those who are nearly there add something for the reward."""
    spent = amount(world)
    is_near = THRESHOLD_MINOR * 8 // 10 <= spent < THRESHOLD_MINOR
    if is_invited and is_near and world.rng.random() < 1 / 3:
        return THRESHOLD_MINOR + world.rng.randrange(0, 200) * 100
    return spent


def _meet(world: World, person: Person, inviter: Person) -> None:
    """Let some friends live together, and a few sign up on the inviter's sofa."""
    rng = world.rng
    if rng.random() < LIVE_TOGETHER:
        person.home = inviter.home
        if rng.random() < SHARE_A_TABLET:
            person.device = inviter.device
            person.phone = person.phone or world.names.phone()
    elif rng.random() < SIDE_BY_SIDE:
        person.home = inviter.home


def evening(world: World, day: float) -> datetime:
    """Return a moment in the evening of about that day."""
    return BEGIN + timedelta(days=int(day)) + 15 * HOUR + world.some(timedelta(), 4 * HOUR)

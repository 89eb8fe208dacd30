"""Crooks who have read the rules: they wait, copy, spend just enough, give back later, or work here."""

from datetime import timedelta

from benchmarks.fraud.gangs import Gang
from benchmarks.fraud.world import DAY, HOUR, MINUTE, THRESHOLD_MINOR


def delayed_orders(gang: Gang) -> None:
    """Wait some hours, as being quick is odd; three have a card together, four a phone."""
    rng, names = gang.world.rng, gang.world.names
    boss, at = gang.boss(), gang.begins
    device, card = names.device(), names.card()
    for nth in range(gang.size):
        device = names.device() if nth % 4 == 0 else device
        card = names.card() if nth % 3 == 0 else card
        joined_at = gang.world.joins(gang.fake(device=device, card=card), at, inviter=boss)
        gang.buys(gang.world.people[-1], joined_at, gang.world.some(2 * HOUR, 9 * HOUR))
        at += timedelta(minutes=rng.uniform(40, 400))


def copied_delays(gang: Gang) -> None:
    """Have a script: sign up, wait as long as it was told, order. Everything else is fresh."""
    rng = gang.world.rng
    boss, at = gang.boss(), gang.begins
    waits = timedelta(minutes=rng.uniform(20, 300))
    for _nth in range(gang.size):
        fake = gang.fake()
        joined_at = gang.world.joins(fake, at, inviter=boss)
        gang.buys(fake, joined_at, waits * rng.uniform(0.97, 1.03))
        at += timedelta(minutes=rng.uniform(30, 600))


def just_enough(gang: Gang) -> None:
    """Spend no more than the rule asks for, within a few roubles."""
    rng = gang.world.rng
    boss, at = gang.boss(), gang.begins
    for _nth in range(gang.size):
        fake = gang.fake()
        joined_at = gang.world.joins(fake, at, inviter=boss)
        gang.buys(fake, joined_at, gang.delay() * 3, amount_minor=THRESHOLD_MINOR + rng.randrange(0, 45) * 100)
        at += timedelta(hours=rng.uniform(1, 12))


def given_back(gang: Gang) -> None:
    """Order as everybody does, and give it back once the reward is out of the hold, in waves."""
    world = gang.world
    at = gang.begins = world.moment(first_day=4, last_day=8)
    boss = gang.boss()
    for nth in range(gang.size):
        fake = gang.fake()
        joined_at = world.joins(fake, at, inviter=boss)
        amount_minor = round(gang.amount() * world.rng.uniform(1, 2))
        paid_at = joined_at + gang.delay() * 8
        order = world.buys(fake, paid_at, amount_minor=amount_minor)
        world.returns(fake, order, paid_at + world.some(15 * DAY, 17 * DAY), amount_minor=amount_minor)
        at += 18 * DAY if nth == gang.size // 3 else world.some(4 * HOUR, 20 * HOUR)


def at_the_till(gang: Gang) -> None:
    """Somebody who works here signs up customers at the till with a code of their own."""
    world = gang.world
    boss = gang.boss(phone=world.names.phone())
    world.staff.append(boss)
    shop, at = world.names.home_address(), gang.begins
    for _nth in range(gang.size):
        customer = gang.fake(device="", phone=world.names.phone(), card=world.names.card(), home=shop)
        customer.on_the_road = 0
        joined_at = world.joins(customer, at, inviter=boss)
        gang.buys(customer, joined_at, world.some(timedelta(), 2 * MINUTE))
        at = world.awake(at + timedelta(hours=world.rng.uniform(0.3, 6)))

"""One person who invites themselves, in ever more careful ways."""

from benchmarks.fraud.gangs import Gang
from benchmarks.fraud.world import DAY, HOUR, MINUTE, Person


def same_device(gang: Gang) -> None:
    """On the phone that they always use, at home."""
    boss = gang.boss(device=gang.world.names.device())
    for _nth in range(gang.size):
        fake = gang.fake(device=boss.device, home=boss.home)
        _once(gang, fake, boss)


def same_card(gang: Gang) -> None:
    """On a wiped phone, but somebody has to pay."""
    boss = gang.boss(card=gang.world.names.card())
    _shops(gang, boss)
    for _nth in range(gang.size):
        _once(gang, gang.fake(card=boss.card), boss)


def same_phone(gang: Gang) -> None:
    """With an account of another name and their own number, as the courier calls."""
    boss = gang.boss(phone=gang.world.names.phone())
    for _nth in range(gang.size):
        _once(gang, gang.fake(phone=boss.phone), boss)


def mail_variants(gang: Gang) -> None:
    """With dots and pluses that Google takes no account of."""
    mailbox = gang.world.names.email().split("@")[0]
    boss = gang.boss(email=f"{mailbox}.{gang.world.rng.randrange(10**6)}@gmail.com")
    local = boss.email.split("@")[0]
    for nth in range(gang.size):
        variants = (f"{local}+shop{nth}", f"{local[:2]}.{local[2:]}", f"{local[:3]}.{local[3:]}+{nth}")
        _once(gang, gang.fake(email=f"{gang.world.rng.choice(variants)}@gmail.com"), boss)


def alike_mails(gang: Gang) -> None:
    """With a new mailbox that differs by a number, from the same home."""
    boss = gang.boss()
    for nth in range(gang.size):
        fake = gang.fake(email=gang.world.names.email_like(boss.email, nth=nth + 2), home=boss.home)
        fake.on_the_road = 0.2
        _once(gang, fake, boss)


def through_one_more(gang: Gang) -> None:
    """By way of a third account: it shares a card with the one that invites, and a phone with those who are invited."""
    names = gang.world.names
    boss = gang.boss(card=names.card(), device=names.device())
    _shops(gang, boss)
    between = gang.fake(card=boss.card, device=names.device(), pattern="")
    joined_at = gang.world.joins(between, gang.begins)
    gang.world.buys(between, joined_at + gang.delay(), amount_minor=gang.amount())
    gang.begins = joined_at + DAY
    for _nth in range(gang.size):
        _once(gang, gang.fake(device=between.device, card=names.card(), phone=names.phone()), boss)


def known_customers(gang: Gang) -> None:
    """As a new friend under another name, who has been a customer for weeks: some of them asked to be forgotten."""
    world, names = gang.world, gang.world.names
    boss = gang.boss()
    for _nth in range(gang.size):
        before = gang.fake(pattern="", phone=names.phone(), card=names.card())
        before_at = gang.begins - world.some(10 * DAY, 40 * DAY)
        world.buys_as_guest(before, max(before_at, world.moment(last_day=2)), amount_minor=gang.amount() * 2)
        is_careful = world.rng.random() < 0.3
        if is_careful:
            world.erased.append((gang.begins - world.some(HOUR, 2 * DAY), before))
        again = gang.fake(phone=before.phone, email=before.email if is_careful else names.email(), card=names.card())
        _once(gang, again, boss)


def _once(gang: Gang, fake: Person, boss: Person) -> None:
    """Sign up some time after the last one, and order."""
    world = gang.world
    joined_at = world.joins(fake, world.awake(gang.begins), inviter=boss)
    gang.buys(fake, joined_at, gang.delay())
    gang.begins = joined_at + world.some(20 * MINUTE, 5 * DAY)


def _shops(gang: Gang, boss: Person) -> None:
    """Have their own card known."""
    gang.world.buys(boss, (boss.joined_at or gang.begins) + gang.world.some(MINUTE, HOUR), amount_minor=gang.amount())

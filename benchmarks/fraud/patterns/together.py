"""Several who invite one another, and are fewer than they seem."""

from benchmarks.fraud.gangs import Gang
from benchmarks.fraud.world import DAY, HOUR, Person


def ring(gang: Gang) -> None:
    """Three to eight accounts, each invited by one before it, on two phones and two cards."""
    rng, names = gang.world.rng, gang.world.names
    devices, cards = [names.device(), names.device()], [names.card(), names.card()]
    known = [gang.boss(device=devices[0], card=cards[0])]
    at = gang.begins
    for nth in range(gang.size):
        fake = gang.fake(device=devices[nth % 2], card=rng.choice(cards))
        at = gang.world.joins(fake, gang.world.awake(at), inviter=rng.choice(known[-2:]))
        gang.buys(fake, at, gang.delay())
        known.append(fake)
        at += gang.world.some(HOUR, DAY)


def chain_that_returns(gang: Gang) -> None:
    """Let A invite B, B invite C, and so on: the last is A again, by card or by number."""
    names = gang.world.names
    first = gang.boss(card=names.card(), phone=names.phone())
    gang.world.buys(first, (first.joined_at or gang.begins) + HOUR, amount_minor=gang.amount())
    known, at = first, gang.begins
    is_by_card = gang.world.rng.random() < 0.5
    for nth in range(gang.size):
        is_last = nth == gang.size - 1
        again = {"card": first.card} if is_by_card else {"phone": first.phone}
        # Those between are accounts of the same person too: every second one pays with that card.
        fake = gang.fake(**(again if is_last or nth % 2 else {"card": names.card(), "phone": names.phone()}))
        at = gang.world.joins(fake, gang.world.awake(at), inviter=known)
        gang.buys(fake, at, gang.delay())
        known, at = fake, at + gang.world.some(2 * HOUR, DAY)


def two_sided(gang: Gang) -> None:
    """Two people invite each other's second accounts, so that no inviter shares anything with a friend."""
    world, names = gang.world, gang.world.names
    one, other = (gang.boss(card=names.card(), device=names.device(), phone=names.phone()) for _nth in range(2))
    for boss in (one, other):
        world.buys(boss, (boss.joined_at or gang.begins) + HOUR, amount_minor=gang.amount())
    at = gang.begins
    for nth in range(gang.size):
        owner, inviter = (one, other) if nth % 2 else (other, one)
        second = gang.fake(**_own(gang, owner))
        at = world.joins(second, world.awake(at), inviter=inviter)
        gang.buys(second, at, gang.delay())
        at += world.some(2 * HOUR, 2 * DAY)


def _own(gang: Gang, owner: Person) -> dict[str, str]:
    """Return what somebody's second account has of theirs: mostly the phone in their hand, often the card too."""
    rng = gang.world.rng
    return {"device": owner.device, "home": owner.home} | ({"card": owner.card} if rng.random() < 0.6 else {})
